"""The asset `slot_forests`: what is trained, and with what."""

import pandas as pd

from usage_platform.core.detector.baseline.slot_forests import SlotForests
from usage_platform.core.feedback.labels import Verdict
from usage_platform_tests.core.detector.series import HOURLY
from usage_platform_tests.defs.model_assets.conftest import DAYS, START
from usage_platform_tests.defs.model_assets.trained import begins, ends, told


def test_by_default_the_history_holds_the_newest_day_and_the_day_after_lies_between(
    train, fill, store
):
    fill("m")
    result = train()
    assert ends(store.manifests()) == ["03-04 00:00"]
    assert begins(store.manifests()) == ["03-05 00:00"]
    (manifest,) = store.manifests()
    said = told(result)
    assert (said["models"], said["promoted"], said["version"]) == (1, 1, manifest.version)
    assert (said["readings"], said["left_out"]) == (DAYS * 24, 0)
    assert (said["slots_trained"], said["slots_thin"]) == (168, 0)
    assert (said["meters"], said["meters_learning"]) == (1, 0)
    for picture in ("expected_week", "last_weeks", "scores"):
        assert said[picture].startswith("![](data:image/png;base64,")


def test_a_history_ends_before_the_day_that_is_asked_for(train, fill, store):
    fill("m")
    said = told(train(until="2024-02-14"))
    assert ends(store.manifests()) == ["02-14 00:00"]
    assert begins(store.manifests()) == ["02-15 00:00"]
    assert said["readings"] == 44 * 24


def test_the_method_and_the_budget_can_be_other_than_the_settings(train, fill, store):
    fill("m", days=28)
    train()
    train(method="forest", false_alarms_per_week=2.0, until="2024-01-27")
    said = {m.end.tz_convert(HOURLY.timezone).day: m for m in store.candidates()}
    assert (said[29].method, said[29].false_alarms_per_week) == ("robust_z", 0.5)
    assert (said[27].method, said[27].false_alarms_per_week) == ("forest", 2.0)
    (detector,) = store.load(said[27].version).detectors.values()
    assert (detector.options.method, detector.options.false_alarms_per_week) == ("forest", 2.0)


def test_the_blog_s_method_has_no_budget_and_forests_of_its_own(train, fill, store):
    fill("m", days=28)
    train(method="blog")
    (manifest,) = store.manifests()
    assert (manifest.method, manifest.false_alarms_per_week) == ("blog", None)
    (detector,) = store.load(manifest.version).detectors.values()
    assert isinstance(detector, SlotForests)


def test_the_other_meters_keep_their_detectors(train, fill, store):
    fill("a", "b", days=36)
    train(until="2024-01-30")
    train(until="2024-02-04", meters=["b"])
    before, after = (store.load(one.version).detectors for one in store.candidates())
    assert set(after) == {"a", "b"}
    assert after["a"].until == before["a"].until
    assert after["b"].until > before["b"].until


def test_what_people_say_was_odd_is_not_learned_from(train, fill, store, platform):
    fill("m", days=36)
    labels = platform.deployment.labels
    labels.add("m", START, START + pd.Timedelta(hours=7), Verdict.TRUE, "a fire")
    labels.add("n", START, START + pd.Timedelta(days=7), Verdict.TRUE, "another meter's")
    said = told(train())
    assert (said["readings"], said["left_out"]) == (36 * 24, 7)
    assert store.manifests()[0].left_out == 7


def test_the_building_s_own_closing_days_are_learned_as_rest_days(
    train, fill, store, tmp_path, monkeypatch
):
    closed = tmp_path / "closed.txt"
    closed.write_text("2024-02-13  # repairs\n")
    monkeypatch.setenv("USAGE_CLOSED_DAYS", str(closed))
    fill("m", days=36)
    train()
    detector = store.load(store.manifests()[0].version).detectors["m"]
    assert [str(day) for day in detector.options.calendar.closed] == ["2024-02-13"]
