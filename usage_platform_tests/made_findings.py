"""Findings in the table as a night would write them."""

from datetime import date

import pandas as pd

from usage_platform.adapters.lake.findings_table import FINDING_COLUMNS, merge_findings
from usage_platform.adapters.lake.table_creation import create_tables
from usage_platform.adapters.lake.tables import USAGE_FINDINGS, Lake


def finding(number: int, meter: str = "library", **changes: object) -> dict[str, object]:
    """One row; its base load has risen by so many kWh a year."""
    row = {
        "id": f"{number:012x}",
        "meter": meter,
        "kind": "base_load_increase",
        "start": pd.Timestamp("2024-05-23T04:00Z"),
        "end": pd.Timestamp("2024-06-20T04:00Z"),
        "sentence": f"The base load is {number} kW.",
        "kwh": number / 10,
        "kwh_per_year": float(number),
        "cost_per_year": number / 4,
        "currency": "USD",
        "first_seen": date(2024, 6, 18),
        "last_seen": date(2024, 6, 20),
        "is_current": True,
        "quarter": date(2024, 4, 1),
    }
    return row | changes


def write_findings(lake: Lake, *rows: dict[str, object]) -> None:
    """Write rows of `finding`."""
    create_tables(lake, (USAGE_FINDINGS,))
    merge_findings(lake, pd.DataFrame(rows, columns=FINDING_COLUMNS))
