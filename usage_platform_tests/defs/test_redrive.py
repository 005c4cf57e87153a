"""Rejects that are driven again, by the asset on real Spark; mistakes in its config."""

from types import SimpleNamespace

import dagster as dg
import pandas as pd
import pytest

from usage_platform.adapters.lake.table_creation import create_tables
from usage_platform.adapters.lake.tables import (
    ANOMALIES,
    READINGS,
    REJECTS,
    USAGE_HOURLY,
)
from usage_platform.adapters.lake.usage_events import apply_events
from usage_platform.core.meters import Meter
from usage_platform.defs.metadata import rejects_table
from usage_platform.defs.redrive_assets import redriven_rejects
from usage_platform.defs.resources import PlatformResource
from usage_platform.services import redrive
from usage_platform.services.redrive import reject_summary
from usage_platform_tests.core.detector.made_models import cut_forests, model

METER = "central-library"
RECEIVED = pd.Timestamp("2024-03-20T13:00:30Z")
AT = pd.Timestamp("2024-03-10T01:00:00Z")
# What a building in Rome sends, by its wall clock; New York skips half past two on this night.
EVENTS = [
    b'{"ts": "2024-03-10 02:00:00", "value": 5}',
    b'{"meter": "annex", "ts": "2024-03-10 02:00:00", "value": 6}',
    b'{"meter": "annex", "ts": "2024-03-10T01:00:00Z", "value": 7}',
    b"<b>not | json</b>",
    b'{"ts": "2025-03-09 02:00:00", "value": 9}',
    b'{"ts": "2024-03-20 14:00:00", "value": 150}',
    b'{"ts": "2024-03-10 02:00:00", "value": 8000, "unit": "W"}',
]
KEYS = [None] * 6 + [b"keyed"]


def materialize(
    reason: str, raise_on_error: bool = True, **config: str
) -> dg.ExecuteInProcessResult:
    return dg.materialize(
        [redriven_rejects],
        resources={"platform": PlatformResource()},
        run_config={"ops": {"redriven_rejects": {"config": {"reason": reason, **config}}}},
        raise_on_error=raise_on_error,
    )


def told(result) -> dict:
    (event,) = (
        one
        for one in result.asset_materializations_for_node("redriven_rejects")
        if one.asset_key == redriven_rejects.key
    )
    return {key: value.value for key, value in event.metadata.items()}


def rows_of(deployment) -> dict[str, pd.DataFrame]:
    keys = {
        READINGS: ["meter", "event_time"],
        USAGE_HOURLY: ["meter", "start"],
        REJECTS: ["offset"],
        ANOMALIES: ["anomaly_id"],
    }
    rows = {table.name: deployment.reader.rows(table) for table in keys}
    return {t.name: rows[t.name].sort_values(k, ignore_index=True) for t, k in keys.items()}


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("USAGE_DATA", str(tmp_path_factory.mktemp("platform")))
        patch.setenv("USAGE_INTERVAL_MINUTES", "60")
        yield patch


@pytest.fixture(scope="module")
def flow(settings, spark_url, spark):
    """A building in Rome whose time zone was left at New York's, and then set."""
    settings.setenv("USAGE_SPARK_REMOTE", spark_url)
    deployment = PlatformResource().deployment
    meter = Meter(METER, "Europe/Rome", 60)
    known = model("m", AT - pd.Timedelta(days=9), {METER: cut_forests(meter)})
    deployment.models.save(known)
    deployment.models.promote(["m"])
    raw = pd.DataFrame({"topic": "usage", "partition": 0, "offset": range(7), "value": EVENTS})
    raw["key"] = pd.Series(KEYS, dtype=object)
    raw["kafka_time"] = pd.Series(RECEIVED, index=raw.index).astype("datetime64[ns, UTC]")
    create_tables(deployment.lake)
    apply_events(deployment.lake, deployment.registry(), raw)
    seen = SimpleNamespace(first=rows_of(deployment), summary=reject_summary(deployment.reader))

    settings.setenv("USAGE_TIMEZONE", "Europe/Rome")
    with pytest.MonkeyPatch.context() as patch:

        def kill(*_):
            raise RuntimeError("killed")

        patch.setattr(redrive, "delete_rejects", kill)
        seen.is_killed = not materialize("nonexistent_time", raise_on_error=False).success
    seen.cut_short = rows_of(deployment)
    seen.mended = materialize("all", first="2024-03-20", last="2024-03-20")
    seen.then = rows_of(deployment)
    seen.again = materialize("all")
    seen.last = rows_of(deployment)
    return seen


