"""What loading and playing the source say while they go on.

Belongs here: how often something is said, and in which words. Not here: what a source or a playback
does (`adapters`), or what is said of it at its end alone (`source_assets`).
"""

import time
from collections.abc import Mapping

import dagster as dg

from usage_platform.adapters.kafka.topics import KafkaSettings, KafkaUnreachableError, end_offsets
from usage_platform.services.play import PlaybackProgress

_LINE_SECONDS = 10.0
_MATERIALIZATION_SECONDS = 60.0


class _Rhythm:
    """Whether some time has passed since the start, or since it was the last time."""

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
    """Says how many rows of a source have been read: a line in the log every few seconds."""

    def __init__(self, context: dg.AssetExecutionContext) -> None:
        self._context = context
        self._lines = _Rhythm(_LINE_SECONDS)

    def __call__(self, done: int, total: int | None) -> None:
        """Say it if it is time.

        Args:
            done: Rows read so far.
            total: Rows there will be, None while that is not known.
        """
        if self._lines.is_due():
            of = "" if total is None else f" of {total:,}"
            self._context.log.info(f"read {done:,}{of} rows")


class PlaybackReport:
    """Says how far a playback is: a line every few seconds, a materialization every minute.

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
        """Say it if it is time."""
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
            # Playback waits for a broker that is away; what is told must not end it.
            return
        metadata = playback_metadata(progress, offsets)
        self._context.log_event(dg.AssetMaterialization(self._context.asset_key, metadata=metadata))


def playback_metadata(
    progress: PlaybackProgress, offsets: Mapping[int, tuple[int, int]]
) -> dict[str, int | float | str | dict[str, int]]:
    """What a playback has come to, as metadata of the asset `usage`.

    Args:
        progress: How far it is.
        offsets: First offset and end of each partition of the topic.
    """
    seconds = max(progress.seconds, 1e-3)
    return {
        "readings_played": progress.sent,
        "readings_a_second": round(progress.sent / seconds, 1),
        "seconds": round(seconds, 2),
        "end_offsets": {str(p): end for p, (_, end) in offsets.items()},
        "event_time": str(progress.event_time or "nothing left to play"),
    }
