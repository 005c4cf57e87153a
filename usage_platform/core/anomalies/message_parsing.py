"""Messages of the topics `anomaly` and `episode`, as every reader of them takes them.

Belongs here: which messages are readable. Not here: writing them (`core.readings.messages`,
`episode_messages`), what a reader does with one that is not: it skips it and goes on.

Only the platform writes to these topics, but whoever reaches the broker can: one stray message must
not stop the scorer, the alerts, the page or `watch`. Readers look for fields by their names, so
that every field that one of them knows has its form here, also where only some messages have it.
"""

import json
import math
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from usage_platform.core.anomalies.anomaly import (
    ANOMALY_COLUMNS,
    NUMBERS,
    PUBLISHED,
    WITHDRAWN,
    no_anomalies,
)
from usage_platform.core.anomalies.episode_messages import EpisodeEvent, EpisodeStatus
from usage_platform.core.anomalies.episodes import opened_at
from usage_platform.core.meters import is_meter_name
from usage_platform.core.readings.reject_reasons import KEPT_BYTES
from usage_platform.core.readings.validation import REJECT_COLUMNS
from usage_platform.core.time.units import instants_of

MOST_BYTES = 20_000
"""No message that the platform writes has a tenth of it."""

_MOST_DIGITS = 18
"""Integers of more do not fit into 64 bits, or into a column beside fractions."""

_FIRST_YEAR, _LAST_YEAR = 1970, 2261


# As the platform writes times, with an offset; `fromisoformat` reads more.
_TIME = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-][0-2]\d:[0-5]\d)", re.ASCII
)


def _instant(text: str) -> str:
    # Pydantic turns the ValueError of a time that is none into its own.
    is_written_so = _TIME.fullmatch(text) is not None
    if not is_written_so or not _FIRST_YEAR <= datetime.fromisoformat(text).year <= _LAST_YEAR:
        raise ValueError(f"expected a time from {_FIRST_YEAR} to {_LAST_YEAR} with an offset")
    return text


def _name(text: str) -> str:
    if not is_meter_name(text):
        raise ValueError("expected the name of a meter")
    return text


Instant = Annotated[str, Field(max_length=40), AfterValidator(_instant)]
"""A time as the platform writes it, which pandas can hold."""

_Meter = Annotated[str, AfterValidator(_name)]


def _line(text: str) -> str:
    if not text.isprintable():
        raise ValueError("expected printable characters in one line")
    return text


_Line = Annotated[str, AfterValidator(_line)]
"""Text in one line: it becomes the subject of a mail, and a line on a terminal."""

_Id = Annotated[_Line, Field(min_length=1, max_length=100)]
_Kind = Annotated[_Line, Field(max_length=100)]
# Milliwatts of it fit into 64 bits, in which costs are added up; readings have at most 1e8 kW.
_Power = Annotated[float, Field(ge=-1e12, le=1e12)]
_Count = Annotated[int, Field(ge=0, le=2**31)]
_Severity = Literal["low", "medium", "high"]


class _Message(BaseModel):
    # Fields of a later version of the platform are kept.
    model_config = ConfigDict(strict=True, allow_inf_nan=False, extra="allow")


class _AnomalyMessage(_Message):
    """The fields that the first version of the platform did not write have defaults."""

    anomaly_id: _Id
    meter: _Meter
    ts: Instant
    usage: _Power | None
    score: float
    severity: _Severity
    status: Annotated[str, Field(pattern=f"^({PUBLISHED}|{WITHDRAWN})$")] = PUBLISHED
    expected: _Power | None = None
    expected_low: float | None = None
    expected_high: float | None = None
    excess_kwh: float | None = None
    z: float | None = None
    z_short: float | None = None
    z_week: float | None = None
    run: _Count = 0
    kind: _Kind = ""
    direction: _Line = ""
    episode: Instant | None = None
    explanation: _Line = ""
    model_version: _Line = ""


class _OfEpisode(_Message):
    """What all messages on an episode have, and what some have and nothing takes the place of."""

    event_id: _Id
    meter: _Meter
    episode: Instant
    at: Instant
    model_version: _Line | None = Field(None, exclude=True)
    cost: float | None = Field(None, exclude=True)
    currency: _Line | None = Field(None, exclude=True)
    outcome: _Line | None = Field(None, exclude=True)


class _WithdrawnEpisode(_OfEpisode):
    status: Literal[EpisodeStatus.WITHDRAWN]
    # The platform says nothing else of it; where it is said, readers look at it.
    start: Instant = Field("", exclude=True)
    end: Instant = Field("", exclude=True)
    kind: _Kind = Field("", exclude=True)
    severity: _Severity = Field("low", exclude=True)
    readings: _Count = Field(0, exclude=True)
    explanation: _Line = Field("", exclude=True)
    excess_kwh: float | None = Field(None, exclude=True)


