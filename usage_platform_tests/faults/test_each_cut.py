"""One round at each cut within a part; the whole platform's kills are in `e2e/test_up.py`."""

import pytest

from usage_platform_tests.faults.matrix import CUTS_OF_PARTS, Matrix
from usage_platform_tests.faults.services import Services

pytestmark = [pytest.mark.kafka, pytest.mark.spark]


@pytest.fixture(scope="module")
def matrix(java, jar_folders, tmp_path_factory):
    with Services(java, jar_folders, tmp_path_factory.mktemp("faults")) as services:
        yield Matrix(services)


@pytest.mark.parametrize("cut", CUTS_OF_PARTS, ids=lambda cut: f"{cut} ({cut.signal.name})")
def test_what_is_killed_or_stopped_here_leaves_nothing_lost_doubled_or_wrong(matrix, cut):
    assert matrix.play(cut).findings.lines == []
