"""A home's Green Button file of six quarter hours, and how tests read such files."""

from collections.abc import Callable
from pathlib import Path

from usage_platform.adapters.sources.csv_file import CsvSource
from usage_platform.core.meter_files.options import CsvColumns, FileOptions
from usage_platform.core.meter_files.readings import Understood
from usage_platform.core.meters import Meter
from usage_platform_tests.fixtures.green_button_writer import Series

AT = 1_709_596_800  # 2024-03-05 00:00 UTC
STARTS = [AT + 900 * at for at in range(6)]
HOME = Series("Home", [250, 500, 750, 250, 500, 750], STARTS)
KW = [1, 2, 3, 1, 2, 3]


def understanding_in(folder: Path) -> Callable[..., Understood]:
    """Reads a file's content, by way of a file in a folder."""

    def understand(content, value="", name="f.xml", **options):
        path = folder / name
        path.write_bytes(content)
        columns, meter = CsvColumns(value=value), Meter(interval_minutes=15)
        source = CsvSource((path,), meter, columns, FileOptions(**options))
        return source.understand(lambda _done, _total: None)

    return understand


def values(found, meter="Home"):
    frame = found.readings.frame
    return frame["value"][frame["meter"] == meter].tolist()


def options_of(found):
    return [one.option for one in found.uncertain]
