"""What the settings take as a cron expression Dagster takes too, and its time comes."""

from datetime import UTC, datetime

import dagster as dg
import pytest
from dagster._utils.schedules import is_valid_cron_string, schedule_execution_time_iterator
from hypothesis import given
from hypothesis import strategies as st

from usage_platform.settings.cron import valid_cron

NOW = datetime(2024, 3, 5, tzinfo=UTC).timestamp()
MONTHS = ["jan", "FEB", "sep", "dec", "may"]
DAYS = ["sun", "Mon", "sat"]


def _fields(low: int, high: int, names: list[str]) -> st.SearchStrategy[str]:
    """Fields that are right, nearly right or wrong."""
    value = st.integers(low - 1, high + 1).map(str) | st.sampled_from([*names, "*", "05", "x", ""])
    span = st.builds(lambda a, b: f"{a}-{b}", value, value) | value
    step = st.builds(lambda a, n: f"{a}/{n}", span, st.integers(0, 99)) | span
    return st.lists(step, min_size=1, max_size=3).map(",".join)


CRONS = st.builds(
    lambda *fields: " ".join(fields),
    _fields(0, 59, []),
    _fields(0, 23, []),
    st.just("*") | _fields(1, 31, []),
    st.just("*") | _fields(1, 12, MONTHS),
    st.just("*") | _fields(0, 7, DAYS),
)


def _is_taken(text: str) -> bool:
    try:
        valid_cron(text)
    except ValueError:
        return False
    return True


@given(
    CRONS | st.text() | st.from_regex(r"[0-9*,/@a-zL#?-]{1,6}( [0-9*,/-]{1,5}){4}", fullmatch=True)
)
def test_dagster_takes_each_expression_that_the_settings_take(text):
    if _is_taken(text):
        assert is_valid_cron_string(text)
        times = schedule_execution_time_iterator(NOW, text, "America/New_York", 0)
        assert next(times) is not None


@pytest.mark.parametrize(
    "text",
    [
        *("0 3 * * 1", "*/5 * * * *", "0 0 29 2 *", "0 0 1,15 * *", "30 4 1-7 jan-mar mon-sun"),
        *("0 0 31 3 fri", "0 0 31 2,3 *", "5/10 * * * 7", "@daily", "@hourly", "@annually"),
    ],
)
def test_usual_expressions_are_taken(text):
    assert _is_taken(text)
    dg.ScheduleDefinition(job_name="any", cron_schedule=text)


@pytest.mark.parametrize(
    "text",
    [
        *("0 0 30 feb *", "0 0 31 4,6,9,11 *", "0 0 30,31 2 *", "1--2 * * * *", "*-* * * * *"),
        *("*/0 * * * *", "* * * * 7-1", "* * * foo *", "59-2 * * * *", "* * * * L", "٣ * * * *"),
        *("/5 * * * *", "1,,2 * * * *", "0 0 0 * *", "60 * * * *", "@reboot", "", "* * * * * *"),
    ],
)
def test_what_dagster_refuses_or_never_comes_is_refused(text):
    assert not _is_taken(text)
