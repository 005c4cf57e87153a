"""The command lines of `usage-platform bill` and `usage-platform tariffs`.

Belongs here: their options. Not here: what they print (`bill`, `tariffs`), and other commands
(`cli`).
"""

import click

from usage_platform.console.given_options import Given, given
from usage_platform.settings.settings import Settings


@click.command()
@click.option("--meter", help="Name of the meter.")
@click.option("--month", metavar="MONTH", help="Such as 2024-05; default: the current one.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def bill(overrides: Given, meter: str | None, month: str | None, as_json: bool) -> None:
    """Print a meter's bill of a month by its tariff.

    Names the hours without readings, which cost nothing, and gives a projection where readings are
    missing or the month is not over. Months and days are those of the meter's time zone.
    """
    import pandas as pd

    from usage_platform.console.bill import print_bill
    from usage_platform.console.screen import Screen
    from usage_platform.wiring.platform import Platform

    deployment = Platform(Settings.from_env(**overrides, **given({"meter": meter})))
    print_bill(deployment, month, as_json, pd.Timestamp.now(tz="UTC"), Screen())


@click.command()
@click.pass_obj
def tariffs(overrides: Given) -> None:
    """Check the tariff file and list its tariffs.

    Exits with 1 and one line that names the tariff and the field if the file has a mistake.
    """
    from usage_platform.console.screen import Screen
    from usage_platform.console.tariffs import listed
    from usage_platform.wiring.platform import Platform

    Screen().console.print(listed(Platform(Settings.from_env(**overrides)).tariffs))
