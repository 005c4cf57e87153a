"""How results appear in Dagster: owners, pictures, times.

Belongs here: metadata that several files of `defs` format alike.
"""

import base64
import re
from collections.abc import Sequence

import dagster as dg
import pandas as pd

from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.services.event_counts import event_counts, reject_counts
from usage_platform.services.progress import Lag
from usage_platform.services.redrive import RejectedReason

OWNERS = ["team:energy-data"]

_SHOWN_BYTES = 80
_PLAIN = re.compile(r"[^A-Za-z0-9 .,:;{}\"+-]")


def picture(png: bytes) -> dg.MarkdownMetadataValue:
    """A PNG as metadata, shown inline in the UI."""
    return dg.MetadataValue.md(f"![](data:image/png;base64,{base64.b64encode(png).decode()})")


def instant(ts: pd.Timestamp | None) -> str:
    """A UTC instant in readable form; a dash for none."""
    return "-" if ts is None or pd.isna(ts) else f"{ts:%Y-%m-%d %H:%M}Z"


def lag_metadata(lag: Lag | None) -> dict[str, int | float | str]:
    """A stage's lag behind its topic, in events and minutes; dashes where it is not known."""
    if lag is None:
        return {"lag_events": "-", "lag_event_minutes": "-"}
    behind = lag.event_time
    minutes = "-" if behind is None else round(behind.total_seconds() / 60, 1)
    return {"lag_events": lag.events, "lag_event_minutes": minutes}


def events_metadata(reader: LakeReader) -> dict[str, int]:
    """Where all events are that were ingested: readings + superseded + rejects = events."""
    counts = event_counts(reader, reject_counts(reader))
    return {
        "events_ingested": counts.events,
        "events_superseded": counts.superseded,
        "events_rejected": counts.rejects,
    }


def rejects_table(rejected: Sequence[RejectedReason]) -> dg.MarkdownMetadataValue:
    """Rejects by reason, with example events: a Markdown table without any markup of theirs.

    Events come from outside: they are shown as escaped text, cut to their first 80 bytes.
    """
    if not rejected:
        return dg.MetadataValue.md("none")
    lines = ["| reason | rejects | newest ones |", "| --- | ---: | --- |"]
    for one in rejected:
        examples = (
            f"partition {e['partition']} offset {e['offset']}: {_as_text(e['raw'])}"
            for e in one.examples
        )
        lines.append(f"| {_escaped(one.reason)} | {one.count:,} | {'; '.join(examples)} |")
    return dg.MetadataValue.md("\n".join(lines))


def _as_text(raw: object) -> str:
    if not isinstance(raw, bytes):
        return "no value"
    more = "..." if len(raw) > _SHOWN_BYTES else ""
    return _escaped(raw[:_SHOWN_BYTES].decode(errors="backslashreplace")) + more


def _escaped(text: str) -> str:
    """Text in which neither Markdown nor HTML is interpreted."""
    return _PLAIN.sub(lambda found: f"&#{ord(found[0])};", text)
