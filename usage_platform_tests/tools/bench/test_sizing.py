import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_platform_tests.repository import ROOT
from usage_platform_tests.tools.bench.sizing import METERS, Costs, cells, size_for

COSTS = Costs(ingest_us=50, score_us=10, train_s=7.0, night_s=1.0, scorer_mb=2.0, base_cores=0.3)


def test_the_average_load_is_that_of_events_trainings_and_nights():
    size = size_for(1_000, COSTS)
    assert size.events_a_second == pytest.approx(1000 * 288 / 86_400)
    events = size.events_a_second * 60e-6
    assert size.cores == pytest.approx(0.3 + events + 7000 / 604_800 + 1000 / 86_400)
    assert size.burst_cores == pytest.approx(1000 * 60e-6 / 60)


def test_scorers_that_need_more_than_the_largest_task_are_divided():
    size = size_for(100_000, COSTS)
    assert size.scorer_gb == pytest.approx(200)
    assert (size.tasks, size.task_gb) == (2, 105)
    assert size.vcpus == 32


@given(st.integers(1, 1_000_000), st.integers(1, 1_000_000))
def test_more_meters_never_need_or_cost_less(one, other):
    fewer, more = (size_for(meters) for meters in sorted((one, other)))
    for name in ("events_a_second", "cores", "scorer_gb", "tasks", "vcpus", "lake_gb", "month_usd"):
        assert getattr(fewer, name) <= getattr(more, name)


@pytest.mark.parametrize("meters", METERS)
def test_each_task_is_one_that_fargate_offers(meters):
    size = size_for(meters)
    each = size.vcpus // size.tasks
    assert each in (2, 4, 8, 16)
    assert size.task_gb <= min(8 * each, 120)


@pytest.mark.parametrize("meters", METERS)
def test_the_page_on_scale_has_the_sizes_that_are_computed(meters):
    page = (ROOT / "docs" / "scale.md").read_text("utf-8")
    line = " | ".join(cells(size_for(meters))).replace("*", "\\*")
    assert f"| {line} |" in page
