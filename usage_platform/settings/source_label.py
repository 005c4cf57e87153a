"""The text that identifies a source: what is loaded again when it changes.

Belongs here: which settings change the readings of a source. Not here: the files themselves
(`wiring.sources`).
"""

from typing import TYPE_CHECKING

from usage_platform.settings.value_types import GENERATED_SITE

if TYPE_CHECKING:
    from usage_platform.settings.settings import Settings


def source_label(settings: "Settings") -> str:
    """The chosen source and the settings that change its readings."""
    of_files = _file_settings(settings)
    chosen = {
        "generated": (
            settings.generated_start,
            settings.generated_days,
            settings.generated_meters,
            settings.generated_seed,
        ),
        GENERATED_SITE: (settings.generated_seed,),
        "ckan": (settings.ckan_url, settings.ckan_dataset, *of_files),
    }.get(settings.source, of_files)
    meter = (settings.meter, settings.timezone, settings.interval_minutes)
    return " ".join(str(part) for part in (settings.source, *chosen, *meter))


def _file_settings(settings: "Settings") -> tuple[str, ...]:
    """What the settings say about files, each that is set."""
    fields = {n: f for n, f in type(settings).model_fields.items() if n.startswith("csv_")}
    values = {name: getattr(settings, name) for name in fields}
    return tuple(f"{n}={value}" for n, value in values.items() if value != fields[n].default)
