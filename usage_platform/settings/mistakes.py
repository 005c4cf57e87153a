"""The one line for settings that cannot be used.

Belongs here: its wording, without a secret's value. Not here: the rules (`settings`,
`value_types`).
"""

from collections.abc import Mapping

from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo

from usage_platform.adapters.spark.address import without_parameters


def one_line(error: ValidationError, prefix: str, fields: Mapping[str, FieldInfo]) -> str:
    """The first mistake: the variable, its value and what is expected.

    Args:
        error: What the settings' class raised.
        prefix: What variables begin with.
        fields: The fields of that class.
    """
    first = error.errors()[0]
    message = first["msg"].removeprefix("Value error, ")
    if not first["loc"]:  # A rule across several settings, which the message names.
        return message
    name = str(first["loc"][0])
    if first["type"] == "extra_forbidden":
        return f"{prefix}{name.upper()}: unknown setting; .env.example lists all settings"
    shown = str(first["input"])
    if fields[name].annotation is SecretStr:
        shown = "..."
    elif name == "spark_remote":
        shown = without_parameters(shown)
    return f"{prefix}{name.upper()}={shown}: {message}"
