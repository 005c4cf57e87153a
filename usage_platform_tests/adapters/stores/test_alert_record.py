"""The record of a sink comes back as it was kept, and that of a former version is read."""

import pytest

from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.stores.alert_record import AlertRecord, Failing, Position
from usage_platform.adapters.stores.routing_record import Routed, RoutingRecord
from usage_platform.adapters.stores.weekly_record import WeeklyRecord
from usage_platform.core.alerts.alert import Alert, AlertState, Standing
from usage_platform.core.alerts.alert_queue import AlertQueue, Waiting
from usage_platform.core.alerts.escalations import DueStep, Escalation
from usage_platform.core.alerts.storms import Storm


def test_what_is_kept_comes_back(tmp_path):
    record = AlertRecord(LakeFiles(str(tmp_path)), "webhook")
    assert record.read().standings == {}
    storm = Storm("silent", 10**18, ("a", "b"), "medium", 12, 3, (11, 0), (12, 3), 1, 7.5)
    standings = {
        "m/2024-03-10T18:05Z": Standing(AlertState.OPENED, 2, "silent", 7.5, storm.key),
        "a/b/2024-03-10T18:05Z": Standing(AlertState.CLOSED, 1, "spike", 8.5),
    }
    failing = Failing(key="k", tries=2, next_try=9.0)
    record.write(standings, {storm.key: storm}, failing)
    kept = record.read()
    assert list(kept.standings.items()) == list(standings.items())
    assert (kept.storms, kept.failing) == ({storm.key: storm}, failing)


def test_the_record_of_a_former_version_is_read(tmp_path):
    files = LakeFiles(str(tmp_path))
    files.write_text("alerts/slack.json", '{"told": {"a/b": ["opened", 1]}, "failing": null}')
    assert AlertRecord(files, "slack").read().standings == {"a/b": Standing(AlertState.OPENED)}


def test_what_routes_have_queued_comes_back(tmp_path):
    record = AlertRecord(LakeFiles(str(tmp_path)), "facility")
    standing = Standing(AlertState.OPENED, 1, "spike", 7.5, route="night")
    alert = Alert("k", standing, "m", "e", "high", "title", "text", {"kind": "spike", "n": 1.5})
    queue = AlertQueue([Waiting(alert, 99.5, True)], {99.5: 3})
    routed = Position(topic="t", offsets={0: 7})
    record.write({"m/e": standing}, {}, None, queue, routed)
    kept = record.read()
    assert kept.standings == {"m/e": standing}
    assert (kept.waiting, kept.more, kept.routed) == (list(queue.entries), {99.5: 3}, routed)


def test_a_standing_without_a_route_is_written_as_versions_without_routes_read_it(tmp_path):
    files = LakeFiles(str(tmp_path))
    AlertRecord(files, "slack").write({"m/e": Standing(AlertState.OPENED)}, {}, None)
    kept = files.read_json("alerts/slack.json")
    assert kept["told"] == {"m/e": ["opened", 1, "", 0.0, ""]}
    assert "waiting" not in kept


def test_the_record_of_routing_comes_back_and_lists_the_targets(tmp_path):
    files = LakeFiles(str(tmp_path))
    record = RoutingRecord(files)
    assert not record.exists
    assert record.read() == Routed()
    event = {"meter": "m", "episode": "e"}
    one = Escalation("night", event, (DueStep(9.5, 4.0, ("oncall", "slack")),))
    record.write({one.key: one}, "t", {"0:7": ("night", ("facility",))})
    kept = record.read()
    assert kept.escalations == {"m/e:night": one}
    assert (kept.topic, kept.decisions) == ("t", {"0:7": ("night", ("facility",))})
    AlertRecord(files, "facility").write({}, {}, None)
    WeeklyRecord(files).write({})
    assert record.recorded_targets() == ["facility"]


@pytest.mark.parametrize("store", [RoutingRecord, WeeklyRecord])
def test_a_damaged_record_of_routing_is_told_in_one_line(tmp_path, store):
    (tmp_path / "alerts").mkdir()
    for name in ("routes", "weekly"):
        (tmp_path / "alerts" / f"{name}.json").write_text('{"escalations": "x"}')
    with pytest.raises(LakeError, match=r"alerts/\w+\.json: damaged") as refused:
        store(LakeFiles(str(tmp_path))).read()
    assert "\n" not in str(refused.value)
