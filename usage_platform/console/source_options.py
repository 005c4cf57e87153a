"""Command-line options that choose a source of readings: fields of the settings.

Belongs here: their names and help texts. Not here: the commands (`cli`).
"""

from collections.abc import Callable

import click


def source_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that choose a source of readings."""
    options = (
        click.option("--csv", "source", metavar="FILES", help="CSV files; quote a pattern."),
        click.option("--ckan", "source", flag_value="ckan", help="Read from the open-data portal."),
        click.option("--meter", help="Name of the meter."),
        click.option("--time-column", "csv_time_column", help="Column with the interval's start."),
        click.option("--end-column", "csv_end_column", help="Column with its end; - for none."),
        click.option("--value-column", "csv_value_column", help="Column with the power in kW."),
        click.option("--timezone", help="IANA time zone of the building."),
        click.option("--interval", "interval_minutes", type=int, help="Minutes per interval."),
        click.option("--days", "generated_days", type=int, help="Days to generate."),
        click.option("--meters", "generated_meters", type=int, help="Meters to generate."),
        click.option("--seed", "generated_seed", type=int, help="Seed of the generator."),
        click.option("--accelerator", help="Speed as a multiple of real time, or 'max'."),
    )
    for option in reversed(options):
        command = option(command)
    return command
