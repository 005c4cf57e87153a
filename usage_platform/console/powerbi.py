"""`make powerbi`: generate files of the Power BI model from the lake's schemas.

Belongs here: where they are written. Not here: their content (`services.powerbi_model`).
"""

from pathlib import Path

import click

from usage_platform.services.powerbi_model import model_files
from usage_platform.settings.settings import Settings

DEFINITION = Path("powerbi/usage.SemanticModel/definition")


def main() -> None:
    """Write the files, with local times in the building's time zone (`USAGE_TIMEZONE`)."""
    for name, text in model_files(Settings.from_env().timezone).items():
        path = DEFINITION / name
        path.write_text(text, "utf-8")
        click.echo(f"{path}: written")


if __name__ == "__main__":
    main()
