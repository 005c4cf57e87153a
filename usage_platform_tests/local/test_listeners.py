"""A port that another program has is not the service's, whoever answers on it."""

import subprocess
import sys
from pathlib import Path

import pytest

from usage_platform.local.listeners import is_listener, own_server_replies
from usage_platform.local.pid import identify, write_pid_file
from usage_platform.local.replies import HTTP, server_replies

pytestmark = pytest.mark.skipif(
    not Path("/proc/net/tcp").exists(), reason="the system does not tell who listens"
)

LISTENS = """
import socket
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
while True:
    client, _ = server.accept()
    client.recv(100)
    client.sendall(b"!")
    client.close()
"""


@pytest.fixture
def service(tmp_path):
    """A process that listens, the file that names it, and its port."""
    command = (sys.executable, "-c", LISTENS)
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as process:
        port = int(process.stdout.readline())
        write_pid_file(tmp_path / "pid", identify(process.pid))
        yield process, tmp_path / "pid", port
        process.kill()


def test_the_services_own_process_listens(service):
    _, pid_file, port = service
    assert is_listener(pid_file, port)
    assert own_server_replies(port, HTTP, pid_file)


def test_another_program_that_answers_on_the_port_is_not_the_service(service, tmp_path):
    _, _, port = service
    sleeping = (sys.executable, "-c", "import time; time.sleep(600)")
    with subprocess.Popen(sleeping, start_new_session=True) as process:
        write_pid_file(tmp_path / "other", identify(process.pid))
        assert server_replies(port, HTTP)
        assert not own_server_replies(port, HTTP, tmp_path / "other")
        process.kill()
    assert not own_server_replies(port, HTTP, tmp_path / "nobody")


def test_a_service_that_has_ended_listens_no_more(service):
    process, pid_file, port = service
    process.kill()
    process.wait()
    assert not is_listener(pid_file, port)
