"""The command line of `usage-platform findings`.

Belongs here: its options. Not here: what it prints (`findings`), and other commands (`cli`).
"""

import click

from usage_platform.console.given_options import Given
from usage_platform.settings.settings import Settings, SettingsError

_STATES = click.Choice(["new", "accepted", "done"])


@click.command()
@click.argument("finding", metavar="[ID]", required=False)
@click.option("--meter", help="Only of this meter.")
@click.option("--state", type=_STATES, help="Only in this state; with ID: set it.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
@click.pass_obj
def findings(
    overrides: Given, finding: str | None, meter: str | None, state: str | None, as_json: bool
) -> None:
    """List the findings of the meters, or set the state of one.

    The highest cost of a year comes first, then the most energy. They are computed each night.
    """
    import pandas as pd

    from usage_platform.console.findings import print_findings, print_state
    from usage_platform.console.screen import Screen
    from usage_platform.wiring.platform import Platform

    deployment = Platform(Settings.from_env(**overrides))
    if finding is None:
        print_findings(deployment, meter, state, as_json, Screen())
        return
    if state is None or meter is not None or as_json:
        raise SettingsError(
            f"findings {finding}: expected --state new, accepted or done with an ID, and no other "
            "option"
        )
    print_state(deployment, finding, state, pd.Timestamp.now(tz="UTC"), Screen())
