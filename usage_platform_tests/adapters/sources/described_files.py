"""Source files of described meters, as tests write and read them."""

from pathlib import Path

import pandas as pd

from usage_platform.adapters.sources.csv_file import CsvSource
from usage_platform.core.meter_descriptions.description import MeterDescription
from usage_platform.core.meter_files.options import FileOptions
from usage_platform.core.meter_files.readings import Understood
from usage_platform.core.meters import Meter

METER = Meter(timezone="Europe/Rome", interval_minutes=15)


def understood(
    path: Path, text: str, *descriptions: MeterDescription, meter: Meter = METER, **options
) -> Understood:
    """What a file with this text says by these descriptions."""
    path.write_text(text)
    said = FileOptions(meters={one.name: one for one in descriptions}, **options)
    return CsvSource((path,), meter, options=said).understand(lambda done, of: None)


def rows(first: str, values, meter: str = "", minutes: int = 15) -> str:
    times = pd.date_range(first, periods=len(values), freq=f"{minutes}min")
    cells = [f"{at:%Y-%m-%d %H:%M},{value}" for at, value in zip(times, values, strict=True)]
    return "\n".join(f"{meter},{cell}" if meter else cell for cell in cells) + "\n"


def kw(found: Understood, meter: str) -> list[float]:
    assert found.uncertain == ()
    frame = found.readings.frame
    return frame.loc[frame["meter"] == meter, "value"].tolist()
