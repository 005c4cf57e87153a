"""What the commands `demo` and `up` choose where neither variable nor option says anything.

Belongs here: their data folder, speed and source. Not here: the commands (`cli`), what the data
folder of a demo holds (`demo_folder`).
"""

import math
from pathlib import Path

from usage_platform.console.given_options import unless_given
from usage_platform.core.generator.site_plan import DAYS
from usage_platform.settings.closing_days import chosen_calendar
from usage_platform.settings.settings import Settings, SettingsError
from usage_platform.settings.value_types import GENERATED_SITE
from usage_platform.wiring.platform import Platform

_DEMO_DATA = Path(".usage/demo")
_LIVE_ACCELERATOR = 300.0
_LIVE_DAYS = 28
_SAY_WHAT_IS_READ = {
    *("source", "meter", "timezone", "interval_minutes", "start_date", "max_iterations"),
    *("generated_start", "generated_days", "generated_meters"),
    *("lake", "kafka_bootstrap", "oldest_time", "max_meters", "meters_allowed"),
}
"""Settings of which each is enough to read what the settings say, and not the generated site."""


def demo_settings(chosen: Settings) -> Settings:
    """The settings of a demo: as fast as possible, in a folder of its own, without alerts.

    Raises:
        SettingsError: In one line, when the file of closing days cannot be read.
    """
    chosen_calendar(chosen)
    settings = unless_given(without_alerts(chosen), data=_DEMO_DATA, accelerator=math.inf)
    return _with_site(settings) if _says_nothing(chosen) else settings


def up_settings(chosen: Settings) -> Settings:
    """The settings of `up`: faster than real time.

    The generated site is played where the data folder holds no readings of another source, and
    nearly all of it as history, as what there is to see needs a year.

    Raises:
        SettingsError: In one line, when the file of closing days cannot be read, or the data folder
            holds readings of a source that has to be named: the lake would mix them with generated
            ones.
    """
    chosen_calendar(chosen)
    settings = unless_given(chosen, accelerator=_LIVE_ACCELERATOR)
    if not _says_nothing(chosen):
        return settings
    loaded = Platform(settings).source_cache.summary()
    if loaded is None or loaded.source.split()[0] == GENERATED_SITE:
        return unless_given(_with_site(settings), history_days=DAYS - _LIVE_DAYS)
    if loaded.source != settings.source_label:
        raise SettingsError(
            f"{settings.data_dir}: it holds readings of another source ({loaded.source}); name it "
            "again, as with --csv FILE, or give another folder with --data"
        )
    return settings


def without_alerts(settings: Settings) -> Settings:
    """The settings without any alert sink: anomalies of a demo are of the past, or generated."""
    fields = Settings.model_fields.items()
    none = {name: field.default for name, field in fields if name.startswith("alert_")}
    return settings.model_copy(update=none)


def _says_nothing(chosen: Settings) -> bool:
    """Whether nothing says what is to be read."""
    return _SAY_WHAT_IS_READ.isdisjoint(chosen.model_fields_set)


def _with_site(settings: Settings) -> Settings:
    return settings.model_copy(update={"source": GENERATED_SITE})
