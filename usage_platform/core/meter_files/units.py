"""What the name of a column says of its values: unit, and whether it is a register.

Belongs here: names and words. Not here: what the values themselves say (`meaning`).
"""

import re

from usage_platform.core.measurement import Unit

_BEFORE, _AFTER = r"(?<![a-z])", r"(?![a-z])"
_M3 = r"m\^?3|m³|cbm|cubic ?met(?:er|re)s?|kubikmeter"
_L = r"lit(?:er|re)s?|ltr"
_IS_NO_RATE = r"(?! ?/| per )"
# The longer ones first: "kwh" contains "kw".
_UNITS = (
    (Unit.MWH, r"mwh|megawatt[ -]?hours?"),
    (Unit.KWH, r"kwh|kw[ .*·]h|kilowatt[ -]?hours?"),
    (Unit.WH, r"wh|watt[ -]?hours?"),
    (Unit.MW, r"mw|megawatts?"),
    (Unit.KW, r"kw|kilowatts?"),
    (Unit.W, r"w|watts?"),
    (Unit.M3_H, rf"(?:{_M3}) ?(?:/|per) ?h(?:r|our)?"),
    (Unit.L_H, rf"(?:{_L}|l) ?(?:/|per) ?h(?:r|our)?"),
    (Unit.M3, rf"(?:{_M3}){_IS_NO_RATE}"),
    # A letter l with a number is a phase.
    (Unit.L, rf"(?:{_L}|(?:^|(?<=[(\[ ]))l(?! ?[0-9])){_IS_NO_RATE}"),
)
_GLUED = ((Unit.MWH, "mwh"), (Unit.KWH, "kwh"), (Unit.KW, "kw"))
_REGISTER = re.compile(
    r"total|register|cumul|counter|index|meter ?read|reading|z[aä]hler|stand\b|odometer|lifetime"
)
_METER = re.compile(
    r"(?:(?:metering|service|usage|delivery|supply|measuring) ?point|meter|device|channel|sensor"
    r"|site|building|location|mpan|mprn|esi|pod|ean|nmi|z[aä]hlpunkt|z[aä]hler|entity|circuit)"
    r"(?: ?(?:id|no|nr|number|name|code|bezeichnung))?"
)
_NO_ELECTRICITY = re.compile(
    r"temp|humid|hum\b|pressure|volt|amp|current|hz|freq|pf\b|power ?factor|kvar|kva|price|cost"
    r"|tariff|rate\b|eur|usd|gbp|co2|carbon|quality|flag|status|state|estimat|code|note|comment"
    r"|(?:^| )id$|count|°|irradian|wind|rain|weekday|day\b|hour\b|month\b|year\b|week\b|m3|m³|gas"
    r"|water|wasser"
)
_VOLUME = re.compile(r"water|wasser|gas|volumen?")
_FOREIGN = re.compile(
    r"(?<![a-z])(?:(?:us |imperial )?gal(?:lons?)?|[ckm]?cf|ft\^?3|ft³|cubic feet|cubic foot|hcf"
    r"|therms?|[kmg]j|(?:kilo|mega|giga)joules?|m?btus?|(?:m\^?3|m³|l|lit(?:er|re)s?) ?/ ?\w+)"
    r"(?![a-z0-9])"
)
_QUALITY = re.compile(
    r"(?:(?:data|reading|value|read|interval|consumption|usage) ?)?"
    r"(?:quality|status|flag|estimated|validation)(?: ?(?:code|flag|status|id|method))?"
)
_UNIT_COLUMN = re.compile(r"units?|uom|einheit|unit of measure(?:ment)?")


def unit_of(name: str) -> Unit | None:
    """The unit that a name contains, such as `Consumption (kWh)`."""
    text = _plain(name)
    for unit, words in _UNITS:
        if re.search(f"{_BEFORE}(?:{words}){_AFTER}", text):
            return unit
    return next((unit for unit, word in _GLUED if text.endswith(word)), None)


def foreign_unit_of(name: str) -> str:
    """The unit that a name contains and that cannot be read, such as gallons; empty without one."""
    found = None if unit_of(name) else _FOREIGN.search(_plain(name))
    return found[0] if found else ""


def is_volume_name(name: str) -> bool:
    """Whether a name is that of water or gas, which are counted in m3 or l."""
    return bool(_VOLUME.search(_plain(name)))


def is_register_name(name: str) -> bool:
    """Whether a name is one of a counter, such as `total_kwh`."""
    return bool(_REGISTER.search(_plain(name)))


def is_meter_name(name: str) -> bool:
    """Whether a column of this name tells which meter a row is of."""
    return bool(_METER.fullmatch(_plain(name)))


def is_unit_column(name: str) -> bool:
    """Whether a column of this name holds the unit of a row's value."""
    return bool(_UNIT_COLUMN.fullmatch(_plain(name)))


def is_quality_name(name: str) -> bool:
    """Whether a column of this name holds quality flags, such as measured or estimated."""
    return bool(_QUALITY.fullmatch(_plain(name)))


def is_other_quantity(name: str) -> bool:
    """Whether a name is that of something that no meter counts, such as a temperature."""
    return unit_of(name) is None and bool(_NO_ELECTRICITY.search(_plain(name)))


def is_utc_name(name: str) -> bool:
    """Whether a column's name says that its times are in UTC."""
    return bool(re.search(r"\b(?:utc|gmt)\b", _plain(name)))


def is_end_name(name: str) -> bool:
    """Whether a column's name says that it holds the end of the interval."""
    return bool(re.search(r"\bend|\bto\b|\buntil\b|\bending\b|\bbis\b|\bstop\b", _plain(name)))


def is_start_name(name: str) -> bool:
    """Whether a column's name says that it holds the start of the interval."""
    return bool(re.search(r"\bstart|\bfrom\b|\bbegin|\bvon\b|\bab\b", _plain(name)))


def _plain(name: str) -> str:
    return re.sub(r"[\s_]+", " ", name).strip().lower()
