"""One round at each cut of playback, scorer and broker."""

import pytest

from usage_platform_tests.tools.faults.matrix import CUTS_OF_STREAMS

pytestmark = pytest.mark.kafka


@pytest.mark.parametrize("cut", CUTS_OF_STREAMS, ids=lambda cut: f"{cut} ({cut.by})")
def test_what_is_killed_or_stopped_here_leaves_nothing_lost_doubled_or_wrong(matrix, cut):
    assert matrix.play(cut).findings.lines == []