@pytest.mark.spark
class TestFlow:
    """One story; each test looks at a part of it."""

    def test_in_the_wrong_zone_they_are_rejects_each_with_its_reason(self, flow):
        wrong = "nonexistent_time"
        reasons = [wrong, wrong, "not_json", wrong, "future_time", wrong]
        assert flow.first["rejects"]["reason"].tolist() == reasons
        assert flow.first["readings"]["value"].tolist() == [7.0]

    def test_a_kill_before_the_last_step_leaves_them_in_rejects_and_the_next_run_mends_it(
        self, flow
    ):
        assert flow.is_killed
        assert len(flow.cut_short["rejects"]) == 6
        assert flow.cut_short["readings"]["value"].tolist() == [7.0, 5.0, 8.0]
        assert told(flow.mended)["readings_now"] == 4
        assert flow.then["rejects"]["offset"].tolist() == [3, 4]

    def test_they_become_readings_with_their_own_place_and_time(self, flow):
        first, last = flow.then["readings"].query(f"meter == '{METER}'").to_dict("records")
        assert (first["event_time"], first["value"], first["offset"]) == (AT, 5.0, 0)
        assert (last["value"], last["offset"]) == (150.0, 5)
        assert first["kafka_time"] == last["kafka_time"] == RECEIVED
        assert flow.then["usage_hourly"]["avg_usage"].tolist() == [7.0, 5.0, 150.0, 8.0]

    def test_the_key_that_named_the_meter_and_the_unit_still_count(self, flow):
        keyed = flow.then["readings"].set_index("meter").loc["keyed"]
        assert (keyed["value"], keyed["event_time"]) == (8.0, AT)

    def test_a_correction_that_came_later_still_wins(self, flow):
        annex = flow.then["readings"].set_index("meter").loc["annex"]
        assert (annex["value"], annex["offset"]) == (7.0, 2)

    def test_those_that_are_still_bad_stay_with_the_reason_of_today(self, flow):
        reasons = flow.cut_short["rejects"].set_index("offset")["reason"].to_dict()
        assert (reasons[3], reasons[4]) == ("not_json", "future_time")
        assert told(flow.mended)["still_rejected"] == 2

    def test_a_wall_clock_that_was_ahead_of_the_brokers_is_not_in_the_future_any_more(self, flow):
        by_reason = told(flow.mended)["readings_now_by_reason"]
        assert by_reason == {"nonexistent_time": 3, "future_time": 1}

    def test_their_days_are_scored(self, flow):
        found = flow.then["anomalies"]
        assert found[["meter", "event_time", "usage"]].to_numpy().tolist() == [[METER, AT, 5.0]]
        assert told(flow.mended)["anomalies_found"] == 1

    def test_doing_it_again_changes_nothing(self, flow):
        assert told(flow.again)["readings_now"] == 0
        for name, rows in flow.last.items():
            pd.testing.assert_frame_equal(rows, flow.then[name], check_exact=True)

    def test_the_summary_counts_by_reason_and_shows_what_came_as_text(self, flow):
        counts = {one.reason: one.count for one in flow.summary}
        assert counts == {"nonexistent_time": 4, "future_time": 1, "not_json": 1}
        newest = [e["offset"] for e in flow.summary[0].examples]
        assert newest == [6, 4]
        shown = rejects_table(flow.summary).md_str
        assert "&#60;b&#62;not &#124; json&#60;&#47;b&#62;" in shown
        assert "<b>" not in shown


@pytest.mark.parametrize(
    ("config", "line"),
    [
        ({"reason": "nope"}, "reason 'nope': expected 'all' or one of ambiguous_time, empty, "),
        ({"reason": "all", "first": "5 March"}, "first '5 March': expected a UTC date like 2024-"),
        (
            {"reason": "all", "first": "2024-03-06", "last": "2024-03-05"},
            "first 2024-03-06 is after last 2024-03-05: ",
        ),
    ],
)
def test_a_mistake_in_the_config_is_one_line_that_says_what_there_is(
    tmp_path, monkeypatch, config, line
):
    monkeypatch.setenv("USAGE_DATA", str(tmp_path))
    with pytest.raises(dg.Failure) as caught:
        materialize(**config)
    assert caught.value.description.startswith(line)
    assert "\n" not in caught.value.description
