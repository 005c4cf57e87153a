"""How results are shown in Dagster: owners, pictures, times.

Belongs here: what several files of `defs` put into metadata in the same way.
"""

import base64

import dagster as dg
import pandas as pd

OWNERS = ["team:energy-data"]


def picture(png: bytes) -> dg.MarkdownMetadataValue:
    """A PNG as metadata, shown in the UI where it stands."""
    return dg.MetadataValue.md(f"![](data:image/png;base64,{base64.b64encode(png).decode()})")


def instant(ts: pd.Timestamp | None) -> str:
    """A UTC instant for people; a dash where there is none."""
    return "-" if ts is None or pd.isna(ts) else f"{ts:%Y-%m-%d %H:%M}Z"
