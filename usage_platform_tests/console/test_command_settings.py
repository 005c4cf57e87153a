"""What `demo` and `up` choose when nothing is said, and that anything said is kept."""

import math
from pathlib import Path

import pandas as pd
import pytest

from usage_platform.console.command_settings import demo_settings, up_settings
from usage_platform.core.meters import Meter
from usage_platform.core.readings.source import SourceReadings
from usage_platform.settings.settings import Settings, SettingsError
from usage_platform.wiring.platform import Platform

SAID = [
    {"source": "generated"},
    {"meter": "roof"},
    {"interval_minutes": "60"},
    {"timezone": "Europe/Rome"},
    {"generated_days": "35"},
    {"generated_meters": "1"},
    {"generated_start": "2024-02-01"},
    {"meters_allowed": "central-library"},
    {"lake": "elsewhere"},
]


def load(settings, label):
    times = pd.date_range("2024-01-01", periods=2, freq="5min", tz="UTC")
    frame = pd.DataFrame({"meter": "central-library", "ts": times, "value": 1.0})
    Platform(settings).source_cache.save(label, SourceReadings(frame, (Meter(),), (), 0), Meter())


def test_a_demo_generates_the_site_as_fast_as_possible_and_sends_no_alerts():
    settings = demo_settings(Settings.from_env({"USAGE_ALERT_WEBHOOK_URL": "https://host/path"}))
    assert settings.source == "generated-site"
    assert (settings.data, settings.accelerator) == (Path(".usage/demo"), math.inf)
    assert settings.alert_webhook_url.get_secret_value() == ""


def test_the_site_has_the_seed_that_is_given():
    settings = demo_settings(Settings.from_env({}, generated_seed=7, accelerator=10))
    assert (settings.source, settings.generated_seed) == ("generated-site", 7)
    assert settings.accelerator == 10


@pytest.mark.parametrize("said", SAID, ids=lambda said: next(iter(said)))
@pytest.mark.parametrize("command", [demo_settings, up_settings])
def test_what_is_said_of_the_source_is_read(command, said, tmp_path):
    settings = command(Settings.from_env({}, data=tmp_path, **said))
    assert settings.source == "generated"
    assert settings.history_days == 28


def test_up_plays_the_site_where_there_is_nothing_and_goes_on_with_it(tmp_path):
    chosen = Settings.from_env({}, data=tmp_path)
    settings = up_settings(chosen)
    assert (settings.source, settings.accelerator) == ("generated-site", 300)
    # All but the last four weeks is history.
    assert settings.history_days == 364
    load(settings, settings.source_label)
    assert up_settings(chosen) == settings


def test_up_goes_on_with_the_one_generated_meter(tmp_path):
    chosen = Settings.from_env({}, data=tmp_path)
    load(chosen, chosen.source_label)
    assert up_settings(chosen).source == "generated"


def test_up_generates_nothing_into_readings_of_a_source_that_is_not_named_again(tmp_path):
    named = Settings.from_env({}, data=tmp_path, source=str(tmp_path / "own.csv"))
    load(named, named.source_label)
    assert up_settings(named).source == named.source
    with pytest.raises(SettingsError, match=r"^[^\n]+own\.csv[^\n]+--csv FILE[^\n]+--data$"):
        up_settings(Settings.from_env({}, data=tmp_path))
