"""The asset `slot_forests`: what is trained, with what, and what is put in force. No JVM."""

import dagster as dg
import pandas as pd
import pytest

from usage_platform.adapters.lake_tables import READINGS
from usage_platform.core.detector.gate import Examined
from usage_platform.core.labels import Verdict
from usage_platform.core.model import Manifest
from usage_platform.core.slot_forests import SlotForests
from usage_platform.defs import model_assets
from usage_platform.defs.model_assets import slot_forests
from usage_platform.defs.resources import PlatformResource
from usage_platform_tests.core.detector.series import HOURLY, library

START = pd.Timestamp("2024-01-01", tz=HOURLY.timezone).tz_convert("UTC")
# 2024-03-03 is the last of them, a Sunday; 2024-02-26 and 2024-03-04 are Mondays.
DAYS = 63


@pytest.fixture
def platform(tmp_path, monkeypatch) -> PlatformResource:
    """The platform's resource on a fresh data folder; quick to train."""
    for name, value in {
        "DATA": str(tmp_path),
        "INTERVAL_MINUTES": "60",
        "METHOD": "robust_z",
        "HOLIDAYS": "-",
    }.items():
        monkeypatch.setenv(f"USAGE_{name}", value)
    return PlatformResource()


@pytest.fixture
def store(platform):
    return platform.deployment.models


@pytest.fixture
def fill(platform, write_table):
    """Put hourly readings of meters into the lake."""

    def write(*meters, days=DAYS, since=START):
        frames = []
        for seed, meter in enumerate(meters):
            instants, values = library(days, seed, since.value)
            times = pd.DatetimeIndex(instants).tz_localize("UTC")
            frames.append(pd.DataFrame({"meter": meter, "event_time": times, "value": values}))
        rows = pd.concat(frames)
        rows["event_date"] = rows["event_time"].dt.date
        write_table(platform.deployment.lake, READINGS, rows)

    return write


@pytest.fixture
def train(platform):
    def run(raise_on_error=True, **config):
        return dg.materialize(
            [slot_forests],
            resources={"platform": platform},
            run_config={"ops": {"slot_forests": {"config": config}}},
            raise_on_error=raise_on_error,
        )

    return run


def told(result) -> dict:
    (event,) = result.asset_materializations_for_node("slot_forests")
    return {key: value.value for key, value in event.metadata.items()}


def checked(result) -> dg.AssetCheckEvaluation:
    (check,) = result.get_asset_check_evaluations()
    assert check.check_name == "model_is_fit"
    return check


def why_not(train, **config) -> str:
    """The one line that a failed training says."""
    with pytest.raises(dg.Failure) as caught:
        train(**config)
    assert not caught.value.allow_retries
    assert "\n" not in caught.value.description
    return caught.value.description


def ends(manifests: list[Manifest]) -> list[str]:
    return [f"{one.end.tz_convert(HOURLY.timezone):%m-%d %H:%M}" for one in manifests]


def begins(manifests: list[Manifest]) -> list[str]:
    return [f"{one.begin.tz_convert(HOURLY.timezone):%m-%d %H:%M}" for one in manifests]


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


def test_all_that_are_due_are_trained_and_then_none_is(train, fill, store):
    fill("m")
    assert told(train(due=True))["models"] == 10
    # The very first one knows nothing, and judges from the first reading on.
    assert begins(store.manifests())[:3] == ["01-01 00:00", "01-02 00:00", "01-09 00:00"]
    assert ends(store.manifests())[-1] == "02-26 00:00"
    assert "every model that the readings allow is there" in why_not(train, due=True)
    fill("m", days=2, since=pd.Timestamp("2024-03-04", tz=HOURLY.timezone).tz_convert("UTC"))
    train(due=True)
    assert len(store.candidates()) == 11
    assert ends(store.manifests())[-1] == "03-04 00:00"


def test_the_method_and_the_budget_can_be_other_than_the_settings(train, fill, store):
    fill("m", days=28)
    train()
    train(method="forest", false_alarms_per_week=2.0, until="2024-01-27")
    said = {m.end.tz_convert(HOURLY.timezone).day: m for m in store.candidates()}
    assert (said[29].method, said[29].false_alarms_per_week) == ("robust_z", 0.5)
    assert (said[27].method, said[27].false_alarms_per_week) == ("forest", 2.0)
    (detector,) = store.load(said[27].version).detectors.values()
    assert (detector.method, detector.tuning.false_alarms_per_week) == ("forest", 2.0)


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
    assert [str(day) for day in detector.calendar.closed] == ["2024-02-13"]


def test_the_first_model_is_fit_as_there_is_nothing_to_compare_with(train, fill):
    fill("m")
    check = checked(train())
    assert check.passed
    assert check.description == "there is nothing to compare with yet"


