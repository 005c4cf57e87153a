"""The source of readings that the settings choose.

Belongs here: building a source from settings. Not here: reading it (`adapters/sources`).
"""

from collections.abc import Collection
from dataclasses import replace
from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING

from usage_platform.adapters.sources.file_content import content_digest
from usage_platform.core.measurement import Quantity, Stamp, Unit
from usage_platform.core.meter_descriptions.description import Descriptions
from usage_platform.core.meter_descriptions.parsing import descriptions_mark
from usage_platform.core.meter_descriptions.registry import described
from usage_platform.core.meter_files.file_order import natural_order
from usage_platform.core.meter_files.options import (
    BOSTON_TIME,
    BOSTON_VALUE,
    CsvColumns,
    FileOptions,
)
from usage_platform.core.meters import Meter
from usage_platform.core.readings.source import ReadingSource
from usage_platform.services.playback_progress import SourceIdentity
from usage_platform.settings.settings import Settings
from usage_platform.settings.value_types import GENERATED_SITE, NO_COLUMN, NOT_FILES

if TYPE_CHECKING:
    from usage_platform.adapters.sources.csv_file import CsvSource
    from usage_platform.adapters.sources.generated_site import GeneratedSite


def chosen_source(
    settings: Settings, portal_cache: Path, descriptions: Descriptions
) -> ReadingSource:
    """The source that the settings name.

    Args:
        settings: The settings.
        portal_cache: The folder for downloaded pages of a portal.
        descriptions: What people say of meters.

    Raises:
        SourceError: In one line, when there is no such file.
    """
    if settings.source == "generated":
        from usage_platform.adapters.sources.generated import GeneratedSource

        return GeneratedSource(
            _generated_meters(settings, descriptions),
            settings.generated_start,
            settings.generated_days,
            settings.generated_seed,
        )
    if settings.source == GENERATED_SITE:
        return generated_site(settings, descriptions)
    if settings.source == "ckan":
        from usage_platform.adapters.sources.ckan import CkanSource

        return CkanSource(
            portal_cache,
            settings.ckan_url,
            settings.ckan_dataset,
            settings.default_meter,
            _portal_columns(settings),
            file_options(settings, descriptions),
        )
    return file_source(settings, descriptions)


def generated_site(settings: Settings, descriptions: Descriptions) -> "GeneratedSite":
    """The three generated buildings, whatever source is chosen.

    Args:
        settings: Give the seed.
        descriptions: What people say of meters.

    Raises:
        SourceError: In one line, when that is something else of one of its meters.
    """
    from usage_platform.adapters.sources.generated_site import GeneratedSite

    return GeneratedSite(settings.generated_seed, descriptions)


def file_source(settings: Settings, descriptions: Descriptions) -> "CsvSource":
    """The files that the settings name, as a source.

    Args:
        settings: The settings.
        descriptions: What people say of meters.
    """
    from usage_platform.adapters.sources.csv_file import CsvSource

    return CsvSource(
        tuple(_csv_paths(settings)),
        settings.default_meter,
        _columns(settings),
        file_options(settings, descriptions),
    )


def file_options(settings: Settings, descriptions: Descriptions) -> FileOptions:
    """What the settings say about files, and people about meters."""
    return FileOptions(
        Quantity(settings.csv_quantity) if settings.csv_quantity else None,
        Unit(settings.csv_unit) if settings.csv_unit else None,
        Stamp(settings.csv_stamp) if settings.csv_stamp else None,
        settings.csv_sign,
        settings.csv_meter_column,
        settings.csv_delimiter,
        settings.csv_decimal,
        settings.csv_time_format,
        settings.csv_skip_lines,
        settings.csv_allow_bad_rows,
        settings.csv_sheet,
        descriptions,
    )


def _columns(settings: Settings) -> CsvColumns:
    end = None if settings.csv_end_column == NO_COLUMN else settings.csv_end_column
    return CsvColumns(settings.csv_time_column, end, settings.csv_value_column)


def _portal_columns(settings: Settings) -> CsvColumns:
    """The same, with the names of Analyze Boston in the place of none."""
    columns = _columns(settings)
    return CsvColumns(columns.time or BOSTON_TIME, columns.end, columns.value or BOSTON_VALUE)


def source_identity(settings: Settings) -> SourceIdentity:
    """Identifies the chosen source: by its settings, and by the content of its files."""
    files = [path for path in _csv_paths(settings) if path.is_file()]
    name = settings.source_label
    if not files:
        return SourceIdentity(name, name)
    digests = [f"{path.name}:{content_digest(path)}" for path in files]
    states = [f"{p.name}:{p.stat().st_size}:{p.stat().st_mtime_ns}" for p in files]
    return SourceIdentity(name, " ".join([name, *digests]), former=" ".join([name, *states]))


def described_identity(
    identity: SourceIdentity, descriptions: Descriptions, names: Collection[str]
) -> SourceIdentity:
    """The identity of a source whose content also depends on what people say of its meters.

    Args:
        identity: That of the settings and files.
        descriptions: What people say.
        names: The meters that the loaded source holds.
    """
    mark = descriptions_mark(descriptions, names)
    return replace(identity, version=f"{identity.version} {mark}") if mark else identity


def _csv_paths(settings: Settings) -> list[Path]:
    """The CSV files that the settings name; none for another kind of source."""
    source = settings.source
    if source in NOT_FILES:
        return []
    return [
        Path(path)
        for pattern in source.split("\n")
        for path in sorted(glob(pattern), key=natural_order) or [pattern]  # noqa: PTH207 - a pattern
    ]


def _generated_meters(settings: Settings, descriptions: Descriptions) -> tuple[Meter, ...]:
    first = settings.default_meter
    more = [f"{first.name}-{number}" for number in range(2, settings.generated_meters + 1)]
    meters = (first, *(Meter(n, first.timezone, first.interval_minutes) for n in more))
    return tuple(described(meter, descriptions.get(meter.name)) for meter in meters)
