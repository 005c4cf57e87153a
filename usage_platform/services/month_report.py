"""The profile report: one page a month that needs nothing but itself.

Belongs here: HTML, with its pictures inside and without a script. Not here: calculations
(`core.load.month`, `core.load.seasons`), drawing (`profile_plots`), when it is made (`defs`).
"""

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from math import isnan

import pandas as pd

from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.core.anomalies.anomaly import records
from usage_platform.core.anomalies.episode_summary import Episode
from usage_platform.core.load.load_shape import BASE_PERCENTILE
from usage_platform.core.load.month import Month, Profile
from usage_platform.core.measurement import few_digits
from usage_platform.core.meters import Meter

MOST_METERS = 20
"""A page with more would be slow to open; the meters with most energy are shown."""

_MOST_ROWS = 30
_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; color: #16324f; background: #fff;
  max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.25rem; margin-top: 2.5rem; } h3 { font-size: 1rem; }
img { max-width: 100%; height: auto; } .wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; }
th, td { text-align: left; padding: .2rem .9rem .2rem 0; border-bottom: 1px solid #d5dde5;
  vertical-align: top; }
td:first-child { white-space: nowrap; }
td.number, th.number { text-align: right; white-space: nowrap; }
@media (max-width: 40rem) { td:first-child, td.number { white-space: normal; } }
.note { color: #4a6076; }
"""
_HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
"""


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture on the page.

    Attributes:
        title: Its heading.
        text: What it shows, for those who do not see it as well.
        png: The picture.
    """

    title: str
    text: str
    png: bytes


@dataclass(frozen=True, eq=False)
class Section:
    """A meter on the page.

    Attributes:
        profile: Its month.
        months: From `core.load.seasons.monthly`.
        episodes: The whole episodes that overlap the month, by start.
        pictures: In their order.
        model: What the promoted model thinks, a sentence; empty without one.
    """

    profile: Profile
    months: pd.DataFrame
    episodes: Sequence[Episode]
    pictures: Sequence[Picture]
    model: str


def report_name(month: Month) -> str:
    """The file of a month's report, below the lake's `assets/`."""
    return f"reports/{month.label}.html"


def save_report(assets: LakeFiles, month: Month, sections: Sequence[Section], more: int) -> str:
    """Write a month's page, all or nothing.

    Args:
        assets: The lake's files.
        month: The month.
        sections: The meters shown.
        more: How many others have readings too.

    Returns:
        Its name below `assets/`.
    """
    assets.write_text(report_name(month), page(month, sections, more))
    return report_name(month)


def page(month: Month, sections: Sequence[Section], more: int) -> str:
    """A month's page as HTML."""
    title = f"Electricity in {month.first:%B %Y}"
    parts = [_HEAD, f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"]
    parts.append(f"<h1>{title}</h1>\n")
    if more:
        parts.append(
            f'<p class="note">The {len(sections)} meters with most energy; {more} more have '
            "readings in the tables.</p>\n"
        )
    for section in sections:
        parts += _section(section)
    parts.append("</body>\n</html>\n")
    return "".join(parts)


def _section(section: Section) -> Iterable[str]:
    found = section.profile
    yield f"<h2>{escape(found.meter.name)}</h2>\n"
    yield _table(("", "#"), _figures(section))
    for picture in section.pictures:
        encoded = base64.b64encode(picture.png).decode()
        yield f"<h3>{escape(picture.title)}</h3>\n<p>{escape(picture.text)}</p>\n"
        yield f'<img alt="{escape(picture.text)}" src="data:image/png;base64,{encoded}">\n'
    if section.model:
        yield f"<h3>The model</h3>\n<p>{escape(section.model)}</p>\n"
    yield "<h3>Episodes of anomalies</h3>\n"
    yield _episodes(section)
    yield "<h3>Missing readings</h3>\n"
    yield _gaps(found)
    yield "<h3>Months</h3>\n"
    yield _months(section.months, found.meter)
    yield (
        f'<p class="note">Times are those of {escape(found.meter.timezone)}. Base load is the '
        f"median over days of the day's {BASE_PERCENTILE}th percentile; load factor is mean over "
        "peak.</p>\n"
    )


def _figures(section: Section) -> list[tuple[str, str]]:
    found, meter = section.profile.figures, section.profile.meter
    unit = meter.unit
    at = found.peak_at.tz_convert(meter.zone)
    return [
        ("energy" if meter.is_power else "volume", _shown(found.energy_kwh, 0, unit.amount, meter)),
        *_compared(section),
        ("mean power" if meter.is_power else "mean flow", _shown(found.mean_kw, 1, unit, meter)),
        ("base load", _shown(found.base_kw, 1, unit, meter)),
        ("peak", f"{_shown(found.peak_kw, 1, unit, meter)} on {at:%a} {at.day} {at:%b, %H:%M}"),
        ("load factor", f"{found.load_factor:.2f}"),
        ("readings", f"{found.readings:,} of {found.expected_readings:,}"),
        ("missing in", f"{len(section.profile.gaps):,} gaps"),
        ("episodes of anomalies", f"{len(section.episodes):,}"),
    ]


def _compared(section: Section) -> list[tuple[str, str]]:
    """Mean power against other months: their energy depends on their length and their gaps."""
    first = section.profile.month.first
    before = (pd.Timestamp(first) - pd.DateOffset(months=1)).date()
    by_month = dict(zip(section.months["month"], section.months["mean_kw"], strict=True))
    rows: list[tuple[str, str]] = []
    for what, other in (
        ("mean power against the month before", before),
        ("mean power against a year before", first.replace(year=first.year - 1)),
    ):
        if by_month.get(other):
            change = section.profile.figures.mean_kw / by_month[other] - 1
            rows.append((what, f"{change:+.1%}"))
    return rows


def _episodes(section: Section) -> str:
    if not section.episodes:
        return "<p>None.</p>\n"
    rows = [
        (
            _clock(one.start, section.profile),
            _clock(one.end, section.profile),
            one.kind.replace("_", " "),
            one.severity,
            f"{one.readings:,}",
            "-" if isnan(one.excess_kwh) else f"{one.excess_kwh:+,.0f}",
            one.explanation,
        )
        for one in section.episodes[:_MOST_ROWS]
    ]
    heads = ("from", "to", "kind", "severity", "#readings", "#kWh", "at its peak")
    return _table(heads, rows) + _left_out(len(section.episodes))


def _gaps(found: Profile) -> str:
    if not found.gaps:
        return "<p>None.</p>\n"
    longest = sorted(found.gaps, key=lambda gap: -gap.missing)[:_MOST_ROWS]
    rows = [
        (
            _clock(_utc(gap.start), found),
            _clock(_utc(gap.end), found),
            f"{gap.missing:,}",
        )
        for gap in sorted(longest, key=lambda gap: gap.start)
    ]
    return _table(("from", "to", "#readings"), rows) + _left_out(len(found.gaps))


def _clock(at: pd.Timestamp, found: Profile) -> str:
    """A time on the building's clock, with the month where it is not the report's."""
    local = at.tz_convert(found.meter.zone)
    is_within = local.date().replace(day=1) == found.month.first
    return f"{local:%a %d, %H:%M}" if is_within else f"{local:%a %d %b, %H:%M}"


def _utc(instant: int) -> pd.Timestamp:
    return pd.Timestamp(instant, tz="UTC")


def _shown(value: float, decimals: int, unit: str, meter: Meter) -> str:
    """A number with its unit; of other units than kW three digits, as tenths may be large."""
    return f"{value:,.{decimals}f} {unit}" if meter.is_power else f"{few_digits(value)} {unit}"


def _months(months: pd.DataFrame, meter: Meter) -> str:
    def number(value: float, decimals: int) -> str:
        return f"{value:,.{decimals}f}" if meter.is_power else few_digits(value)

    rows = [
        (
            f"{one['month']:%b %Y}",
            number(one["energy_kwh"], 0),
            number(one["mean_kw"], 1),
            number(one["peak_kw"], 1),
            f"{one['completeness']:.1%}",
        )
        for one in records(months)
    ]
    unit = meter.unit
    what = f"#{'energy' if meter.is_power else 'volume'}, {unit.amount}"
    heads = ("month", what, f"#mean, {unit}", f"#peak, {unit}", "#readings there")
    return _table(heads, rows)


def _left_out(count: int) -> str:
    rest = count - _MOST_ROWS
    return f'<p class="note">{rest:,} more are not shown.</p>\n' if rest > 0 else ""


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; a head that begins with # is one of numbers."""
    kinds = [' class="number"' if head.startswith("#") else "" for head in heads]
    top = "".join(
        f"<th{kind}>{escape(head.lstrip('#'))}</th>"
        for head, kind in zip(heads, kinds, strict=True)
    )
    lines = [
        "".join(f"<td{kind}>{escape(cell)}</td>" for cell, kind in zip(row, kinds, strict=True))
        for row in rows
    ]
    body = "".join(f"<tr>{line}</tr>\n" for line in lines)
    head = f"<tr>{top}</tr>\n" if any(head.lstrip("#") for head in heads) else ""
    return f'<div class="wide"><table>\n{head}{body}</table></div>\n'
