"""A small lake of an hourly meter for the page's server, and the page asked over HTTP."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from starlette.testclient import TestClient

from usage_platform.adapters.kafka.topics import KafkaSettings, KafkaUnreachableError
from usage_platform.adapters.lake.files import LakeFiles, save_meters
from usage_platform.adapters.lake.tables import Lake
from usage_platform.adapters.stores.models import ModelStore
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.settings.settings import Settings
from usage_platform.web.app import create_app
from usage_platform.web.source import PageSource
from usage_platform.wiring.platform import Platform
from usage_platform_tests.conftest import table_writer
from usage_platform_tests.core.detector.made_models import cut_forests, model, timeline_of
from usage_platform_tests.core.detector.series import library
from usage_platform_tests.web.made_lake import write_readings, write_what_follows

METER = Meter("m", "America/New_York", 60)
OTHER = Meter("<b>rome</b>", "Europe/Rome", 60)
DAYS = 80
"""From Monday 2024-01-01 to the local night of 2024-03-20, the clock change of March within."""

ODD_AT = {"2024-03-05T03:00": 1500.0, "2024-03-05T04:00": 1400.0, "2024-03-19T13:00": 10.0}
"""Local times and the odd power then: two episodes."""


def no_kafka() -> KafkaSettings:
    raise KafkaUnreachableError("no Kafka broker is configured")


def settings_of(lake: Lake) -> Settings:
    return Settings(
        data=Path(lake.root).parent, lake=lake.root, meter="m", interval_minutes=60, tariff=0.25
    )


@pytest.fixture(scope="session")
def readings() -> pd.DataFrame:
    """Eighty days of two meters, with three odd readings and a gap of five hours."""
    instants, values = library(days=DAYS)
    times = pd.DatetimeIndex(instants).tz_localize("UTC")
    own = pd.DataFrame({"meter": "m", "event_time": times, "value": values})
    for at, value in ODD_AT.items():
        own.loc[own["event_time"] == pd.Timestamp(at, tz=METER.zone), "value"] = value
    gap = pd.Timestamp("2024-03-12T09:00", tz=METER.zone)
    inside = (own["event_time"] >= gap) & (own["event_time"] < gap + pd.Timedelta(hours=5))
    other = own.assign(meter=OTHER.name, value=own["value"] / 10)
    return pd.concat([own[~inside], other.head(48)], ignore_index=True)


def fill(lake: Lake, readings: pd.DataFrame) -> None:
    """Put readings, what follows of them, and the model that judged them into a lake."""
    registry = MeterRegistry(METER).with_meters([METER, OTHER])
    save_meters(LakeFiles(lake.assets), registry)
    begin = pd.Timestamp("2024-02-01T05:00Z")
    judge = model("v1", begin, {"m": cut_forests(METER, 300.0, 1000.0)})
    store = ModelStore(LakeFiles(lake.models))
    store.save(judge)
    store.promote(["v1"])
    write_readings(lake, table_writer, readings)
    write_what_follows(lake, table_writer, readings, timeline_of(judge), registry)


@pytest.fixture(scope="session")
def made_once(readings, tmp_path_factory) -> Lake:
    """The small lake; not to be changed."""
    lake = Lake(str(tmp_path_factory.mktemp("page") / "lake"))
    fill(lake, readings)
    return lake


def client_of(lake: Lake, host: str = "") -> TestClient:
    source = PageSource.of(Platform(settings_of(lake)))
    return TestClient(create_app(source, no_kafka, host), base_url="http://127.0.0.1:8050")


@pytest.fixture(scope="session")
def page(made_once) -> TestClient:
    """The page on the small lake, for reading."""
    return client_of(made_once)


@pytest.fixture
def own_lake(made_once, tmp_path) -> Iterator[Lake]:
    """A copy of the small lake that a test may change."""
    root = tmp_path / "own" / "lake"
    shutil.copytree(made_once.root, root)
    return Lake(str(root))


@pytest.fixture
def empty_page(lake) -> TestClient:
    """The page on a lake without a table."""
    return client_of(lake)
