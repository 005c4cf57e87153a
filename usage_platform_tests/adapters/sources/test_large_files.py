"""Large files: how much memory a row takes while they are read."""

import tracemalloc
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from usage_platform.adapters.sources.csv_file import CsvSource
from usage_platform.core.measurement import Quantity, Stamp, Unit
from usage_platform.core.meter_descriptions.description import MeterDescription, Version
from usage_platform.core.meter_files import portions
from usage_platform.core.meter_files.options import FileOptions
from usage_platform.core.meters import Meter

MOST_BYTES_A_ROW = 85
"""Of ten million rows 850 MB, so that they and the libraries fit into 1 GiB."""


VERSIONS = (Version(valid_from=date(2024, 1, 20), factor=2.0),)
ONE, OTHER = (
    MeterDescription(name=name, quantity=Quantity.ENERGY, unit=unit, stamp=Stamp.START)
    for name, unit in (("a", Unit.KWH), ("b", Unit.WH))
)


def peak(
    path: Path, rows: int, minutes: int, is_mixed: bool, quantity: Quantity, *descriptions
) -> int:
    """The most bytes that are allocated while a file of so many rows is read."""
    times = pd.date_range("2024-01-01", periods=rows // 2, freq=f"{minutes}min", tz="UTC")
    parts = [pd.DataFrame({"meter": m, "time": times, "value": range(len(times))}) for m in "ab"]
    frame = pd.concat(parts)
    if is_mixed:
        frame = frame.sort_index(kind="stable")
    frame.to_csv(path, index=False, date_format="%Y-%m-%dT%H:%M:%SZ")
    meters = {one.name: one for one in descriptions}
    unit = None if meters else Unit.KWH
    options = FileOptions(quantity=quantity, unit=unit, meters=meters)
    source = CsvSource((path,), Meter(), options=options)
    del frame, parts, times
    tracemalloc.start()
    try:
        found = source.understand(lambda done, total: None)
        assert len(found.readings.frame) >= rows // 5 - 2
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("quantity", "minutes", "is_mixed"),
    [(Quantity.ENERGY, 5, False), (Quantity.ENERGY, 5, True), (Quantity.REGISTER, 1, False)],
)
def test_a_row_takes_few_bytes_at_once(tmp_path, monkeypatch, quantity, minutes, is_mixed):
    monkeypatch.setattr(portions, "ROWS", 5_000)
    few, many = (
        peak(tmp_path / "f.csv", rows, minutes, is_mixed, quantity) for rows in (50_000, 110_000)
    )
    assert (many - few) / 60_000 < MOST_BYTES_A_ROW


@pytest.mark.parametrize(
    "descriptions",
    [
        (ONE, OTHER),
        (ONE,),
        (ONE.model_copy(update={"versions": VERSIONS}), OTHER),
        (
            ONE.model_copy(update={"versions": VERSIONS}),
            ONE.model_copy(update={"versions": VERSIONS, "name": "b"}),
        ),
    ],
    ids=["two ways", "one described", "one with versions", "versions alike"],
)
@pytest.mark.parametrize("is_mixed", [False, True])
def test_a_row_of_described_meters_takes_no_more(tmp_path, monkeypatch, descriptions, is_mixed):
    monkeypatch.setattr(portions, "ROWS", 5_000)
    few, many = (
        peak(tmp_path / "f.csv", rows, 5, is_mixed, Quantity.ENERGY, *descriptions)
        for rows in (50_000, 110_000)
    )
    assert (many - few) / 60_000 < MOST_BYTES_A_ROW
