"""Options of the command line as settings.

Belongs here: which options count, and defaults of a command. Not here: the commands (`cli`).
"""

from collections.abc import Mapping
from typing import Any

from usage_platform.settings.settings import Settings

Given = Mapping[str, Any]
"""Values of options on the command line, by the setting's name."""


Value = str | int | float | bool | tuple[str, ...] | None
"""The value of an option; None, or no value, where it is not given."""


def given(options: Mapping[str, Value]) -> Given:
    """The options that were given; `files` is a source, one a line."""
    found = {name: value for name, value in options.items() if value is not None}
    files = found.pop("files", ())
    if isinstance(files, tuple) and files:
        found["source"] = "\n".join(files)
    return found


def unless_given(settings: Settings, **defaults: object) -> Settings:
    """The settings, with a command's defaults where neither variable nor option is set."""
    missing = {name: v for name, v in defaults.items() if name not in settings.model_fields_set}
    return settings.model_copy(update=missing)
