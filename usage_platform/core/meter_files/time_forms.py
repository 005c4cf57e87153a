"""Forms in which files write times, and which of them a column uses.

Belongs here: recognising a form. Not here: turning texts into times (`times`).
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

_CLOCK = (
    r"(?P<H>\d{1,2})[:.h](?P<M>\d{2})(?:[:.](?P<S>\d{2})(?:[.,](?P<f>\d{1,9}))?)?"
    r"(?:\s?(?P<p>[AaPp])\.?\s?[Mm]\.?)?(?:\s?(?:Uhr|h))?"
)
_COMPACT_CLOCK = r"(?P<H>\d{2})(?P<M>\d{2})(?P<S>\d{2})?(?P<f>)(?P<p>)"
_HOUR = r"(?P<H>\d{1,2})(?P<M>)(?P<S>)(?P<f>)(?P<p>)"
ZONES = {
    "WET": 0, "WEST": 1, "CET": 1, "MEZ": 1, "CEST": 2, "MESZ": 2, "EET": 2, "EEST": 3,
    "EST": -5, "EDT": -4, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
}  # fmt: skip
"""Hours ahead of UTC of abbreviations that mean one zone; CST, IST and BST mean several."""

_ZONE = rf"(?P<z>[Zz]|UTC|GMT|{'|'.join(ZONES)}|[+-]\d{{2}}(?::?\d{{2}})?)"
# Java writes the zone's name behind the offset.
_OFFSET = rf"(?:\s?{_ZONE}(?:\[[A-Za-z_/]+\])?)?"
# The end of the interval, behind its start; without a blank "-00:15" would be an offset.
_RANGE = (
    r"(?:(?:\s+(?:to|bis|à|a|-)\s+|\s*[\u2013\u2014\uff5e~]\s*)"
    r"\d[\d:./ T-]*(?:\s?[AaPp]\.?\s?[Mm]\.?)?)?"
)
_LETTER = r"[^\W\d_]"
_WEEKDAY = rf"(?:{_LETTER}{{2,10}}\.?,? )?"
_SEPARATOR = r"(?:[ T,]+|T)"
_MONTH_NAME = rf"(?P<b>{_LETTER}{{3,10}})\.?"

_DATES = {
    "%Y-%m-%d": r"(?P<Y>\d{4})(?P<s>[-/.])(?P<m>\d{1,2})(?P=s)(?P<d>\d{1,2})",
    "%d.%m.%Y": r"(?P<d>\d{1,2})\.(?P<m>\d{1,2})\.(?P<Y>\d{4}|\d{2})",
    "%d/%m/%Y": r"(?P<d>\d{1,2})(?P<s>[/-])(?P<m>\d{1,2})(?P=s)(?P<Y>\d{4}|\d{2})",
    "%m/%d/%Y": r"(?P<m>\d{1,2})(?P<s>[/-])(?P<d>\d{1,2})(?P=s)(?P<Y>\d{4}|\d{2})",
    "%Y%m%d": r"(?P<Y>\d{4})(?P<m>\d{2})(?P<d>\d{2})",
    "%d %b %Y": (
        rf"(?P<d>\d{{1,2}})[- /.]*(?:de )?{_MONTH_NAME}[- /,.]*(?:de )?(?P<Y>\d{{4}}|\d{{2}})"
    ),
    "%b %d %Y": rf"{_MONTH_NAME}[- /]*(?P<d>\d{{1,2}}),?[- /]*(?P<Y>\d{{4}})",
}
_EPOCHS = {
    "epoch_s": r"(?P<e>\d{9,10})(?:\.0*)?",
    "epoch_ms": r"(?P<e>\d{12,13})(?:\.0*)?",
    "epoch_us": r"(?P<e>1\d{15})",
    "epoch_ns": r"(?P<e>1\d{18})",
}
_DAY_FIRST, _MONTH_FIRST = "%d/%m/%Y", "%m/%d/%Y"
_DIRECTIVES = {
    "Y": r"(?P<Y>\d{4})",
    "y": r"(?P<Y>\d{2})",
    "m": r"(?P<m>\d{1,2})",
    "d": r"(?P<d>\d{1,2})",
    "b": _MONTH_NAME,
    "B": _MONTH_NAME,
    "H": r"(?P<H>\d{1,2})",
    "I": r"(?P<H>\d{1,2})",
    "M": r"(?P<M>\d{1,2})",
    "S": r"(?P<S>\d{1,2})",
    "f": r"(?P<f>\d{1,9})",
    "p": r"(?P<p>[AaPp])\.?\s?[Mm]\.?",
    "z": _ZONE,
    "a": rf"{_LETTER}{{2,10}}\.?",
    "A": rf"{_LETTER}{{2,10}}\.?",
    "%": "%",
}
# Without accents: English, German, French, Spanish, Italian, Dutch, Portuguese and Nordic ones.
_MONTHS = (
    ("jan", "ene", "gen"),
    ("feb", "fev"),
    ("mar", "mae", "maa", "mrt"),
    ("apr", "avr", "abr"),
    ("may", "mai", "mag", "mei", "maj"),
    ("jun", "juin", "giu"),
    ("jul", "juil", "lug"),
    ("aug", "aou", "ago"),
    ("sep", "set"),
    ("oct", "okt", "ott", "out"),
    ("nov",),
    ("dec", "dez", "dic", "des"),
)
MONTHS_A_YEAR = len(_MONTHS)
LEAST_SHARE = 0.5
_MOST_OFFSETS = 4


@dataclass(frozen=True)
class TimeForm:
    """How a column writes times.

    Attributes:
        name: The date's format as for `strptime`, `epoch_s` or `epoch_ms`.
        pattern: A regular expression of a whole text; its groups are named Y, m, b, d, H, M, S, f,
            p, z and e, as the directives of `strptime` are.
        is_usual: Whether it is ISO 8601, which most files use.
        option: The value of `--time-format` that says the same.
        has_hours_alone: Whether times of day are numbers of hours, without minutes.
    """

    name: str
    pattern: str
    is_usual: bool
    option: str
    has_hours_alone: bool = False


class TimeFormatError(ValueError):
    """A format of times that cannot be used; one line."""


def given_form(text: str) -> TimeForm:
    """The form that a person names.

    Args:
        text: A format of `strptime`, `epoch_s`, `epoch_ms`, `epoch_us` or `epoch_ns`. A format of
            a date alone says how the date is written; seconds, their fraction and an offset may
            always follow.

    Raises:
        TimeFormatError: For a directive that is not known, or a format without a full date.
    """
    if text in _EPOCHS:
        return TimeForm(text, _EPOCHS[text], False, text)
    pattern, known = "", set[str]()
    pieces = re.split(r"%(.)", text.strip())
    for at, piece in enumerate(pieces):
        if at % 2 == 0:
            # Any of the usual separators stands for each other.
            separators = "[ T/.,-]+(?:de )?"
            pattern += "".join(
                separators if re.match("[ /.-]", text) else re.escape(text)
                for text in re.findall("[ /.-]+|[^ /.-]", piece)
            )
            continue
        if piece not in _DIRECTIVES or piece in known:
            raise TimeFormatError(
                f"time format {text!r}: %{piece} cannot be used here; give one like "
                "'%d/%m/%Y %H:%M', epoch_s or epoch_ms"
            )
        known.add(piece)
        pattern += _DIRECTIVES[piece]
    if not ({"Y", "y"} & known and {"m", "b", "B"} & known and "d" in known):
        raise TimeFormatError(
            f"time format {text!r} has no full date; give one like '%d/%m/%Y %H:%M'"
        )
    if not {"a", "A"} & known:
        pattern = _WEEKDAY + pattern
    if not {"H", "I"} & known:
        pattern += rf"(?:{_SEPARATOR}{_CLOCK})?"
    elif "M" in known and "S" not in known and "p" not in known:
        pattern += r"(?::(?P<S>\d{2})(?:[.,](?P<f>\d{1,9}))?)?"
    if "z" not in known:
        pattern += _OFFSET + _RANGE
    has_hours_alone = bool({"H", "I"} & known) and "M" not in known
    return TimeForm(text, pattern, False, text, has_hours_alone)


def _date_and_time(date: str, clock: str) -> str:
    return rf"\s*{_WEEKDAY}{date}{clock}{_OFFSET}{_RANGE if clock else ''}\s*"


def candidate_forms(*, with_clock: bool) -> list[TimeForm]:
    """All forms that are recognised, the most usual first.

    Args:
        with_clock: Forms of a date with a time of day; else of a date alone.
    """
    forms: list[TimeForm] = []
    clocks = (_CLOCK, _COMPACT_CLOCK, _HOUR) if with_clock else ("",)
    for name, date in _DATES.items():
        for clock in clocks:
            separator = _SEPARATOR if clock else ""
            if clock == _COMPACT_CLOCK and name == "%Y%m%d":
                separator = rf"{_SEPARATOR}?"
            pattern = _date_and_time(date, separator + clock)
            usual = name == "%Y-%m-%d" and clock == _CLOCK
            option = {
                _COMPACT_CLOCK: f"{name}{'' if name == '%Y%m%d' else ' '}%H%M",
                _HOUR: f"{name} %H",
            }.get(clock, name)
            forms.append(TimeForm(name, pattern, usual, option, clock == _HOUR))
    if with_clock:
        forms += [TimeForm(name, pattern, False, name) for name, pattern in _EPOCHS.items()]
    return forms


def recognised(
    texts: Sequence[str], *, with_clock: bool = True, least_share: float = LEAST_SHARE
) -> TimeForm | None:
    """The form of most of these texts; None if there is none.

    Args:
        texts: Cells of one column; empty ones do not count.
        with_clock: As for `candidate_forms`.
        least_share: The share of the texts that the form must fit; at least one always must.
    """
    given = [text for text in texts if text.strip()]
    if not given:
        return None
    least = max(least_share * len(given), 1)
    best: tuple[int, TimeForm] | None = None
    for form in candidate_forms(with_clock=with_clock):
        fits = sum(_is_possible(form, text) for text in given)
        if fits >= least and (best is None or fits > best[0]):
            best = (fits, form)
    return best[1] if best else None


def month_of(name: str) -> int | None:
    """The month of a name or its abbreviation; None if it is none."""
    plain = unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()
    for length in (4, 3):
        for number, starts in enumerate(_MONTHS, start=1):
            if plain[:length] in starts:
                return number
    return None


def is_range(text: str) -> bool:
    """Whether a time is followed by the end of its interval, as `00:00 - 00:15` is."""
    half = r"(?:\s?[AaPp]\.?\s?[Mm]\.?)?"
    return re.fullmatch(rf".*?\d{{2}}{half}{_RANGE.removesuffix('?')}\s*", text) is not None


def has_offsets_of_ranges(form: TimeForm, texts: Sequence[str]) -> bool:
    """Whether offsets differ as no zone's do: `00:00-00:15` is a range of times."""
    found = [re.fullmatch(form.pattern, text) for text in texts]
    return len({one.groupdict().get("z") for one in found if one} - {None}) > _MOST_OFFSETS


