"""The fleet: a row a meter and a row a group, up to date with the lake.

Belongs here: what is asked of the lake and how often, and the rows made of it. Not here: sums
(`fleet_sums`), what a row says (`core.fleet`), presenting it (`web`).
"""

import threading
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256

import pandas as pd

from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.lake.fleet_sums import Spans, episode_sums
from usage_platform.adapters.lake.reader import DayFiles, LakeReader
from usage_platform.adapters.lake.tables import ANOMALIES, USAGE_COST, USAGE_HOURLY
from usage_platform.adapters.stores.groups import GroupsStore, groups_in
from usage_platform.adapters.stores.models import ModelStore
from usage_platform.adapters.stores.reviews import ReviewStore
from usage_platform.core.feedback.reviews import states
from usage_platform.core.fleet.group_row import GroupRow
from usage_platform.core.fleet.groups import Groups
from usage_platform.core.fleet.meter_row import MeterRow, present
from usage_platform.core.meters import MeterRegistry
from usage_platform.core.readings.meter_hours import latest_begin
from usage_platform.core.time.units import NS_A_MINUTE
from usage_platform.services.fleet_costs import CostSums
from usage_platform.services.fleet_expected import ExpectedHours
from usage_platform.services.fleet_rows import (
    Episode,
    Known,
    group_rows,
    meter_rows,
    open_episodes,
)
from usage_platform.services.fleet_sums import HourSums, spans_until, sum_members

REFRESHED_EVERY_SECONDS = 5.0
"""The lake is asked for changes at most so often."""

CLOCK_STEP = 5 * NS_A_MINUTE
"""How often time alone may make a meter silent, ns."""

_NO_SUMS = pd.DataFrame()


@dataclass(frozen=True, eq=False)
class Fleet:
    """All meters, and the groups that they form.

    Attributes:
        version: Changes whenever anything else here does.
        as_of: The present in the time of the readings, ns since 1970 UTC; None without a reading.
        newest: The newest reading of all meters, the same.
        meters: By name.
        groups: In the order of the file.
        groups_error: What is wrong with the file of groups, one line; empty if nothing is.
        hour_end: End of the spans of the figures, ns since 1970 UTC; None without a reading.
        areas: Floor area by meter, m², where one is known.
    """

    version: str = "empty"
    as_of: int | None = None
    newest: int | None = None
    meters: tuple[MeterRow, ...] = ()
    groups: tuple[GroupRow, ...] = ()
    groups_error: str = ""
    hour_end: int | None = None
    areas: Mapping[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True, eq=False)
class FleetSource:
    """Where the rows come from.

    Attributes:
        reader: The lake's tables.
        models: The models.
        registry: Gives the known meters.
        reviews: Reviews of episodes.
        groups: The file of groups.
        clock: Seconds of a monotonic clock.
        now: The time, ns since 1970 UTC.
    """

    reader: LakeReader
    models: ModelStore
    registry: Callable[[], MeterRegistry]
    reviews: ReviewStore
    groups: GroupsStore
    clock: Callable[[], float]
    now: Callable[[], int]


@dataclass(frozen=True)
class _Tables:
    """The files of the tables now."""

    hours: DayFiles
    anomalies: DayFiles
    costs: DayFiles

    @property
    def versions(self) -> tuple[int, int, int]:
        return self.hours.version, self.anomalies.version, self.costs.version


