"""The processes of a data folder write to the lake one after the other, and see who waits."""

import threading
from contextlib import contextmanager

import pytest

from usage_platform.adapters.lake.lease import current_turn, writer_lease
from usage_platform.adapters.lake.lease_record import Holder
from usage_platform.adapters.lake.write_turn import TurnOverError
from usage_platform.services.lake_writer import LakeWriter
from usage_platform_tests.topics import until

FOREVER = 60.0


@contextmanager
def no_session():
    yield object()


@pytest.fixture
def writer(lake, tmp_path):
    lease = writer_lease(lake, Holder("here", str(tmp_path)))
    return LakeWriter(lease, lake, tmp_path / "run" / "lake_writer", no_session, lambda: True)


def test_who_writes_sees_that_another_waits(writer):
    begun = threading.Event()

    def other():
        with writer.session():
            begun.set()

    with writer.session():
        assert not writer.is_awaited()
        waits = threading.Thread(target=other)
        waits.start()
        until(writer.is_awaited)
        assert not begun.is_set()
    assert begun.wait(FOREVER)
    waits.join()
    with writer.session():
        assert not writer.is_awaited()


def test_a_turn_begins_when_the_last_batch_of_the_turn_before_has_ended(writer):
    """Spark finishes the batch of a run that was killed, and must not begin another one."""
    writing, ends = threading.Event(), threading.Event()
    order = []

    def batch(frame, number):
        writing.set()
        assert ends.wait(FOREVER)
        order.append("batch")

    with writer.streaming() as (_, turn):
        orphan = threading.Thread(target=turn.write, args=(batch, "rows", 1))
        orphan.start()
        assert writing.wait(FOREVER)

    def next_turn():
        with writer.session():
            order.append("next turn")

    after = threading.Thread(target=next_turn)
    after.start()
    # The next turn has its number by now, and waits.
    until(lambda: _is_over(turn))
    assert order == []
    ends.set()
    after.join()
    orphan.join()
    assert order == ["batch", "next turn"]
    with pytest.raises(TurnOverError):
        turn.write(batch, "rows", 2)


def test_nobody_writes_while_the_lake_is_at_rest_and_a_writer_sees_that_it_is_wanted(writer):
    order = []

    def look():
        with writer.at_rest():
            order.append("at rest")
            until(writer.is_awaited)
            order.append("a writer waits")

    def write():
        with writer.session():
            order.append("written")

    with writer.streaming() as (_, turn):
        looks = threading.Thread(target=look)
        looks.start()
        until(writer.is_awaited)
        writing, ends = threading.Event(), threading.Event()

        def batch(frame, number):
            writing.set()
            assert ends.wait(FOREVER)
            order.append("batch")

        orphan = threading.Thread(target=turn.write, args=(batch, "rows", 1))
        orphan.start()
        assert writing.wait(FOREVER)
    # The process that started the batch is gone, and Spark goes on with it.
    writes = threading.Thread(target=write)
    writes.start()
    until(writer.is_awaited)
    assert order == []
    ends.set()
    for thread in (orphan, looks, writes):
        thread.join()
    assert order == ["batch", "at rest", "a writer waits", "written"]


def test_a_turn_without_spark_is_a_turn_like_any_other(writer):
    begun, lines = threading.Event(), []

    def other():
        with writer.session():
            begun.set()

    with writer.turn() as turn:
        waits = threading.Thread(target=other)
        waits.start()
        until(writer.is_awaited)
        assert not begun.is_set()
        report = turn.checked(lines.append)
        report("first")
    assert begun.wait(FOREVER)
    waits.join()
    with pytest.raises(TurnOverError, match=r"^the lake .+ is written to by another run by now: "):
        report("second")
    assert lines == ["first", "second"]


def _is_over(turn):
    return current_turn(turn.lake) != turn.number
