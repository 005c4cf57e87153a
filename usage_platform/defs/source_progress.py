"""Progress reports of loading and playing the source.

Belongs here: how often progress is reported, and its text. Not here: loading and playing
(`adapters.sources`, `services.play`), or what is reported at the end alone (`source_assets`).
"""

import time
from collections.abc import Mapping

import dagster as dg

from usage_platform.adapters.kafka.topics import KafkaSettings, KafkaUnreachableError, end_offsets
from usage_platform.services.play import PlaybackProgress

_LINE_SECONDS = 10.0
_MATERIALIZATION_SECONDS = 60.0


class _Rhythm:
    """Whether an interval has passed since the start, or since it last had."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._last = time.monotonic()

    def is_due(self) -> bool:
        now = time.monotonic()
        if now - self._last < self._seconds:
            return False
        self._last = now
        return True


class LoadingReport:
    """Logs how many rows of a source have been read, every few seconds."""

    def __init__(self, context: dg.AssetExecutionContext) -> None:
        self._context = context
        self._lines = _Rhythm(_LINE_SECONDS)

    def __call__(self, done: int, total: int | None) -> None:
        """Report if it is due.

        Args:
            done: Rows read so far.
            total: Rows there will be, None while that is not known.
        """
        if self._lines.is_due():
            of = "" if total is None else f" of {total:,}"
            self._context.log.info(f"read {done:,}{of} rows")


class PlaybackReport:
    """Reports a playback's progress: a log line every few seconds, a materialization a minute.

    Args:
        context: The run of the asset that is played.
        kafka: Where it is played to.
    """

    def __init__(self, context: dg.AssetExecutionContext, kafka: KafkaSettings) -> None:
        self._context = context
        self._kafka = kafka
        self._lines = _Rhythm(_LINE_SECONDS)
        self._materializations = _Rhythm(_MATERIALIZATION_SECONDS)

    def __call__(self, progress: PlaybackProgress) -> None:
        """Report if it is due."""
        if self._lines.is_due():
            share = progress.sent / max(progress.total, 1)
            self._context.log.info(
                f"played {progress.sent:,} of {progress.total:,} readings ({share:.0%}), "
                f"event time {progress.event_time}"
            )
        if self._materializations.is_due():
            self._materialize(progress)

    def _materialize(self, progress: PlaybackProgress) -> None:
        try:
            offsets = end_offsets(self._kafka, "usage")
        except KafkaUnreachableError:
            # Playback waits for a broker that is down; a report must not end it.
            return
        metadata = playback_metadata(progress, offsets)
        self._context.log_event(dg.AssetMaterialization(self._context.asset_key, metadata=metadata))


def playback_metadata(
    progress: PlaybackProgress, offsets: Mapping[int, tuple[int, int]]
) -> dict[str, int | float | str | dict[str, int]]:
    """A playback's progress as metadata of the asset `usage`.

    Args:
        progress: How far it is.
        offsets: First offset and end of each partition of the topic.
    """
    seconds = max(progress.seconds, 1e-3)
    return {
        "readings_played": progress.sent,
        "readings_per_second": round(progress.sent / seconds, 1),
        "seconds": round(seconds, 2),
        "end_offsets": {str(p): end for p, (_, end) in offsets.items()},
        "event_time": str(progress.event_time or "nothing left to play"),
    }
