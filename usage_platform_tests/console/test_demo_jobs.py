"""Which jobs a demo starts for costs and findings, and what it says of them."""

import math
from types import SimpleNamespace

import pandas as pd
import pytest

from usage_platform.adapters.lake.tables import READINGS
from usage_platform.console import demo_jobs
from usage_platform.console.demo_jobs import compute_costs_and_findings
from usage_platform.console.screen import Screen
from usage_platform.services.usage_cost import compute_month, months_due
from usage_platform.services.usage_findings import compute_findings, present_of
from usage_platform.settings.settings import Settings
from usage_platform.wiring.findings import finding_inputs, findings_record
from usage_platform.wiring.platform import Platform

LATER = pd.Timestamp("2026-01-01T00:00Z").value
FIRST, LAST = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"


@pytest.fixture
def platform(tmp_path, write_table):
    """A lake with the readings of three months."""
    made = Platform(Settings.from_env({}, data=tmp_path, interval_minutes=60, tariff=0.2))
    times = pd.date_range("2024-03-10T05:00", "2024-05-20T03:00", freq="h", tz="UTC")
    rows = {"meter": "central-library", "event_time": times, "event_date": times.date, "value": 1.0}
    write_table(made.lake, READINGS, pd.DataFrame(rows))
    return made


@pytest.fixture
def launched(monkeypatch):
    """The jobs that are started in the place of real ones, and how they end."""
    jobs, state = {}, SimpleNamespace(waiting=[], failed=[])

    monkeypatch.setattr(
        demo_jobs, "unfinished", lambda home, runs: state.waiting.pop() if state.waiting else []
    )
    monkeypatch.setattr(demo_jobs, "failed_jobs", lambda home, runs: state.failed)
    monkeypatch.setattr(demo_jobs.time, "sleep", lambda seconds: None)

    def launch(job, tags):
        jobs[job] = tags
        return job

    return SimpleNamespace(jobs=jobs, launch=launch, state=state)


def compute(platform, launched, deadline=math.inf):
    looks = []
    stack = SimpleNamespace(
        settings=platform.settings,
        ui_url="http://ui",
        look=lambda: looks.append(1),
        launch_job=launched.launch,
    )
    return compute_costs_and_findings(platform, stack, Screen(), deadline), len(looks)


def test_costs_are_computed_of_all_months_that_are_due_in_one_run(platform, launched):
    launched.state.waiting = [["costs"], ["costs", "findings"]]
    assert compute(platform, launched) == (True, 2)
    assert launched.jobs == {"costs": {FIRST: "2024-03-01", LAST: "2024-05-01"}, "findings": {}}


def test_what_is_computed_is_not_computed_again(platform, launched):
    inputs, record = platform.cost_inputs(), platform.cost_record
    for month in months_due(inputs, record):
        compute_month(inputs, record, month, lambda line: None)
    assert compute(platform, launched)[0]
    assert [*launched.jobs] == ["findings"]
    launched.jobs.clear()
    as_of = present_of(platform.reader, LATER)
    turn = platform.lake_writer.turn
    compute_findings(
        finding_inputs(platform), findings_record(platform), as_of, turn, lambda line: None
    )
    assert compute(platform, launched)[0]
    assert launched.jobs == {}


def test_a_job_that_fails_is_named_with_the_place_of_its_run(platform, launched, capsys):
    launched.state.failed = ["costs"]
    assert compute(platform, launched) == (False, 0)
    assert "the job costs failed; see its run at http://ui" in capsys.readouterr().out


def test_waiting_ends_at_the_deadline(platform, launched):
    launched.state.waiting = [["costs"]] * 3
    assert compute(platform, launched, deadline=-math.inf) == (False, 0)