def test_a_model_is_examined_beside_the_one_before_it(train, fill, store):
    fill("m")
    train(until="2024-02-26")
    result = train()
    check = checked(result)
    said = {key: value.value for key, value in check.metadata.items()}
    assert check.passed
    assert said["version"] == store.manifests()[-1].version
    assert said["injected_faults"] > 10
    assert 0 < said["found"] <= said["injected_faults"]
    assert said["found_by_the_one_before"] > 0
    assert said["alarm_days_allowed"] == 4 * 0.5


def test_a_model_of_the_past_has_nothing_of_models_that_came_later(train, fill, store):
    fill("a", "b", days=49)
    train(until="2024-02-05")
    train()
    check = checked(train(until="2024-02-08", meters=["b"]))
    oldest, past, _ = (store.load(one.version).detectors for one in store.candidates())
    assert past["a"].until == oldest["a"].until
    # The last one has learned from the very weeks that the one of the past is examined on.
    _, other, _ = store.candidates()
    assert check.metadata["version"].value == other.version
    assert check.metadata["found_by_the_one_before"].value > 0


@pytest.fixture
def unfit(monkeypatch):
    """Let the models that are trained from now on be worse than the one before."""
    from usage_platform.adapters import training

    worse = Examined(4, 2.0, 20, 1, 28, 3, 25)
    monkeypatch.setattr(training, "examine", lambda *args: worse)


def test_a_model_that_is_not_fit_is_kept_but_not_put_in_force(train, fill, store, unfit):
    fill("m")
    train(until="2024-02-26")
    result = train()
    assert result.success
    check = checked(result)
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert told(result)["promoted"] == 0
    assert ends(store.candidates()) == ["02-26 00:00", "03-04 00:00"]
    assert ends(store.manifests()) == ["02-26 00:00"]


def test_one_that_is_not_fit_is_put_in_force_if_that_is_asked_for(train, fill, store, unfit):
    fill("m")
    train(until="2024-02-26")
    result = train(promote_anyway=True)
    assert not checked(result).passed
    assert told(result)["promoted"] == 1
    assert ends(store.manifests()) == ["02-26 00:00", "03-04 00:00"]


def test_one_that_is_not_fit_is_not_due_again(train, fill, store, unfit):
    fill("m")
    train(due=True)
    assert len(store.manifests()) < len(store.candidates()) == 10
    assert "is there" in why_not(train, due=True)


def test_after_a_kill_between_two_models_the_rest_is_due_again(
    train, fill, store, platform, monkeypatch
):
    fill("m", days=29)
    save = type(store).save
    saved = []

    def save_two(self, model):
        if len(saved) == 2:
            raise KeyboardInterrupt
        saved.append(model.manifest.version)
        return save(self, model)

    with monkeypatch.context() as patch:
        patch.setattr(type(store), "save", save_two)
        with pytest.raises(BaseException):  # noqa: B017 - Dagster wraps what ends a run
            train(due=True)
    # What is there is in force: the stream waits at the next one's time, which is due.
    assert [one.version for one in store.manifests()] == saved
    assert [one.version for one in store.candidates()] == saved
    assert [str(day) for day in model_assets.due_now(platform.deployment)] == [
        "2024-01-08",
        "2024-01-15",
        "2024-01-22",
        "2024-01-29",
    ]
    train(due=True)
    assert store.manifests() == store.candidates()
    assert len(store.manifests()) == 6


def test_before_there_are_readings_nothing_is_due(platform):
    assert model_assets.due_now(platform.deployment) == []


def test_before_there_are_readings_training_is_one_line(train):
    assert why_not(train).startswith("readings: the table is empty")
    assert why_not(train, until="2024-02-05").startswith("readings: no such table yet")


@pytest.mark.parametrize(
    ("config", "line"),
    [
        ({"until": "yesterday"}, "until: expected a day like 2024-03-05, got 'yesterday'"),
        ({"method": "magic"}, "method: expected one of forest, robust_z, blog, got 'magic'"),
        ({"false_alarms_per_week": 9.0}, "expected false alarms a week above 0 and below 7"),
        ({"meters": ["m", "n"]}, "readings: nothing of n in the history"),
    ],
)
def test_a_config_that_cannot_be_used_is_one_line(train, fill, store, config, line):
    fill("m", days=3)
    assert line in why_not(train, **config)
    assert store.candidates() == []


def test_closing_days_that_cannot_be_read_are_one_line(train, fill, tmp_path, monkeypatch):
    closed = tmp_path / "closed.txt"
    closed.write_text("2024-07-05\nthe fifth of July\n")
    monkeypatch.setenv("USAGE_CLOSED_DAYS", str(closed))
    fill("m", days=3)
    line = why_not(train)
    assert line.startswith("USAGE_CLOSED_DAYS=")
    assert "line 2 is 'the fifth of July'" in line
