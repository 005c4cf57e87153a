"""The platform's settings: environment variables `USAGE_*`, typed, in one place.

Nothing else of the package reads the environment. `.env.example` says what each variable does.
"""

import os
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from usage_platform.core.detector.model import Method, Tuning
from usage_platform.core.meters import (
    DEFAULT_INTERVAL_MINUTES,
    DEFAULT_METER_NAME,
    DEFAULT_TIMEZONE,
    Meter,
)
from usage_platform.core.rest_days import calendar_named

PREFIX = "USAGE_"
NO_COLUMN = "-"
_NOT_FILES = ("generated", "ckan")
_CRON = re.compile(r"@[a-z]+|[\w*,/-]+( [\w*,/-]+){4}")


class SettingsError(ValueError):
    """A variable that cannot be used; one line that names it."""


class Settings(BaseModel):
    """What a deployment can choose; each field is the variable `USAGE_<FIELD>`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: Path = Path(".usage")
    jars: Path = Path(".usage/jars")
    lake: str = ""
    kafka_bootstrap: str = ""
    kafka_partitions: int = Field(1, ge=1, le=1000)
    kafka_replication: int = Field(1, ge=1, le=9)
    spark_remote: str = ""
    kafka_port: int = Field(9092, ge=1, le=65535)
    spark_port: int = Field(15002, ge=1, le=65535)
    ui_port: int = Field(3000, ge=1, le=65535)

    source: str = "generated"
    meter: str = DEFAULT_METER_NAME
    timezone: str = DEFAULT_TIMEZONE
    interval_minutes: int = DEFAULT_INTERVAL_MINUTES
    csv_time_column: str = "usage_datetime_start_eastern_time"
    csv_end_column: str = "usage_datetime_end_eastern_time"
    csv_value_column: str = "usage_kw"
    ckan_url: str = "https://data.boston.gov"
    ckan_dataset: str = "central-library-electricity-usage"
    generated_start: date = date(2024, 1, 1)
    generated_days: int = Field(84, ge=1, le=36_600)
    generated_meters: int = Field(1, ge=1, le=100_000)
    generated_seed: int = 1

    start_date: date | None = None
    accelerator: float = Field(1.0, gt=0)
    max_iterations: int | None = Field(None, ge=1)
    history_days: int = Field(28, ge=0)

    method: Method = Method.FOREST
    false_alarms_per_week: float = Field(0.5, gt=0, lt=7)
    least_share: float = Field(0.05, ge=0, lt=1)
    holidays: str = "US-MA"
    closed_days: Path | None = None
    retrain_cron: str = "0 3 * * 1"

    @field_validator("accelerator", mode="before")
    @classmethod
    def _max_is_as_fast_as_possible(cls, value: object) -> object:
        return "inf" if value == "max" else value

    @field_validator("source")
    @classmethod
    def _files_are_found_from_anywhere(cls, value: str) -> str:
        """Dagster's processes run in another folder than the command that started them."""
        return value if value in _NOT_FILES else str(Path(value).absolute())

    @field_validator("csv_end_column")
    @classmethod
    def _no_column_has_a_name(cls, value: str) -> str:
        """An empty variable would count as not set."""
        return value or NO_COLUMN

    @field_validator("holidays")
    @classmethod
    def _holidays_are_known(cls, value: str) -> str:
        calendar_named(value)
        return value

    @field_validator("retrain_cron")
    @classmethod
    def _cron_is_one(cls, value: str) -> str:
        if not _CRON.fullmatch(value):
            raise ValueError("expected five fields of cron such as 0 3 * * 1")
        return value

    @field_validator("spark_remote")
    @classmethod
    def _remote_is_spark_connect(cls, value: str) -> str:
        if value and urlsplit(value).scheme != "sc":
            raise ValueError("expected a Spark Connect URL such as sc://127.0.0.1:15002")
        return value

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None, **overrides: object) -> Self:
        """Read the settings.

        Args:
            env: The environment; the process's by default. Empty variables count as not set.
            overrides: Fields that win over the environment.

        Raises:
            SettingsError: In one line, naming the variable.
        """
        source = os.environ if env is None else env
        given: dict[str, object] = {
            key.removeprefix(PREFIX).lower(): value
            for key, value in source.items()
            if key.startswith(PREFIX) and value != ""
        }
        try:
            settings = cls.model_validate({**given, **overrides})
            _ = settings.default_meter
        except ValidationError as error:
            raise SettingsError(_one_line(error)) from None
        except ValueError as error:
            raise SettingsError(
                f"USAGE_METER, USAGE_TIMEZONE, USAGE_INTERVAL_MINUTES: {error}"
            ) from None
        return settings

    @property
    def data_dir(self) -> Path:
        """The data folder, absolute."""
        return self.data.absolute()

    @property
    def jars_dir(self) -> Path:
        """Where the jars of Kafka and Spark are; shared by all data folders."""
        return self.jars.absolute()

    @property
    def source_label(self) -> str:
        """The chosen source with the settings that change what it holds."""
        chosen = {
            "generated": (
                self.generated_start,
                self.generated_days,
                self.generated_meters,
                self.generated_seed,
            ),
            "ckan": (self.ckan_url, self.ckan_dataset, self.csv_time_column, self.csv_value_column),
        }.get(self.source, (self.csv_time_column, self.csv_end_column, self.csv_value_column))
        meter = (self.meter, self.timezone, self.interval_minutes)
        return " ".join(str(part) for part in (self.source, *chosen, *meter))

    @property
    def lake_root(self) -> str:
        """Where the lake is: a folder or `s3://bucket/prefix`."""
        if "://" in self.lake:
            return self.lake.rstrip("/")
        return str(Path(self.lake).absolute()) if self.lake else str(self.data_dir / "lake")

    @property
    def default_meter(self) -> Meter:
        """The meter of events that name none, and what is assumed of unknown ones."""
        return Meter(self.meter, self.timezone, self.interval_minutes)

    @property
    def tuning(self) -> Tuning:
        """The alarm budget."""
        return Tuning(self.false_alarms_per_week, self.least_share)

    def environment(self) -> dict[str, str]:
        """The settings as environment variables, for a child process in any folder."""
        values = self.model_dump() | {"data": self.data_dir, "jars": self.jars_dir}
        if self.lake:
            values["lake"] = self.lake_root
        if self.closed_days:
            values["closed_days"] = self.closed_days.absolute()
        values = {key: value for key, value in values.items() if value not in (None, "")}
        return {f"{PREFIX}{key.upper()}": str(value) for key, value in values.items()}


def _one_line(error: ValidationError) -> str:
    first = error.errors()[0]
    name = str(first["loc"][0]) if first["loc"] else "settings"
    if first["type"] == "extra_forbidden":
        return f"{PREFIX}{name.upper()}: no such setting; see .env.example for those there are"
    return f"{PREFIX}{name.upper()}={first['input']}: {first['msg']}"
