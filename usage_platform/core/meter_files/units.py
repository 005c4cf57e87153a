"""What the name of a column says of its values: unit, and whether it is a register.

Belongs here: names and words. Not here: what the values themselves say (`meaning`).
"""

import re

from usage_platform.core.measurement import Unit

_BEFORE, _AFTER = r"(?<![a-z])", r"(?![a-z])"
_M3 = r"m\^?3|m³|cbm|cubic ?met(?:er|re)s?|kubikmeter"
_L = r"lit(?:er|re)s?|ltr"
_IS_NO_RATE = r"(?! ?/| per )"
_PER = r" ?(?:/| per | je | pro | par ) ?"
_AN_HOUR = rf"{_PER}(?:h|hr|hour|std|stunde|heure|time)"
# The longer ones first: "kwh" contains "kw".
_UNITS = (
    (Unit.MW, rf"mwh{_AN_HOUR}"),
    (Unit.KW, rf"kwh{_AN_HOUR}"),
    (Unit.W, rf"wh{_AN_HOUR}"),
    (Unit.MWH, r"mwhs?|megawatt[ -]?hours?"),
    (Unit.KWH, r"kwhs?|kw[ .*·]h|kilowatt[ -]?hours?"),
    (Unit.WH, r"whs?|watt[ -]?hours?"),
    (Unit.MW, r"mw|megawatts?"),
    (Unit.KW, r"kw(?:atts?)?|kilowatts?"),
    (Unit.W, r"w|watts?"),
    (Unit.M3_H, rf"(?:{_M3}) ?(?:/|per) ?h(?:r|our)?"),
    (Unit.L_H, rf"(?:{_L}|l) ?(?:/|per) ?h(?:r|our)?"),
    (Unit.M3, rf"(?:{_M3}){_IS_NO_RATE}"),
    # A letter l with a number is a phase.
    (Unit.L, rf"(?:{_L}|(?:^|(?<=[(\[ ]))l(?! ?[0-9])){_IS_NO_RATE}"),
)
_GLUED = ((Unit.MWH, "mwh"), (Unit.KWH, "kwh"), (Unit.KW, "kw"))
_ENERGY_OR_POWER = r"(?:[kmg]?wh?|kilowatt[ -]?hours?|megawatt[ -]?hours?)(?![a-z])"
_OTHER_UNIT = re.compile(
    # A price or an intensity, such as ct/kWh and g CO2/kWh. "Energie / kWh" is a unit.
    r"(?:[€£$¥₹]|(?<![a-z])(?:eur|euros?|cts?|cents?|c|p|pence|gbp|usd|chf|rp|rappen|sek|nok|dkk"
    r"|kr|[oöø]re|pln|z[lł]|yen|jpy|aud|cad|nzd|inr|rs|zar|k?g|lbs?|t|tons?)(?![a-z])"
    rf"|co2\w*\)?)(?: ?co2\w*)?{_PER}{_ENERGY_OR_POWER}"
    rf"| per {_ENERGY_OR_POWER}|(?<=g)co2\w*{_PER}{_ENERGY_OR_POWER}"
    # A rate or a density, such as kWh/day and W/m2.
    rf"|(?<![a-z]){_ENERGY_OR_POWER}{_PER}(?:d|days?|tag|jour|d[ií]a|giorno|dag|weeks?|woche|months?"
    r"|monat|mois|mes|years?|jahr|an|a|y|m\^?2|m²|qm|sq ?m|sq ?ft|ft\^?2|ft²|kwp?|person|capita"
    r"|units?|k|°c)(?![a-z0-9])"
    # A multiple of a unit, such as (1000 kWh), and units that are none of those above.
    rf"|(?:[万千]|(?<![a-z])(?:thousand|tsd\.?|million|mio\.?) ?"
    rf"|[(\[] ?[x\xd7*]? ?10+(?:\^?[0-9]|[³⁶])? ?[x\xd7*]? ?){_ENERGY_OR_POWER}"
    r"|(?<![a-z])(?:gwh?|[km]?vah?|[km]?varh?)(?![a-z])"
    # Blind energy is not used, whatever its unit is.
    r"|re-?a[ck]ti[vf]\w*.*|r[eé]activ\w*.*|reattiv\w*.*|blind(?:energie|arbeit|leistung|strom).*"
)
_REGISTER = re.compile(
    r"total|register|cumul|counter|index|meter ?read|reading|z[aä]hler|stand\b|odometer|lifetime"
)
_METER = re.compile(
    r"(?:(?:metering|service|usage|delivery|supply|measuring) ?point|meter|device|channel|sensor"
    r"|site|building|location|mpan|mprn|esi|pod|ean|nmi|prm|pdl|gsrn|m[aå]lepunkts?|mittauspisteen|z[aä]hlpunkt|z[aä]hler|entity|circuit)"
    r"(?:[ -]?(?:id|no|nr|number|name|code|bezeichnung|tunnus))?"
)
_NO_ELECTRICITY = re.compile(
    r"temp|humid|hum\b|pressure|volt|amp|current|hz|freq|pf\b|power ?factor|kvar|kva|price|cost"
    r"|tariff|rate\b|eur|usd|gbp|co2|carbon|quality|flag|status|state|estimat|code|note|comment"
    r"|(?:^| )id$|count|°|irradian|wind|rain|weekday|day\b|hour\b|month\b|year\b|week\b|m3|m³|gas"
    r"|water|wasser"
    # The number of a row or of a table, as databases and loggers write it.
    r"|^(?:table|row|line|record|seq(?:uence)?|idx|nr|no|#|unnamed: \d+)(?: ?(?:no|nr|number|id))?$"
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
_UTC = re.compile(r"\b(?:utc|gmt)\b(?: ?([+-]) ?(\d{1,2})(?::?(\d{2}))?(?!\d))?")
_UNIT_COLUMN = re.compile(
    r"units?|uom|einheit|unit of measure(?:ment)?"
    r"|eenheid|enhet|m[aå]leenhe[dt]|unit[eé]s?|unit[aà](?: di misura)?|unidade?|yksikk[oö].*"
)


def unit_of(name: str) -> Unit | None:
    """The unit that a name contains, such as `Consumption (kWh)`."""
    text = _OTHER_UNIT.sub(" ", plain_name(name))
    for unit, words in _UNITS:
        if re.search(f"{_BEFORE}(?:{words}){_AFTER}", text):
            return unit
    return next((unit for unit, word in _GLUED if text.endswith(word)), None)


def foreign_unit_of(name: str) -> str:
    """The unit that a name contains and that cannot be read, such as gallons; empty without one."""
    text = plain_name(name)
    found = None if unit_of(name) else _OTHER_UNIT.search(text) or _FOREIGN.search(text)
    return found[0].strip(" ()[]") if found else ""


def is_volume_name(name: str) -> bool:
    """Whether a name is that of water or gas, which are counted in m3 or l."""
    return bool(_VOLUME.search(plain_name(name)))


def is_register_name(name: str) -> bool:
    """Whether a name is one of a counter, such as `total_kwh`."""
    return bool(_REGISTER.search(plain_name(name)))


def is_meter_name(name: str) -> bool:
    """Whether a column of this name tells which meter a row is of."""
    return bool(_METER.fullmatch(plain_name(name)))


def is_unit_column(name: str) -> bool:
    """Whether a column of this name holds the unit of a row's value."""
    return bool(_UNIT_COLUMN.fullmatch(plain_name(name)))


def is_quality_name(name: str) -> bool:
    """Whether a column of this name holds quality flags, such as measured or estimated."""
    return bool(_QUALITY.fullmatch(plain_name(name)))


def is_other_quantity(name: str) -> bool:
    """Whether a name is that of something that no meter counts, such as a temperature."""
    text = plain_name(name)
    return unit_of(name) is None and bool(_NO_ELECTRICITY.search(text) or _OTHER_UNIT.search(text))


def utc_offset_of(name: str) -> int | None:
    """Minutes that the times of a column are ahead of UTC by its name, such as `UTC` or `GMT+1`.

    None where it says none, or two, as those of summer and winter.
    """
    found = {
        (-1 if sign == "-" else 1) * (60 * int(hours or 0) + int(minutes or 0))
        for sign, hours, minutes in _UTC.findall(plain_name(name))
    }
    return found.pop() if len(found) == 1 else None


def is_end_name(name: str) -> bool:
    """Whether a column's name says that it holds the end of the interval."""
    return bool(
        re.search(r"\bend|\bto\b|\buntil\b|\bending\b|\bbis\b|\bstop\b|\bhe$", plain_name(name))
    )


def is_start_name(name: str) -> bool:
    """Whether a column's name says that it holds the start of the interval."""
    return bool(re.search(r"\bstart|\bfrom\b|\bbegin|\bvon\b|\bab\b", plain_name(name)))


def plain_name(name: str) -> str:
    """A name in small letters, with one blank between words."""
    return re.sub(r"[\s_]+", " ", name).strip().lower()
