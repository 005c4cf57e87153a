"""Messages on the topic `episode` that are not the platform's: recorded in the table `rejects`.

Belongs here: reading what is new on the topic, and how far it was read. Not here: which messages
are readable (`core.anomalies.message_parsing`), writing rejects (`adapters.lake.rejects_table`).

No table is filled from this topic, so that no stream of Spark reads it: a consumer looks through
its few messages.
"""

import json

from usage_platform.adapters.kafka.consuming import message_portions
from usage_platform.adapters.kafka.events import committed_reader, messages_between, raw_frame
from usage_platform.adapters.kafka.topics import (
    EPISODE,
    KafkaSettings,
    offset_ranges,
    partitions_of,
)
from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.lake.rejects_table import merge_rejects
from usage_platform.adapters.lake.tables import Lake
from usage_platform.core.anomalies.message_parsing import parse_episode, stray_rejects

NOT_AN_EPISODE = "not_an_episode"
_OFFSETS = "offsets.json"
_MOST_MESSAGES = 5_000
_Offsets = dict[int, int]


def reject_stray_episodes(lake: Lake, kafka: KafkaSettings, own: str = "") -> int:
    """Store the strays among the messages that came since the last time; returns their number.

    The offsets are written after the rejects: a kill in between stores the same rejects again,
    which changes nothing.

    Args:
        lake: The lake, with its tables.
        kafka: The brokers.
        own: The folder among the checkpoints, as for the streams.

    Raises:
        KafkaUnreachableError: When no broker answers.
        KafkaException: When the broker refuses, or is silent for too long.
    """
    files = LakeFiles(lake.checkpoint(EPISODE, own))
    strays = 0
    with committed_reader(kafka, "usage-platform-episodes") as client:
        bounds = offset_ranges(client, partitions_of(client, kafka, EPISODE))
        done = _read_offsets(files)
        # A topic that was made again begins before the offset of the one before it.
        starts = {
            p: max(low, done.get(p, low)) if done.get(p, low) <= high else low
            for p, (low, high) in bounds.items()
        }
        ends = {p: high for p, (_, high) in bounds.items()}
        found = messages_between(client, EPISODE, starts, ends)
        for messages in message_portions(found, _MOST_MESSAGES):
            unreadable = [m for m in messages if parse_episode(m.value()) is None]
            if unreadable:
                sizes = [len(m.value() or b"") for m in unreadable]
                rows = raw_frame(unreadable).assign(size=sizes)
                merge_rejects(lake, stray_rejects(rows, NOT_AN_EPISODE))
                strays += len(unreadable)
    if ends != done:
        files.write_text(_OFFSETS, json.dumps(ends))
    return strays


def _read_offsets(files: LakeFiles) -> _Offsets:
    written: dict[str, int] = files.read_json(_OFFSETS) or {}
    return {int(partition): end for partition, end in written.items()}
