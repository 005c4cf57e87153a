"""Runs of equal readings, one reading at a time, are those of the whole series."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from usage_platform.core.detector.features import run_lengths
from usage_platform.core.detector.stepwise.windows import Run

BEGIN = 1000


@given(
    values=st.lists(st.sampled_from([1.0, 2.0, np.nan, np.nan]), min_size=1, max_size=60),
    within=st.integers(1, 20),
    share=st.floats(0, 1),
)
def test_a_run_that_is_loaded_anywhere_and_goes_on_is_that_of_the_series(values, within, share):
    series = np.array(values)
    expected = run_lengths(series, within)
    cut = int(share * len(series))
    run = Run(within)
    # What lies before the window of the next reading makes no difference.
    oldest = max(0, cut - within)
    run.load(series[oldest:cut], BEGIN + oldest)
    for at in range(cut, len(series)):
        if not np.isnan(series[at]):
            assert run.add(BEGIN + at, series[at]) == expected[at] == run.length