class FleetCache:
    """The fleet in memory, updated by a thread of its own.

    Args:
        source: Where the rows come from.
        patience_seconds: How long a request waits for newer rows before it gets the ones that are
            there; None to wait as long as it takes.
    """

    def __init__(self, source: FleetSource, patience_seconds: float | None = 0.1) -> None:
        self._source = source
        self._patience = patience_seconds
        self._lock = threading.Lock()
        self._worker = ThreadPoolExecutor(1, "fleet")
        self._refreshing: Future[None] | None = None
        self._expected = ExpectedHours(source.models.manifests, source.models.profiles)
        self._sums = HourSums(source.reader, self._expected)
        self._costs = CostSums(source.reader)
        self._silent: dict[str, int] = {}
        self._asked = -REFRESHED_EVERY_SECONDS
        self._fleet: Fleet | None = None

    def note_silence(self, meter: str, start: int) -> None:
        """Remember that a meter was reported as silent.

        Args:
            meter: Its name.
            start: The first interval without a reading, ns since 1970 UTC.
        """
        self._silent[meter] = max(start, self._silent.get(meter, start))

    def fleet(self) -> Fleet:
        """The fleet now, or a moment ago while newer rows are being made.

        Raises:
            LakeError: When the lake cannot be read.
        """
        with self._lock:
            now = self._source.clock()
            if self._refreshing is None and now - self._asked >= REFRESHED_EVERY_SECONDS:
                self._refreshing = self._worker.submit(self._refresh)
                self._asked = now
            refreshing, before = self._refreshing, self._fleet
        if refreshing is not None:
            wait([refreshing], None if before is None else self._patience)
            if refreshing.done():
                self._end(refreshing)
        return self._fleet or Fleet()

    def _end(self, refreshing: "Future[None]") -> None:
        with self._lock:
            if self._refreshing is refreshing:
                self._refreshing = None
                if refreshing.exception() is not None:
                    self._asked = -REFRESHED_EVERY_SECONDS
        refreshing.result()

    def _refresh(self) -> None:
        source = self._source
        tables = _Tables(
            *(source.reader.day_files(table) for table in (USAGE_HOURLY, ANOMALIES, USAGE_COST))
        )
        reviewed = {
            episode
            for episode, state in states(source.reviews.read()).items()
            if state.acknowledged_at is not None
        }
        registry, text = source.registry(), source.groups.text()
        models = [one.version for one in source.models.manifests()]
        seen = (tables.versions, sorted(reviewed), registry, text, models)
        clock = source.now() // CLOCK_STEP, sorted(self._silent.copy().items())
        version = sha256(repr((seen, clock)).encode()).hexdigest()[:16]
        if self._fleet is None or version != self._fleet.version:
            self._fleet = self._built(version, tables, reviewed, registry, text)

    def _built(
        self,
        version: str,
        tables: _Tables,
        reviewed: set[Episode],
        registry: MeterRegistry,
        text: str,
    ) -> Fleet:
        hours, source = tables.hours, self._source
        hour_end = _hour_end(source.reader, hours, registry)
        # A group is a meter to the tables; beside its meters it would count twice.
        meters = {*registry.known} - registry.groups
        if hour_end is None:
            groups, error = self._groups(text, meters, registry)
            known = Known(registry, groups, {}, {}, frozenset(), {}, 0)
            rows = meter_rows(meters, None, known)
            shown = group_rows(groups, _NO_SUMS, registry.groups)
            return Fleet(version, None, None, rows, shown, error)
        spans = spans_until(hour_end)
        # A meter of the groups is unknown until it has sent: the names come from the sums before.
        before = () if self._fleet is None else self._fleet.meters
        names = meters | {row.name for row in before}
        groups, error = self._groups(text, names, registry)
        sums = self._sums.follow(hours, sum_members(groups.groups, registry), spans)
        seen = {*map(str, sums.meters.index)} - registry.groups
        if text and not names.issuperset(seen):
            groups, error = self._groups(text, names | seen, registry)
            sums = self._sums.follow(hours, sum_members(groups.groups, registry), spans)
        newest = int(sums.meters["newest"].max())
        episodes = _episodes(source.reader, tables.anomalies, spans)
        as_of = present(source.now(), newest)
        known = Known(
            registry,
            groups,
            open_episodes(episodes, reviewed),
            self._silent.copy(),
            self._expected.meters,
            self._costs.follow(tables.costs, tables.anomalies, spans, reviewed),
            as_of,
        )
        rows = meter_rows(meters, sums, known)
        shown = group_rows(groups, sums.groups, registry.groups)
        areas = groups.areas or {}
        return Fleet(version, as_of, newest, rows, shown, error, hour_end.value, areas)

    def _groups(
        self, text: str, meters: Collection[str], registry: MeterRegistry
    ) -> tuple[Groups, str]:
        """The groups, or none and what is wrong with their file."""
        try:
            return groups_in(text, self._source.groups.place, meters, registry), ""
        except LakeError as error:
            return Groups(), str(error)


def _hour_end(reader: LakeReader, hours: DayFiles, registry: MeterRegistry) -> pd.Timestamp | None:
    """The end of the newest hour of which a meter has all readings, UTC; None without an hour.

    Hours count by the hour of UTC in which they begin. Where the clock of a meter is half an hour
    off, it is the last one in which all of them begin that are over with that newest hour.

    The hour that is going on is whole for none: it would leave each group incomplete. Only the two
    newest days are looked at; without a whole hour there, the newest one counts.
    """
    if not hours.files:
        return None
    newest = max(hours.files)
    columns = ["start", "n", "expected_n"]
    rows = reader.rows(USAGE_HOURLY, columns, newest - timedelta(days=1), newest)
    whole = rows.loc[rows["n"] >= rows["expected_n"], "start"]
    at = (whole if len(whole) else rows["start"]).max()
    if pd.isna(at):
        return None
    end = at + pd.Timedelta(hours=1)
    return (end - pd.Timedelta(latest_begin(registry, at.floor("h").value), "ns")).floor("h")


def _episodes(reader: LakeReader, anomalies: DayFiles, spans: Spans) -> pd.DataFrame:
    if not anomalies.files:
        return pd.DataFrame(columns=["meter", "episode", "excess_kwh"])
    return episode_sums(reader, spans.week_start, max(anomalies.files))
