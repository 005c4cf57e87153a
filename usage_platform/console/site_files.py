"""The files of groups and tariffs that a demo of the generated site writes where there are none.

Belongs here: their texts, and that they never replace what people wrote. Not here: what they mean
(`core.fleet`, `core.tariffs`), the buildings (`core.generator.site_plan`).
"""

from collections.abc import Callable, Iterable, Mapping

from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.stores.groups import GROUPS_FILE
from usage_platform.adapters.stores.tariffs import TARIFFS
from usage_platform.core.generator.site_plan import (
    BUILDINGS,
    SITE_NAME,
    SiteBuilding,
)

_HEAD = "# Written by usage-platform demo for its generated buildings. Change it as you like.\n"
_BUILDING = """\
      - name: {name}
        kind: {kind}
        area_m2: {area}
        meters: [{meters}]
"""
_REST = """\
  - name: {rest}
    plus: [{main}]
    minus: [{sub_meters}]
"""
_ENERGY = """\
        energy:
          - name: summer peak
            seasons: [06-01..09-30]
            days: [weekdays]
            hours: ["12:00-20:00"]
            price: 0.2650
          - {name: night, hours: ["22:00-06:00"], price: 0.1040}
          - {name: day, price: 0.1720}
"""
_TARIFFS = """\
tariffs:
  - name: buildings
    meters: [<mains>]
    unit: USD
    holidays: US-MA
    versions:
      - valid_from: 2023-01-01
<energy>\
        standing:
          - {name: standing charge, price: 95.00, per: month}
        demand:
          - name: demand
            price: 12.40
            window_minutes: 30
            days: [weekdays]
            hours: ["08:00-20:00"]
        taxes:
          - {name: sales tax, percent: 6.25}
  - name: sub-meters
    meters: [<sub_meters>]
    unit: USD
    holidays: US-MA
    versions:
      - valid_from: 2023-01-01
<energy>\
  - name: grid mix
    meters: [<mains>, <sub_meters>]
    unit: gCO2
    decimals: 0
    versions:
      - valid_from: 2023-01-01
        energy:
          - {name: day, hours: ["07:00-23:00"], price: 390}
          - {name: night, price: 310}
"""


def site_files() -> Mapping[str, str]:
    """The texts of the files, by name."""
    return {GROUPS_FILE: _HEAD + _groups(), TARIFFS: _HEAD + _tariffs()}


def write_site_files(assets: LakeFiles, say: Callable[[str], None]) -> None:
    """Write the files that are not there, and say so.

    Args:
        assets: The lake's `assets/`.
        say: Prints a line.

    Raises:
        LakeError: In one line, when one cannot be written.
    """
    missing = {name: text for name, text in site_files().items() if not assets.exists(name)}
    for name, text in missing.items():
        assets.write_text(name, text)
    if missing:
        say(f"{assets.root}: wrote the demo's {' and '.join(missing)}, for you to edit or replace")


def _groups() -> str:
    rests = (
        _REST.format(rest=one.rest_name, main=one.name, sub_meters=_sub_meters([one]))
        for one in BUILDINGS
    )
    buildings = (
        _BUILDING.format(
            name=one.name.replace("-", " ").capitalize(),
            kind=one.kind,
            area=f"{one.area_m2:.0f}",
            meters=f"{_sub_meters([one])}, {one.rest_name}",
        )
        for one in BUILDINGS
    )
    site = f"sites:\n  - name: {SITE_NAME}\n    buildings:\n"
    return f"{site}{''.join(buildings)}virtual:\n{''.join(rests)}"


def _tariffs() -> str:
    parts = {
        "<energy>": _ENERGY,
        "<mains>": ", ".join(one.name for one in BUILDINGS),
        "<sub_meters>": _sub_meters(BUILDINGS),
    }
    text = _TARIFFS
    for mark, part in parts.items():
        text = text.replace(mark, part)
    return text


def _sub_meters(buildings: Iterable[SiteBuilding]) -> str:
    return ", ".join(meter.name for one in buildings for meter in one.sub_meters)
