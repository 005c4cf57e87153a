"""The known meters of a platform: of sources, of the settings, and what people say of them."""

import json

import pandas as pd
import pytest

from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.lake.files import save_meters
from usage_platform.adapters.sources.generated import GeneratedSource
from usage_platform.core.measurement import Sign
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.readings.validation import RAW_COLUMNS, validate_events
from usage_platform.settings.settings import Settings
from usage_platform.wiring.platform import Platform

FILE = """
meters:
  - {name: roof, sign: net, interval: 15, timezone: Europe/Rome}
  - {name: central-library, timezone: Asia/Kolkata}
"""


@pytest.fixture
def platform(tmp_path):
    deployment = Platform(Settings.from_env({}, data=tmp_path))
    deployment.assets.write_text("meters.yaml", FILE)
    return deployment


def another(platform, **settings):
    """As another process would see the same lake."""
    return Platform(platform.settings.model_copy(update=settings))


def test_people_go_before_sources_and_settings(platform):
    source = MeterRegistry().with_meters([Meter("roof", "UTC", 30), Meter("hall", "UTC", 30)])
    save_meters(platform.assets, source)
    found = platform.registry()
    assert found.get("roof") == Meter("roof", "Europe/Rome", 15, Sign.NET)
    assert found.get("hall") == Meter("hall", "UTC", 30)
    assert platform.default_meter() == Meter(timezone="Asia/Kolkata")
    assert found.get("unknown").timezone == "America/New_York"


def test_a_net_meter_of_a_source_stays_one(platform):
    save_meters(platform.assets, MeterRegistry().with_meters([Meter("hall", sign=Sign.NET)]))
    assert json.loads(platform.assets.read_text("meters.json"))[0]["sign"] == "net"
    assert another(platform).registry().get("hall").is_net


def test_events_below_0_are_readings_of_the_meters_that_people_call_net(platform):
    values = [
        json.dumps({"meter": name, "ts": "2024-03-05T13:00:00Z", "value": -2.5}).encode()
        for name in ("roof", "hall")
    ]
    now = pd.Timestamp("2024-03-05T13:15Z")
    rows = [("usage", 0, offset, now, None, value) for offset, value in enumerate(values)]
    batch = validate_events(pd.DataFrame(rows, columns=RAW_COLUMNS), platform.registry())
    assert batch.readings[["meter", "value"]].values.tolist() == [["roof", -2.5]]
    assert batch.rejects[["meter", "reason"]].values.tolist() == [["hall", "negative"]]
    assert "--sign net" in batch.rejects["detail"].item()


def test_an_invalid_file_is_one_line_wherever_meters_are_needed(platform):
    platform.assets.write_text("meters.yaml", FILE.replace("15", "7"))
    for needs in (platform.registry, platform.default_meter, platform.reading_source):
        with pytest.raises(LakeError, match=r"meters\.yaml: meter roof: interval: expected min"):
            needs()


def test_while_the_file_has_a_mistake_the_last_content_applies_wherever_meters_are_needed(platform):
    expected = platform.registry()
    platform.assets.write_text("meters.yaml", FILE.replace("15", "7"))
    later = another(platform)
    assert later.registry() == platform.registry() == expected
    assert later.default_meter() == Meter(timezone="Asia/Kolkata")
    assert later.playback_plan().identity == platform.playback_plan().identity
    assert isinstance(later.reading_source(), GeneratedSource)
    assert "meters.yaml: meter roof: interval: expected min" in later.meters_notice()
    platform.assets.write_text("meters.yaml", FILE.replace("15", "30"))
    assert later.registry().get("roof").interval_minutes == 30
    assert later.meters_notice() == ""


def test_a_setting_that_contradicts_the_file_is_one_line(platform):
    other = another(platform, timezone="Europe/Rome")
    for needs in (other.registry, other.default_meter, other.reading_source):
        with pytest.raises(LakeError, match=r"meters\.yaml: meter central-library: timezone: the"):
            needs()


def test_generated_meters_are_as_people_describe_them(platform):
    source = another(platform, meter="roof", generated_meters=2).reading_source()
    assert isinstance(source, GeneratedSource)
    assert source.meters == (
        Meter("roof", "Europe/Rome", 15, Sign.NET),
        Meter("roof-2"),
    )
