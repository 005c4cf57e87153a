"""The alerts that each sink was sent, and those that wait for it, in files of the lake's `assets/`.

Belongs here: reading and writing it, whole. Not here: what is due by it (`core.alerts`).
"""

import json
from collections.abc import Mapping
from dataclasses import asdict

from pydantic import BaseModel, TypeAdapter, ValidationError

from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.core.alerts.alert import AlertState, Standing
from usage_platform.core.alerts.alert_queue import AlertQueue, Waiting
from usage_platform.core.alerts.storms import Storm

_RouteFields = tuple[AlertState, int, str, float, str, str]
_Fields = tuple[AlertState, int, str, float, str]
_FormerFields = tuple[AlertState, int]


class Failing(BaseModel):
    """The alert that a sink does not take at the moment.

    Attributes:
        key: Its key.
        tries: How often it was tried.
        next_try: When it is tried again, seconds since 1970.
    """

    key: str
    tries: int
    next_try: float


class Position(BaseModel):
    """Up to where the topic `episode` was routed for a target.

    Attributes:
        topic: The topic's id.
        offsets: One past the last offset by partition.
    """

    topic: str = ""
    offsets: dict[int, int] = {}


class Record(BaseModel):
    """What is kept of one sink.

    Attributes:
        told: By `meter/episode`, the one reported last at the end: the fields of `Standing` in
            their order, the route only if there is one; former versions wrote the first two only.
        storms: The storms by key.
        failing: What is tried again, if anything is.
        waiting: The alerts that routes have queued.
        more: The number of alerts beyond the queue's limits, by when they are due.
        routed: The messages that are in it already.
    """

    told: dict[str, _RouteFields | _Fields | _FormerFields] = {}
    storms: dict[str, Storm] = {}
    failing: Failing | None = None
    waiting: list[Waiting] = []
    more: dict[float, int] = {}
    routed: Position = Position()

    @property
    def standings(self) -> dict[str, Standing]:
        """The last report of each episode."""
        return {name: _standing(fields) for name, fields in self.told.items()}


def _standing(fields: _RouteFields | _Fields | _FormerFields) -> Standing:
    match fields:
        case (state, times):
            return Standing(state, times)
        case (state, times, kind, at, storm):
            return Standing(state, times, kind, at, storm)
        case (state, times, kind, at, storm, route):
            return Standing(state, times, kind, at, storm, route)


def _fields(one: Standing) -> tuple[str | int | float, ...]:
    fields = (one.state.value, one.times, one.kind, one.at, one.storm)
    # Versions without routes read the record of a platform that uses none.
    return (*fields, one.route) if one.route else fields


_RECORD = TypeAdapter(Record)


def _waiting(one: Waiting) -> dict[str, object]:
    # As `asdict` does, but without a copy of each message: a queue is written for each alert.
    alert = {**vars(one.alert), "standing": vars(one.alert.standing)}
    return {**vars(one), "alert": alert}


class AlertRecord:
    """The record of one sink."""

    def __init__(self, assets: LakeFiles, sink: str) -> None:
        self._assets = assets
        self._file = f"alerts/{sink}.json"
        self._topic_file = f"alerts/{sink}.topic"

    def read(self) -> Record:
        """What is kept; nothing before the first alert.

        Raises:
            LakeError: When the file is damaged or cannot be read.
        """
        found = self._assets.read_json(self._file)
        try:
            return Record() if found is None else _RECORD.validate_python(found)
        except ValidationError as error:
            raise self._assets.damaged(self._file, error) from None

    def write(
        self,
        standings: Mapping[str, Standing],
        storms: Mapping[str, Storm],
        failing: Failing | None,
        queue: AlertQueue | None = None,
        routed: Position | None = None,
    ) -> None:
        """Replace what is kept, all or nothing; the last two are those of routes."""
        kept = {
            "told": {name: _fields(one) for name, one in standings.items()},
            "storms": {key: asdict(storm) for key, storm in storms.items()},
            "failing": failing.model_dump() if failing else None,
        }
        if queue is not None and routed is not None:
            kept["waiting"] = [_waiting(one) for one in queue.entries]
            kept["more"] = queue.more
            kept["routed"] = routed.model_dump()
        self._assets.write_text(self._file, json.dumps(kept))

    def topic_id(self) -> str:
        """The id of the topic that the sink's offsets are of; empty where none is known."""
        return self._assets.read_text(self._topic_file) or ""

    def keep_topic_id(self, topic_id: str) -> None:
        """Replace the id of the topic, all or nothing."""
        self._assets.write_text(self._topic_file, topic_id)
