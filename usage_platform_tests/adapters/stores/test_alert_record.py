"""The record of a sink comes back as it was kept, and that of a former version is read."""

from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.stores.alert_record import AlertRecord, Failing
from usage_platform.core.alerts.alert import AlertState, Standing
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