class _EpisodeMessage(_OfEpisode):
    status: Literal[EpisodeStatus.OPENED, EpisodeStatus.UPDATED, EpisodeStatus.CLOSED]
    start: Instant
    end: Instant
    kind: _Kind
    severity: _Severity
    readings: _Count = 0
    explanation: _Line
    excess_kwh: float | None = None


_MODELS = (_AnomalyMessage, _EpisodeMessage, _WithdrawnEpisode)
_KNOWN_FIELDS = frozenset(name for model in _MODELS for name in model.model_fields)
_ANOMALY: TypeAdapter[_AnomalyMessage] = TypeAdapter(_AnomalyMessage)
_EPISODE: TypeAdapter[_WithdrawnEpisode | _EpisodeMessage] = TypeAdapter(
    Annotated[_WithdrawnEpisode | _EpisodeMessage, Field(discriminator="status")]
)


def parse_anomaly(value: bytes | None) -> dict[str, Any] | None:
    """A message of the topic `anomaly`, by field; None if it is not readable."""
    return _parsed(value, _ANOMALY)


def anomalies_from_messages(values: Iterable[bytes | None]) -> pd.DataFrame:
    """Rows (`ANOMALY_COLUMNS`) of the readable messages of the topic `anomaly`, in their order."""
    return anomaly_rows(
        [message for value in values if (message := parse_anomaly(value)) is not None]
    )


def anomaly_rows(messages: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Rows (`ANOMALY_COLUMNS`) of messages as from `parse_anomaly`, in their order."""
    if not messages:
        return no_anomalies()
    # Not whatever else they hold: each name would be a column of all rows.
    names = ("ts", *(name for name in ANOMALY_COLUMNS if name != "event_time"))
    rows = pd.DataFrame([{name: one[name] for name in names} for one in messages])
    rows["event_time"] = pd.to_datetime(rows.pop("ts"), utc=True, format="ISO8601").astype(
        "datetime64[ns, UTC]"
    )
    types = {**dict.fromkeys(NUMBERS, "float64"), "run": "int64"}
    # Messages of the first version of the platform name no episode: each is one of its own.
    alone = pd.Series(opened_at(instants_of(rows.loc[:, "event_time"])), rows.index)
    return rows.loc[:, ANOMALY_COLUMNS].fillna({"episode": alone}).astype(types)


def stray_rejects(messages: pd.DataFrame, reason: str) -> pd.DataFrame:
    """Rejects (`core.readings.validation.REJECT_COLUMNS`) of messages that are not readable.

    Args:
        messages: `core.readings.validation.RAW_COLUMNS`, and `size`, the bytes of each value.
        reason: The code of the reason.
    """
    rejects = messages.assign(
        reason=reason,
        detail=[f"{size:,} bytes: not a message of the platform" for size in messages["size"]],
        meter=None,
        key=messages["key"].map(lambda key: key[:KEPT_BYTES], na_action="ignore"),
        raw=messages["value"].map(lambda value: value[:KEPT_BYTES], na_action="ignore"),
    )
    return rejects.loc[:, REJECT_COLUMNS].reset_index(drop=True)


def parse_episode(value: bytes | None) -> dict[str, Any] | None:
    """A message of the topic `episode`, by field; None if it is not readable."""
    return _parsed(value, _EPISODE)


def parse_episode_event(value: bytes | None) -> EpisodeEvent | None:
    """A message of the topic `episode`; None if it is not readable."""
    message = parse_episode(value)
    if message is None or value is None:
        return None
    status = EpisodeStatus(message["status"])
    return EpisodeEvent(
        message["event_id"],
        message["meter"],
        message["episode"],
        status,
        value,
        pd.Timestamp(message["at"]).value,
        message.get("kind", ""),
    )


def _parsed(value: bytes | None, kind: "TypeAdapter[Any]") -> dict[str, Any] | None:
    if value is None or len(value) > MOST_BYTES:
        return None
    try:
        message: _Message = kind.validate_json(value)
        # First the fields as they were written, and in their order, which people see.
        written: dict[str, Any] = json.loads(
            value, parse_constant=_number, parse_float=_number, parse_int=_integer
        )
    except (ValidationError, ValueError, RecursionError):
        return None
    if not _KNOWN_FIELDS.intersection(written) <= type(message).model_fields.keys():
        return None  # It would be read as a message of the other topic.
    with_defaults = message.model_dump()
    return written | {name: with_defaults[name] for name in with_defaults if name not in written}


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("expected a finite number: JSON has no other")
    return number


def _integer(text: str) -> int:
    if len(text) > _MOST_DIGITS:
        raise ValueError(f"expected an integer of at most {_MOST_DIGITS} digits")
    return int(text)
