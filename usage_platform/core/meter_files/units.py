"""What the name of a column says of its values: unit, and whether it is a register.

Belongs here: names and words. Not here: what the values themselves say (`meaning`).
"""

import re

from usage_platform.core.measurement import Unit

_BEFORE, _AFTER = r"(?<![a-z])", r"(?![a-z])"
# The longer ones first: "kwh" contains "kw".
_UNITS = (
    (Unit.MWH, r"mwh|megawatt[ -]?hours?"),
    (Unit.KWH, r"kwh|kw[ .*·]h|kilowatt[ -]?hours?"),
    (Unit.WH, r"wh|watt[ -]?hours?"),
    (Unit.MW, r"mw|megawatts?"),
    (Unit.KW, r"kw|kilowatts?"),
    (Unit.W, r"w|watts?"),
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
    r"|water"
)
_QUALITY = re.compile(
    r"(?:(?:data|reading|value|read|interval|consumption|usage) ?)?"
    r"(?:quality|status|flag|estimated|validation)(?: ?(?:code|flag|status|id|method))?"
)
_UNIT_COLUMN = re.compile(r"units?|uom|einheit|unit of measure(?:ment)?")


def unit_of(name: str) -> Unit | None:
    """The unit of power or energy that a name contains, such as `Consumption (kWh)`."""
    text = _plain(name)
    for unit, words in _UNITS:
        if re.search(f"{_BEFORE}(?:{words}){_AFTER}", text):
            return unit
    return next((unit for unit, word in _GLUED if text.endswith(word)), None)


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
    """Whether a name is that of something else than power or energy, such as a temperature."""
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
