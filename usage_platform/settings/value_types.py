"""The types of the settings: each validates one value.

Belongs here: the valid form of a value, and the error text for an invalid one. Not here: which
settings there are, and rules across several of them (`settings`).
"""

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from usage_platform.core.measurement import Quantity, Stamp, Unit
from usage_platform.core.meter_files.dialect import DELIMITERS
from usage_platform.core.meter_files.time_forms import given_form
from usage_platform.core.meters import Meter
from usage_platform.core.samples.topic_filter import TopicFilter
from usage_platform.core.time.calendar import calendar_named
from usage_platform.settings.cron import valid_cron

NO_COLUMN = "-"
GENERATED_SITE = "generated-site"
"""Three generated buildings with sub-meters, in place of the meters of `generated`."""

NOT_FILES = ("generated", GENERATED_SITE, "ckan")
_BROKER = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^\s:/,\[\]]+):(\d{1,5})")
_S3 = re.compile(r"s3://[^/\s]+(/.*)?")
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
_MOST_PORT = 65535


def _folder(value: Path) -> Path:
    if value.exists() and not value.is_dir():
        raise ValueError("is a file; expected a folder")
    return value


def _lake(value: str) -> str:
    if "://" in value and not _S3.fullmatch(value):
        raise ValueError("expected a folder or s3://bucket/prefix")
    if "://" not in value and Path(value).is_file():
        raise ValueError("is a file; expected a folder or s3://bucket/prefix")
    return value


def _brokers(value: str) -> str:
    for broker in value.split(",") if value else []:
        found = _BROKER.fullmatch(broker.strip())
        if not found or not 1 <= int(found[2]) <= _MOST_PORT:
            raise ValueError(
                f"expected host:port, or several separated by commas; got {broker.strip()!r}"
            )
    return value


def _certificates(value: Path) -> Path:
    if not value.is_file():
        raise ValueError("no such file; expected a PEM file of CA certificates")
    return value


def _spark_remote(value: str) -> str:
    expected = ValueError("expected a Spark Connect URL such as sc://127.0.0.1:15002")
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        raise expected from None
    if value and (parts.scheme != "sc" or not parts.hostname):
        raise expected
    return value


def _host(value: str) -> str:
    if value and not _HOST.fullmatch(value):
        raise ValueError("expected a host name in lower case, without a port")
    return value


def _source(value: str) -> str:
    """Paths become absolute: Dagster's processes run in another folder."""
    if not value:
        raise ValueError(
            f"expected generated, {GENERATED_SITE}, ckan, or the path or glob pattern of files"
        )
    if value in NOT_FILES:
        return value
    paths = [path for path in value.split("\n") if path]
    return "\n".join(str(Path(path).expanduser().absolute()) for path in paths)


def _delimiter(value: str) -> str:
    found = {name: sign for sign, name in DELIMITERS.items()}.get(value, value)
    if len(found) > 1:
        raise ValueError(f"expected one character, or {', '.join(DELIMITERS.values())}")
    return found


def _time_format(value: str) -> str:
    if value:
        given_form(value)
    return value


def _one_of(words: type[StrEnum]) -> AfterValidator:
    expected = ", ".join(words)
    by_name = {word.lower(): word.value for word in words}

    def check(value: str) -> str:
        if value and value.lower() not in by_name:
            raise ValueError(f"expected one of {expected}")
        return by_name[value.lower()] if value else value

    return AfterValidator(check)


def _holidays(value: str) -> str:
    calendar_named(value)
    return value


def names_of(value: str) -> frozenset[str]:
    """The names of meters in a text that separates them by commas."""
    return frozenset(name.strip() for name in value.split(",")) if value else frozenset()


def _meter_names(value: str) -> str:
    for name in names_of(value):
        Meter(name)
    return value


def _code_folder(value: str) -> str:
    # It becomes a parameter of spark-submit, whose parameters are separated by spaces.
    if value and (" " in value or not _S3.fullmatch(value)):
        raise ValueError("expected s3://bucket/prefix without spaces")
    return value.rstrip("/")


def _mqtt_filter(value: str) -> str:
    return TopicFilter(value).text if value else value


def _matching(pattern: str, expected: str) -> AfterValidator:
    def check(value: str) -> str:
        if value and not re.fullmatch(pattern, value):
            raise ValueError(f"expected {expected}")
        return value

    return AfterValidator(check)


Folder = Annotated[Path, AfterValidator(_folder)]
Lake = Annotated[str, AfterValidator(_lake)]
Brokers = Annotated[str, AfterValidator(_brokers)]
Certificates = Annotated[Path, AfterValidator(_certificates)]
SparkRemote = Annotated[str, AfterValidator(_spark_remote)]
HostName = Annotated[str, AfterValidator(_host)]
Port = Annotated[int, Field(ge=1, le=_MOST_PORT)]
Source = Annotated[str, AfterValidator(_source)]
MeterName = Annotated[str, AfterValidator(lambda value: Meter(value).name)]
MeterNames = Annotated[str, AfterValidator(_meter_names)]
Timezone = Annotated[str, AfterValidator(lambda value: Meter(timezone=value).timezone)]
IntervalMinutes = Annotated[
    int, AfterValidator(lambda value: Meter(interval_minutes=value).interval_minutes)
]
OptionalQuantity = Annotated[str, _one_of(Quantity)]
OptionalUnit = Annotated[str, _one_of(Unit)]
OptionalStamp = Annotated[str, _one_of(Stamp)]
Delimiter = Annotated[str, AfterValidator(_delimiter)]
Decimal = Annotated[str, _matching("[.,]", "a point or a comma")]
TimeFormat = Annotated[str, AfterValidator(_time_format)]
MqttFilter = Annotated[str, AfterValidator(_mqtt_filter)]
Accelerator = Annotated[
    float, BeforeValidator(lambda value: "inf" if value == "max" else value), Field(gt=0)
]
Holidays = Annotated[str, AfterValidator(_holidays)]
Cron = Annotated[str, AfterValidator(valid_cron)]
EmrApplication = Annotated[str, _matching(r"[0-9a-z]+", "the id of an EMR Serverless application")]
RoleArn = Annotated[
    str,
    _matching(
        r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+",
        "a role such as arn:aws:iam::123456789012:role/usage-platform-emr-job",
    ),
]
CodeFolder = Annotated[str, AfterValidator(_code_folder)]
LogGroup = Annotated[str, _matching(r"[\w./#-]+", "the name of a CloudWatch log group")]
