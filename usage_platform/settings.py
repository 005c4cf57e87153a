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
_CRON_NAMES = ("@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually")
_CRON_FIELD = re.compile(r"[\w*,/-]+")
# Of minute, hour, day of the month, month, day of the week.
_CRON_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_BROKER = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^\s:/,\[\]]+):(\d{1,5})")
_S3 = re.compile(r"s3://[^/\s]+(/.*)?")
_MOST_PORT = 65535
# pandas counts nanoseconds, which reach to 2262; a source may be a hundred years long.
_FIRST_DAY, _LAST_DAY = date(1970, 1, 1), date(2100, 12, 31)


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
    generated_start: date = Field(date(2024, 1, 1), ge=_FIRST_DAY, le=_LAST_DAY)
    generated_days: int = Field(84, ge=1, le=36_600)
    generated_meters: int = Field(1, ge=1, le=100_000)
    generated_seed: int = Field(1, ge=0)

    start_date: date | None = Field(None, ge=_FIRST_DAY, le=_LAST_DAY)
    accelerator: float = Field(1.0, gt=0)
    max_iterations: int | None = Field(None, ge=1)
    history_days: int = Field(28, ge=0)

    method: Method = Method.FOREST
    false_alarms_per_week: float = Field(0.5, gt=0, lt=7)
    least_share: float = Field(0.05, ge=0, lt=1)
    holidays: str = "US-MA"
    closed_days: Path | None = None
    retrain_cron: str = "0 3 * * 1"

    vacuum_hours: int = Field(168, ge=1)
    history_keep_days: int = Field(30, ge=1)

    @field_validator("accelerator", mode="before")
    @classmethod
    def _max_is_as_fast_as_possible(cls, value: object) -> object:
        return "inf" if value == "max" else value

    @field_validator("data", "jars")
    @classmethod
    def _folders_are_no_files(cls, value: Path) -> Path:
        if value.exists() and not value.is_dir():
            raise ValueError("is a file; expected a folder")
        return value

    @field_validator("lake")
    @classmethod
    def _lake_is_a_folder_or_on_s3(cls, value: str) -> str:
        if "://" in value and not _S3.fullmatch(value):
            raise ValueError("expected a folder or s3://bucket/prefix")
        if "://" not in value and Path(value).is_file():
            raise ValueError("is a file; expected a folder or s3://bucket/prefix")
        return value

    @field_validator("kafka_bootstrap")
    @classmethod
    def _brokers_have_ports(cls, value: str) -> str:
        for broker in value.split(",") if value else []:
            found = _BROKER.fullmatch(broker.strip())
            if not found or not 1 <= int(found[2]) <= _MOST_PORT:
                raise ValueError(f"expected host:port, several with commas; got {broker.strip()!r}")
        return value

    @field_validator("meter")
    @classmethod
    def _meter_has_a_name(cls, value: str) -> str:
        return Meter(value).name

    @field_validator("timezone")
    @classmethod
    def _timezone_is_known(cls, value: str) -> str:
        return Meter(timezone=value).timezone

    @field_validator("interval_minutes")
    @classmethod
    def _interval_divides_an_hour(cls, value: int) -> int:
        return Meter(interval_minutes=value).interval_minutes

    @field_validator("source")
    @classmethod
    def _files_are_found_from_anywhere(cls, value: str) -> str:
        """Dagster's processes run in another folder than the command that started them."""
        if not value:
            raise ValueError("expected generated, ckan, or CSV files as a path or a pattern")
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
        parts = value.split()
        fields_fit = len(parts) == len(_CRON_RANGES) and all(
            _CRON_FIELD.fullmatch(part)
            and all(low <= int(number) <= high for number in re.findall(r"(?<!/)\b\d+", part))
            for part, (low, high) in zip(parts, _CRON_RANGES, strict=True)
        )
        if value not in _CRON_NAMES and not fields_fit:
            raise ValueError("expected five fields of cron such as 0 3 * * 1")
        return value

    @field_validator("spark_remote")
    @classmethod
    def _remote_is_spark_connect(cls, value: str) -> str:
        expected = ValueError("expected a Spark Connect URL such as sc://127.0.0.1:15002")
        try:
            parts = urlsplit(value)
            _ = parts.port
        except ValueError:
            raise expected from None
        if value and (parts.scheme != "sc" or not parts.hostname):
            raise expected
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
            return cls.model_validate({**given, **overrides})
        except ValidationError as error:
            raise SettingsError(_one_line(error)) from None

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
    said = first["msg"].removeprefix("Value error, ")
    return f"{PREFIX}{name.upper()}={first['input']}: {said}"