def is_time(text: str) -> bool:
    """Whether a text could be a time of any form, with or without a time of day."""
    return any(
        _is_possible(form, text)
        for form in (*candidate_forms(with_clock=True), *candidate_forms(with_clock=False))
        if form.name not in _EPOCHS and form.name != "%Y%m%d"
    )


def day_or_month_first(form: TimeForm, texts: Sequence[str]) -> bool:
    """Whether these texts of a form fit both orders of day and month."""
    if form.name not in (_DAY_FIRST, _MONTH_FIRST):
        return False
    orders = [re.compile(_other_order(form, name)) for name in (_DAY_FIRST, _MONTH_FIRST)]
    counts = [sum(_fits(order, text) for text in texts) for order in orders]
    return counts[0] == counts[1]


def is_year_first(form: TimeForm, texts: Sequence[str]) -> bool:
    """Whether dates of two digits a part begin with the year: the last part changes as days do."""
    if form.name not in ("%d.%m.%Y", _DAY_FIRST, _MONTH_FIRST):
        return False
    found = [re.fullmatch(form.pattern, text) for text in texts]
    parts = [one.groupdict() for one in found if one]
    if any(len(part["Y"]) > 2 for part in parts):
        return False
    first = "m" if form.name == _MONTH_FIRST else "d"
    return len({part["Y"] for part in parts}) > len({part[first] for part in parts})


def _other_order(form: TimeForm, name: str) -> str:
    return form.pattern.replace(_DATES[form.name], _DATES[name])


def _is_possible(form: TimeForm, text: str) -> bool:
    return _fits(re.compile(form.pattern), text)


def _fits(pattern: re.Pattern[str], text: str) -> bool:
    found = pattern.fullmatch(text)
    if found is None:
        return False
    parts = found.groupdict()
    month, day = parts.get("m"), parts.get("d")
    if month is not None and not 1 <= int(month) <= MONTHS_A_YEAR:
        return False
    name = parts.get("b")
    if name is not None and month_of(name) is None:
        return False
    return day is None or 1 <= int(day) <= 31
