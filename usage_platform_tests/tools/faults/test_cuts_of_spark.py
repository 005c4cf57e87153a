"""One round at each cut within a micro-batch; those of a whole platform: `e2e.test_up`.

A file of its own, as tests of a file run one after the other.
"""

import pytest

from usage_platform_tests.tools.faults.rounds_of_spark import CUTS

pytestmark = [pytest.mark.kafka, pytest.mark.spark, pytest.mark.timeout(900)]


@pytest.mark.parametrize("cut", CUTS, ids=lambda cut: f"{cut} ({cut.by})")
def test_what_is_killed_or_stopped_here_leaves_nothing_lost_doubled_or_wrong(matrix, cut):
    assert matrix.play(cut).findings.lines == []
