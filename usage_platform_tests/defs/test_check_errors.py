"""A check that cannot look fails in one line, and the other checks of its run are evaluated."""

import dagster as dg
import pytest

from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.defs.anomaly_checks import people_agree
from usage_platform.defs.checks import few_rejects, hours_complete, tables_readable_everywhere
from usage_platform.defs.resources import PlatformResource

LINE = "readings: the bucket does not answer"


@pytest.fixture
def refused(tmp_path, monkeypatch):
    """A lake whose tables cannot be read."""
    monkeypatch.setenv("USAGE_DATA", str(tmp_path))

    def refuse(*_):
        raise LakeError(LINE)

    monkeypatch.setattr(LakeReader, "exists", refuse)
    monkeypatch.setattr(LakeReader, "state", refuse)


@pytest.mark.usefixtures("refused")
def test_a_lake_that_cannot_be_read_is_one_line_of_each_check():
    checks = [few_rejects, hours_complete, tables_readable_everywhere, people_agree]
    job = dg.define_asset_job("quality", dg.AssetSelection.all_asset_checks())
    resources = {"platform": PlatformResource()}
    found = dg.Definitions(asset_checks=checks, jobs=[job], resources=resources)
    done = found.resolve_job_def("quality").execute_in_process(raise_on_error=False)
    failures = done.filter_events(lambda event: event.is_step_failure)
    assert len(failures) == len(checks)
    for one in failures:
        said = one.step_failure_data.user_failure_data
        assert said is not None
        assert said.description.startswith(LINE)
        assert "\n" not in said.description
