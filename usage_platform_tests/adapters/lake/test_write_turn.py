"""Turns of writing: a batch of a turn that is over writes nothing, whoever still runs it."""

import pickle

import pytest

from usage_platform.adapters.lake.lease import LEASE_SECONDS, current_turn, writer_lease
from usage_platform.adapters.lake.lease_record import Held, Holder
from usage_platform.adapters.lake.write_turn import TurnOverError, WriteTurn

HERE = Holder("here", "/data")


@pytest.fixture(params=["folder", pytest.param("s3", marks=pytest.mark.aws)])
def a_lake(request, lake):
    return lake if request.param == "folder" else request.getfixturevalue("s3_lake")


@pytest.fixture
def turn(a_lake, tmp_path):
    """Begin a turn."""

    def begin(holder=HERE):
        return WriteTurn(a_lake, writer_lease(a_lake, holder).begin_turn(), tmp_path / "batch")

    return begin


@pytest.fixture
def written():
    return []


def test_before_the_first_turn_its_number_is_zero(lake):
    assert current_turn(lake) == 0


def test_a_batch_of_a_turn_that_is_over_writes_nothing(turn, written):
    one = turn()
    one.write(lambda frame, number: written.append((frame, number)), "rows", 7)
    other = turn()
    with pytest.raises(TurnOverError, match="written to by another run"):
        one.write(lambda *_: written.append("too late"), "rows", 8)
    other.write(lambda frame, number: written.append((frame, number)), "rows", 8)
    assert written == [("rows", 7), ("rows", 8)]


def test_a_turn_is_sent_to_the_worker_that_writes_its_batches(turn, written):
    there = pickle.loads(pickle.dumps(turn()))  # noqa: S301 - as Spark does
    there.write(lambda *batch: written.append(batch), "rows", 1)
    assert written == [("rows", 1)]


def test_a_renewed_lease_is_the_same_turn(turn, a_lake, written):
    one = turn()
    writer_lease(a_lake, HERE).take()
    one.write(lambda *_: written.append("in time"), "rows", 1)
    assert written == ["in time"]


def test_each_change_of_hands_is_a_turn(turn, a_lake):
    numbers = [turn().number]
    writer_lease(a_lake, HERE).give_back()
    numbers.append(turn(Holder("there", "/data")).number)
    writer_lease(a_lake, Holder("there", "/data")).lend(Holder("job", "1"))
    numbers.append(current_turn(a_lake))
    assert numbers == sorted(set(numbers))


def test_a_lease_of_a_former_version_has_turn_zero():
    stored = (
        '{"host": "here", "folder": "/data", "taken": "2024-03-05T12:00:00+00:00", '
        '"renewed": "2024-03-05T12:00:00+00:00", "expires": "2024-03-05T12:01:00+00:00"}'
    )
    held = Held.parsed(stored)
    assert held.turn == 0
    assert (held.expires - held.renewed).total_seconds() == LEASE_SECONDS


def test_on_a_machine_without_the_folder_of_the_lock_the_number_fences(lake, tmp_path, written):
    there = tmp_path / "elsewhere" / "batch"
    one = WriteTurn(lake, writer_lease(lake, HERE).begin_turn(), there)
    one.write(lambda *_: written.append(1), "rows", 1)
    writer_lease(lake, HERE).begin_turn()
    with pytest.raises(TurnOverError):
        one.write(lambda *_: written.append(2), "rows", 2)
    assert written == [1]
