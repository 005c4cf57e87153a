"""What the definition of an asset says of where its data are and how they look.

Belongs here: Dagster's standard metadata, made from the lake's schemas and the settings. Not here:
the columns and their descriptions (`adapters.lake.tables`), what a run reports (`metadata`).
"""

from pathlib import Path
from typing import Any

import dagster as dg

from usage_platform.adapters.lake.tables import Lake, LakeTable
from usage_platform.settings.settings import Settings

LAKE = Lake(Settings.from_env().lake_root)
"""As it was set when the definitions were loaded; a run asks its own settings."""


def table_metadata(table: LakeTable) -> dict[str, Any]:
    """The name, place and columns of a Delta table, for the asset of that table."""
    columns = [
        dg.TableColumn(column.name, column.spark_type.lower(), column.comment or None)
        for column in table.schema
    ]
    return {
        "dagster/table_name": table.name,
        **place_metadata(LAKE.table(table)),
        "dagster/column_schema": dg.TableSchema(columns),
    }


def place_metadata(place: str) -> dict[str, Any]:
    """The place of an asset's data as a URI.

    Args:
        place: An absolute path of a folder, or `s3://bucket/prefix`.
    """
    return {"dagster/uri": place if "://" in place else Path(place).as_uri()}
