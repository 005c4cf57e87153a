"""Command-line options that choose a source of readings: fields of the settings.

Belongs here: their names and help texts. Not here: the commands (`cli`).
"""

from collections.abc import Callable, Sequence
from enum import StrEnum

import click

from usage_platform.core.measurement import Quantity, Sign, Stamp, Unit

Option = Callable[[Callable[..., None]], Callable[..., None]]


def source_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that choose a source of readings."""
    options = (
        click.option(
            "--csv",
            "files",
            metavar="FILES",
            multiple=True,
            help="Files; repeatable, or a pattern.",
        ),
        click.option("--ckan", "source", flag_value="ckan", help="Read from the open-data portal."),
        click.option("--meter", help="Name of the meter."),
        *file_options(),
        click.option("--timezone", help="IANA time zone of the building."),
        click.option("--interval", "interval_minutes", type=int, help="Minutes per interval."),
        click.option("--days", "generated_days", type=int, help="Days to generate."),
        click.option("--meters", "generated_meters", type=int, help="Meters to generate."),
        click.option("--seed", "generated_seed", type=int, help="Seed of the generator."),
        click.option("--accelerator", help="Speed as a multiple of real time, or 'max'."),
    )
    return _with_options(command, options)


def reading_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say how files are read."""
    return _with_options(
        command,
        (
            *file_options(),
            click.option("--meter", help="Name of the meter."),
            click.option("--timezone", help="IANA time zone of the building."),
            click.option("--interval", "interval_minutes", type=int, help="Minutes per interval."),
        ),
    )


def meter_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that describe a meter: fields of `assets/meters.yaml`, as texts."""
    return _with_options(
        command,
        (
            click.option("--timezone", help="IANA time zone of the building."),
            click.option("--interval", help="Minutes per interval."),
            _choice("--quantity", "quantity", Quantity, "What values measure."),
            _choice("--unit", "unit", Unit, "Unit of values."),
            _choice("--stamp", "stamp", Stamp, "Which end of the interval times are."),
            _choice("--sign", "sign", Sign, "net: below 0 is export."),
            click.option("--register-size", help="Where a register begins at 0 again."),
            click.option(
                "--factor", help="By what values are multiplied; of m3 or l the kWh of one."
            ),
        ),
    )


def file_options() -> tuple[Option, ...]:
    """The options that say what the columns and values of files are."""
    return (
        click.option("--time-column", "csv_time_column", help="Column of times, or date+time."),
        click.option("--end-column", "csv_end_column", help="Column of ends; - for none."),
        click.option("--value-column", "csv_value_column", help="Column of values."),
        click.option("--meter-column", "csv_meter_column", help="Column that names the meter."),
        _choice("--quantity", "csv_quantity", Quantity, "What values measure."),
        _choice("--unit", "csv_unit", Unit, "Unit of values."),
        _choice("--stamp", "csv_stamp", Stamp, "Which end of the interval times are."),
        _choice("--sign", "csv_sign", Sign, "net: below 0 is export."),
        click.option("--delimiter", "csv_delimiter", help="Character, or comma, tab, ..."),
        click.option("--decimal", "csv_decimal", help="Decimal mark: . or ,"),
        click.option("--time-format", "csv_time_format", help="Such as '%d/%m/%Y %H:%M'."),
        click.option("--skip-lines", "csv_skip_lines", type=int, help="Lines above the header."),
        click.option("--sheet", "csv_sheet", help="Sheet of a workbook."),
        click.option(
            "--allow-bad-rows",
            "csv_allow_bad_rows",
            is_flag=True,
            default=None,
            help="Play a source of which more than a fifth is bad.",
        ),
    )


def _choice(name: str, setting: str, words: type[StrEnum], help_text: str) -> Option:
    return click.option(
        name, setting, type=click.Choice([word.value for word in words]), help=help_text
    )


def _with_options(command: Callable[..., None], options: Sequence[Option]) -> Callable[..., None]:
    for option in reversed(options):
        command = option(command)
    return command
