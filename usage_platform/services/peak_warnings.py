"""Peak warnings: one examination a meter and day; they end with a new peak or with the day.

Belongs here: which meters and days are due, and in what order things are published and recorded.
Not here: the rule (`core.forecast.peak_warning`), transactions (`peak_publisher`), when it runs
(`defs`).

A day is examined when it has begun and the readings before it are there, and only while it goes on:
history that is loaded warns nobody. What is published is on the topic first and in the record
later. A run that is killed in between finds it on the topic and does not publish it again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd

from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.snapshots import newest_by_meter
from usage_platform.adapters.lake.tables import READINGS
from usage_platform.adapters.stores.peak_record import PeakRecord, PeakRecords
from usage_platform.core.anomalies.episode_messages import EpisodeEvent, EpisodeStatus
from usage_platform.core.anomalies.peak_messages import (
    closed_warning,
    opened_warning,
    parse_warning,
)
from usage_platform.core.forecast.day_ahead import HISTORY_DAYS
from usage_platform.core.forecast.peak_warning import peak_warning
from usage_platform.core.load.month import Month
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.readings.series import ReadingHistory, Series
from usage_platform.core.tariffs.bill import readings_from
from usage_platform.core.tariffs.book import TariffBook
from usage_platform.core.time.calendar import Calendar
from usage_platform.core.time.local_time import local_day_bounds
from usage_platform.core.time.units import NS_A_MINUTE, NS_AN_HOUR
from usage_platform.services.peak_publisher import PeakPublisher

METERS_AT_ONCE = 20
"""Whose readings of eleven months are in memory at once: 40 MB at five minutes."""

RECORDED_AT_ONCE = 200
"""After so many meters what was found is published and recorded: a kill repeats no more of them."""

_WAITED = 3 * NS_AN_HOUR
_COLUMNS = ["meter", "event_time", "value"]
_A_DAY = timedelta(days=1)


@dataclass(frozen=True, eq=False)
class PeakInputs:
    """What warnings are made from.

    Attributes:
        reader: The lake's tables.
        registry: The known meters.
        calendar: The rest days.
        book: The tariffs.
    """

    reader: LakeReader
    registry: MeterRegistry
    calendar: Calendar
    book: TariffBook


@dataclass
class PeakSummary:
    """What a run has done.

    Attributes:
        examined: Meters whose day was examined.
        opened: Warnings that were published.
        closed: Warnings that were ended.
        failed: Why a meter could not be examined, by meter.
    """

    examined: int
    opened: int
    closed: int
    failed: dict[str, str]


def publish_peak_warnings(
    inputs: PeakInputs,
    publisher: PeakPublisher,
    records: PeakRecords,
    as_of: int,
    progress: Callable[[str], None],
) -> PeakSummary:
    """End the warnings that are over, and warn of the days that have begun.

    Args:
        inputs: What warnings are made from.
        publisher: Has taken over the publishing of warnings.
        records: Where it is kept what was published and examined.
        as_of: The present in the time of the readings, ns since 1970 UTC.
        progress: Called with a line after some meters.

    Raises:
        LakeError: When the lake cannot be read, or the record not be written.
        PeakFencedError: When another run has taken over.
        KafkaException: When the broker refuses; nothing is lost or published twice.
    """
    record = records.read()
    for message in publisher.new_messages(record):
        _keep(record, message.value())
    run = _Run(inputs, record, as_of)
    done = PeakSummary(0, 0, 0, {})

    def publish(events: list[EpisodeEvent]) -> None:
        publisher.publish(events)
        for event in events:
            _keep(record, event.value)
        records.write(record)

    ended = run.ended()
    publish(ended)
    done.closed = len(ended)
    due = run.due_meters()
    waiting: list[EpisodeEvent] = []
    for at in range(0, len(due), METERS_AT_ONCE):
        some = due[at : at + METERS_AT_ONCE]
        waiting += run.examine(some, done, progress)
        if (at + len(some)) % RECORDED_AT_ONCE == 0 or at + len(some) == len(due):
            publish(waiting)
            done.opened += len(waiting)
            waiting = []
            progress(f"{at + len(some):,} of {len(due):,} meters")
    return done


class _Run:
    """One run over all meters."""

    def __init__(self, inputs: PeakInputs, record: PeakRecord, as_of: int) -> None:
        self._inputs = inputs
        self._record = record
        self._as_of = as_of

    def ended(self) -> list[EpisodeEvent]:
        """The messages on warnings that are over."""
        opened = [
            one
            for _, warnings in sorted(self._record.warnings.items())
            for one in warnings.values()
            if one["status"] != EpisodeStatus.CLOSED
        ]
        found: list[EpisodeEvent] = []
        for at in range(0, len(opened), RECORDED_AT_ONCE):
            some = opened[at : at + RECORDED_AT_ONCE]
            spans = [(_instant(one["start"]), _instant(one["end"])) for one in some]
            names = sorted({one["meter"] for one in some})
            history = self._read(names, min(spans)[0], max(end for _, end in spans))
            for one, (start, end) in zip(some, spans, strict=True):
                meter = self._inputs.registry.get(one["meter"])
                day = history.of(meter.name).since(start).until(end)
                event = closed_warning(one, day, meter, is_over=self._as_of >= end + _WAITED)
                found += [] if event is None else [event]
        return found

    def due_meters(self) -> list[str]:
        """The meters of power whose day was not examined yet, sorted; those with recent readings.

        No tariff charges for the demand of others, such as water. A meter whose last readings
        before midnight have not come waits for them, for some hours.
        """
        newest = self._newest()
        return [
            name
            for name in sorted(newest)
            if self._inputs.registry.get(name).is_power
            and self._record.examined.get(name, date.min) < self._today(name)
            and self._is_ready(name, newest)
        ]

    def examine(
        self, names: Sequence[str], done: PeakSummary, progress: Callable[[str], None]
    ) -> list[EpisodeEvent]:
        """The messages on meters whose day has a warning; each is noted as examined."""
        inputs, record = self._inputs, self._record
        history = self._read(names, min(map(self._first_needed, names)), self._as_of)
        found: list[EpisodeEvent] = []
        for name in names:
            day, meter = self._today(name), inputs.registry.get(name)
            record.examined[name] = day
            try:
                event = self._warning(meter, day, history.of(name))
            except (LakeError, MemoryError):
                raise
            except Exception as error:
                # Whatever it is: the other meters get their warnings, and this one is named.
                done.failed[name] = f"{type(error).__name__}: {error}"
                progress(f"{name}: not examined: {done.failed[name]}")
                continue
            done.examined += 1
            if event is not None and event.episode not in record.warnings.get(name, {}):
                found.append(event)
        return found

    def _warning(self, meter: Meter, day: date, series: Series) -> EpisodeEvent | None:
        book, calendar = self._inputs.book, self._inputs.calendar
        warning = peak_warning(series, meter, calendar, day, book.money(meter.name))
        if warning is None:
            return None
        so_far = series.since(warning.start).until(self._as_of)
        if len(so_far.values) and so_far.values.max() > warning.peak_kw:
            return None  # It has happened: there is nothing left to be warned of.
        return opened_warning(warning, meter)

    def _newest(self) -> dict[str, int]:
        """By meter, the newest reading since the day before, ns since 1970 UTC."""
        last = pd.Timestamp(self._as_of, tz="UTC").date()
        newest: dict[str, int] = {}
        for day in (last - _A_DAY, last):
            by_meter = newest_by_meter(self._inputs.reader, READINGS, "event_time", day)
            newest |= {name: at.value for name, at in by_meter.items()}
        return newest

    def _is_ready(self, name: str, newest: dict[str, int]) -> bool:
        meter = self._inputs.registry.get(name)
        start = local_day_bounds(self._today(name), meter.timezone)[0].value
        last_before = start - meter.interval_minutes * NS_A_MINUTE
        return newest[name] >= last_before or self._as_of >= start + _WAITED

    def _today(self, name: str) -> date:
        zone = self._inputs.registry.get(name).zone
        return pd.Timestamp(self._as_of, tz="UTC").tz_convert(zone).date()

    def _first_needed(self, name: str) -> int:
        """The first instant whose readings the examination of a meter's day needs."""
        meter, tariff = self._inputs.registry.get(name), self._inputs.book.money(name)
        day = self._today(name)
        first = local_day_bounds(day - HISTORY_DAYS * _A_DAY, meter.timezone)[0].value
        if tariff is None:
            return first
        return min(first, readings_from(tariff, meter, Month(day.replace(day=1))).value)

    def _read(self, names: Sequence[str], first: int, end: int) -> ReadingHistory:
        since, until = (pd.Timestamp(at, tz="UTC").date() for at in (first, end))
        history = ReadingHistory()
        history.add(self._inputs.reader.rows(READINGS, _COLUMNS, since, until, names))
        return history


def _instant(text: str) -> int:
    return pd.Timestamp(text).value


def _keep(record: PeakRecord, value: bytes | None) -> None:
    """Keep a message of the topic `episode`, if it is on a warning."""
    message = parse_warning(value)
    if message is None:
        return
    known = record.warnings.setdefault(message["meter"], {})
    known[message["episode"]] = message
    newest = record.newest(message["meter"])
    for name, one in list(known.items()):
        if one["status"] == EpisodeStatus.CLOSED and one is not newest:
            del known[name]
