"""Taken ports are seen, said and passed over."""

import socket

import pytest

from usage_platform.local.errors import LocalError
from usage_platform.local.ports import (
    PortClaims,
    free_port,
    port_answers,
    port_is_free,
    socket_path,
)


@pytest.fixture(params=["127.0.0.1", "0.0.0.0"])  # noqa: S104 - to see that it counts as taken
def taken_port(request):
    with socket.socket() as sock:
        sock.bind((request.param, 0))
        sock.listen()
        yield sock.getsockname()[1]


def test_a_port_somebody_listens_on_is_not_free(taken_port):
    assert port_answers(taken_port)
    assert not port_is_free(taken_port)


def test_a_taken_port_is_said_and_the_next_one_used(taken_port):
    said = []
    port = free_port(taken_port, "kafka", said.append)
    assert port > taken_port
    assert port_is_free(port)
    assert said == [f"kafka: port {taken_port} is taken, using {port}"]


def test_a_free_port_is_used_as_it_is(unused_port):
    said = []
    port = unused_port()
    assert free_port(port, "kafka", said.append) == port
    assert said == []


def test_a_port_promised_to_another_service_is_passed_over(unused_port):
    port = unused_port()
    assert free_port(port, "kafka", lambda text: None, reserved={port}) > port


def test_no_free_port_is_one_line():
    every = range(65_500, 65_536)
    with pytest.raises(LocalError, match="kafka: no free port from 65500 on"):
        free_port(65_500, "kafka", lambda text: None, reserved=every)


def _take(claims, preferred):
    return claims.take(preferred, "code", lambda text: None)


def test_two_stacks_that_start_together_never_get_the_same_port(unused_port):
    port = unused_port()
    first, second = PortClaims(), PortClaims()
    taken = [_take(claims, port) for claims in (first, second, first, second)]
    assert taken[0] == port
    assert len(set(taken)) == 4


def test_a_stack_that_stopped_leaves_its_ports_to_others(unused_port):
    port = unused_port()
    first, second = PortClaims(), PortClaims()
    assert _take(first, port) == port
    first.release()
    assert _take(second, port) == port


def test_a_socket_is_in_a_private_folder_one_for_each_data_folder(tmp_path):
    deep = tmp_path / "a long name" / ("x" * 200)
    first, again, other = (socket_path(folder, "code") for folder in (deep, deep, tmp_path))
    assert first == again != other
    assert first.parent.stat().st_mode & 0o077 == 0
    # What macOS takes; Linux takes four more.
    assert len(bytes(first)) <= 103
