"""Whether columns are channels of one meter, by their names.

Belongs here: words of directions, statistics and forecasts, in the languages of portals. Not here:
units (`units`), and choosing a column (`value_columns`).
"""

import re

from usage_platform.core.meter_files.units import plain_name

# Directions of the energy; these words are long enough to be found within others, as in
# `gridImport` and `Netzbezug`.
_DIRECTIONS = (
    r"import|export|surplus|excess|generation|generated|production|produced|solar|photovolt"
    r"|returned|feed[ -]?in|delivered|received|powerwall|batter(?:y|ie)"
    r"|bezug|einspeis|r[uü]ckspeis|rücklieferung|überschuss|erzeug|produktion|eigenverbrauch"
    r"|soutir|injec|injekt|inyec|autoconso"
    r"|vertid|excedent|generaci[oó]n|producci[oó]n|prelev|prelie|immess|immission|prodott|produzion"
    r"|afname|teruglever|opwek|inmatning|innmating|tuotanto"
)
# These only as words: "net" is in "cabinet", "max" in "Maxwell", "15 min" is a length.
_WORDS = (
    r"net|pv|grid|forward|reverse|fwd|rev|(?:dis)?charged?"
    r"|(?<![0-9] )min(?:imum)?|max(?:imum)?|avg|average|mean|median|mittel(?:wert)?|moyenne|stdev"
    r"|forecast|predicted|prediction|expected|target|baseline|budget|prognose|soll(?:wert)?"
    r"|pr[eé]vision|previsione|previsto"
)
_CHANNEL = re.compile(rf"{_DIRECTIONS}|(?<![^\W\d])(?:{_WORDS})(?![^\W\d])")
# `1-0:1.8.0` is the import and `2-0:2.8.0` the export of one meter; of two years one is not
# that of the times.
_OBIS = re.compile(r"\d-\d{1,2}:\d{1,2}\.\d")
_YEAR = re.compile(r"^(?:19|20)\d\d(?: ?[(\[].*)?$")


def is_channel(name: str) -> bool:
    """Whether a column of this name is one of several that a meter has, such as its export.

    Where each meter has a column, no column is a direction of the energy, a statistic, a forecast
    or another year.
    """
    text = plain_name(name)
    return any(pattern.search(text) for pattern in (_CHANNEL, _OBIS, _YEAR))
