"""The weekly mail as HTML.

Belongs here: its layout, which mail programs understand: tables and inline styles, no script, no
picture from elsewhere. Not here: the words (`core.alerts.weekly_summary`).
"""

from collections.abc import Sequence
from html import escape

from usage_platform.core.alerts.weekly_summary import WeekSummary, lines, subject, tables

CHART_ID = "chart"
"""The Content-ID of the picture."""

CHART_TEXT = "Power of all meters over the week, and energy against the expected energy."
_BODY = "font: 15px/1.45 sans-serif; color: #16324f; background: #fff; max-width: 46rem"
_CELL = "padding: 2px 14px 2px 0; border-bottom: 1px solid #d5dde5; vertical-align: top"


def html_of(summary: WeekSummary) -> str:
    """The mail as HTML; its picture is `cid:chart`."""
    parts = [
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">',
        f"<title>{escape(subject(summary))}</title></head>\n",
        f'<body style="{_BODY}">\n',
    ]
    parts += [f"<p>{escape(line)}</p>\n" for line in lines(summary)]
    parts.append(
        f'<p><img src="cid:{CHART_ID}" alt="{escape(CHART_TEXT)}" style="max-width: 100%"></p>\n'
    )
    for title, heads, rows, remark in tables(summary):
        parts.append(f'<h2>{escape(title)}</h2>\n<table cellspacing="0">\n')
        parts.append(_row(heads, "th"))
        parts += [_row(cells, "td") for cells in rows]
        parts.append("</table>\n" + (f"<p>{escape(remark)}</p>\n" if remark else ""))
    return "".join((*parts, "</body></html>\n"))


def _row(cells: Sequence[str], tag: str) -> str:
    """A row of a table; all cells but the first are numbers."""
    sides = ["left", *["right"] * (len(cells) - 1)]
    made = "".join(
        f'<{tag} style="{_CELL}; text-align: {side}">{escape(cell)}</{tag}>'
        for side, cell in zip(sides, cells, strict=True)
    )
    return f"<tr>{made}</tr>\n"
