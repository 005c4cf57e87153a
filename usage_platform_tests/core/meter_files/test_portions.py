"""Long columns are read in portions: where they are cut changes nothing."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from usage_platform.adapters.sources.csv_file import CsvSource
from usage_platform.core.measurement import Quantity, Sign, Unit
from usage_platform.core.meter_files import portions
from usage_platform.core.meter_files.options import FileOptions
from usage_platform.core.meters import Meter

# The clocks go back at 03:00 on 2024-10-27, and forward at 02:00 on 2024-03-31.
STARTS = [pd.Timestamp("2024-10-27 01:30"), pd.Timestamp("2024-03-31 01:30"), pd.Timestamp("2024")]


@st.composite
def files(draw) -> str:
    """Rows of some meters in any order, with gaps, repeated, negative, off the grid and bad."""
    start = draw(st.sampled_from(STARTS))
    step = draw(st.sampled_from([1, 5]))
    rows = draw(
        st.lists(
            st.tuples(
                st.sampled_from("abc"),
                st.integers(0, 60),
                st.sampled_from(["1.5", "1.5", "2", "-1", "x", "1e300"]),
                st.sampled_from(["", "E"]),
            ),
            min_size=1,
            max_size=60,
        )
    )
    # A file without a number is taken for one without a header, and refused.
    rows.append(("a", 0, "2", ""))
    if draw(st.booleans()):
        rows.sort()
    lines = [
        f"{meter},{start + pd.Timedelta(minutes=step * at)},{value},{flag}"
        for meter, at, value, flag in rows
    ]
    return "\n".join(["meter,time,kwh,quality", *lines])


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(files(), st.sampled_from(Quantity), st.sampled_from(Sign), st.integers(1, 5))
def test_where_columns_are_cut_changes_nothing(tmp_path, text, quantity, sign, rows):
    path = tmp_path / "f.csv"
    path.write_text(text)
    unit = Unit.KW if quantity is Quantity.POWER else None
    options = FileOptions(quantity=quantity, unit=unit, sign=sign)
    source = CsvSource((path,), Meter(timezone="Europe/Rome"), options=options)
    whole = source.understand(lambda done, total: None)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(portions, "ROWS", rows)
        cut = source.understand(lambda done, total: None)
    pd.testing.assert_frame_equal(cut.readings.frame, whole.readings.frame)
    for name in ("bad_rows", "repeated_rows", "quality", "meters"):
        assert getattr(cut.readings, name) == getattr(whole.readings, name)
    for name in ("uncertain", "notes", "stamp", "step_minutes", "units"):
        assert getattr(cut, name) == getattr(whole, name)


@given(st.lists(st.integers(0, 4), max_size=30).map(sorted), st.integers(1, 7))
def test_rows_of_one_code_are_in_one_portion(codes, rows):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(portions, "ROWS", rows)
        found = list(portions.portions_of_groups(np.array(codes, dtype=np.int32)))
        parts = list(portions.portions(len(codes)))
    assert [code for part in found for code in codes[part]] == codes
    ends = [set(codes[part]) for part in found]
    assert all(not one & other for one, other in pairwise(ends))
    assert [code for part in parts for code in codes[part]] == codes
    assert all(part.stop - part.start <= rows for part in parts)
