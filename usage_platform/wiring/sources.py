"""The source of readings that the settings choose.

Belongs here: building a source from settings. Not here: reading it (`adapters/sources`).
"""

from glob import glob
from pathlib import Path

from usage_platform.core.meters import Meter
from usage_platform.core.readings.csv_rows import CsvColumns
from usage_platform.core.readings.source import ReadingSource
from usage_platform.settings.settings import Settings
from usage_platform.settings.value_types import NO_COLUMN, NOT_FILES


def chosen_source(settings: Settings, portal_cache: Path) -> ReadingSource:
    """The source that the settings name.

    Args:
        settings: The settings.
        portal_cache: The folder for downloaded pages of a portal.

    Raises:
        SourceError: In one line, when there is no such file.
    """
    columns = CsvColumns(
        settings.csv_time_column,
        None if settings.csv_end_column == NO_COLUMN else settings.csv_end_column,
        settings.csv_value_column,
    )
    if settings.source == "generated":
        from usage_platform.adapters.sources.generated import GeneratedSource

        return GeneratedSource(
            _generated_meters(settings),
            settings.generated_start,
            settings.generated_days,
            settings.generated_seed,
        )
    if settings.source == "ckan":
        from usage_platform.adapters.sources.ckan import CkanSource

        return CkanSource(
            portal_cache,
            settings.ckan_url,
            settings.ckan_dataset,
            settings.default_meter,
            columns,
        )
    from usage_platform.adapters.sources.csv_file import CsvSource

    return CsvSource(tuple(_csv_paths(settings)), settings.default_meter, columns)


def source_label(settings: Settings) -> str:
    """Identifies the chosen source and everything that changes its readings.

    That is the settings, and the name, size and modification time of each file.
    """
    states = [
        f"{path.name}:{path.stat().st_size}:{path.stat().st_mtime_ns}"
        for path in _csv_paths(settings)
        if path.exists()
    ]
    return " ".join([settings.source_label, *states])


def _csv_paths(settings: Settings) -> list[Path]:
    """The CSV files that the settings name; none for another kind of source."""
    source = settings.source
    if source in NOT_FILES:
        return []
    return [Path(p) for p in sorted(glob(source)) or [source]]  # noqa: PTH207 - a pattern


def _generated_meters(settings: Settings) -> tuple[Meter, ...]:
    first = settings.default_meter
    more = [f"{first.name}-{number}" for number in range(2, settings.generated_meters + 1)]
    return (first, *(Meter(n, first.timezone, first.interval_minutes) for n in more))
