"""Anomalies or episodes as a live table, newest first.

Belongs here: rows and header line. Not here: which messages are read (`watch`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from usage_platform.console.message_lines import STYLES
from usage_platform.core.alerts.message_filter import Subject, subject_of
from usage_platform.core.anomalies.anomaly import PUBLISHED
from usage_platform.core.anomalies.episode_messages import EpisodeStatus

MOST_ROWS = 500
"""Maximum number of rows kept; no terminal has more lines."""

_LINES_OF_HEAD = 2
"""Lines of the table beside its rows: column names and a rule."""

_GONE = "dim strike"
_WIDEST = 22
"""Maximum width of every column but the last; longer text is cut."""

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Column:
    """A column of the table; the last one takes the remaining width.

    Attributes:
        name: The heading.
        justify: Alignment of the text.
    """

    name: str
    justify: Literal["left", "right"] = "left"


_ANOMALY_COLUMNS = (
    *(Column("time"), Column("meter"), Column("severity"), Column("score", "right")),
    Column("explanation"),
)
_EPISODE_COLUMNS = (
    *(Column("since"), Column("meter"), Column("state"), Column("severity")),
    *(Column("min", "right"), Column("kWh", "right")),
    Column("explanation at the peak"),
)


def begin_of(row: Row) -> datetime:
    """Start of an anomaly or episode, in the building's local time.

    For a withdrawn episode without any other message, the start is parsed from its name (UTC).
    """
    local = row.get("ts") or row.get("start")
    if local is not None:
        return datetime.fromisoformat(local)
    zone = datetime.fromisoformat(row["at"]).tzinfo
    return datetime.fromisoformat(row["episode"]).astimezone(zone)


class MessageTable:
    """The newest anomalies or episodes, each in the state of its last message.

    Args:
        filtered: Description of the filter, shown in the header.
        episodes: Whether to show episodes instead of anomalies.
    """

    def __init__(self, filtered: str, episodes: bool) -> None:
        self.trouble = ""
        """Why no messages arrive; empty while they do."""

        self.is_over = False
        """Whether the command has ended."""

        self._filtered = filtered
        self._columns, self._cells = (
            (_EPISODE_COLUMNS, _episode_cells) if episodes else (_ANOMALY_COLUMNS, _anomaly_cells)
        )
        self._rows: dict[Subject, Row] = {}
        self._seen = self._shown = 0

    def take(self, messages: Iterable[tuple[Row, bool]]) -> None:
        """Add messages in order, each with whether it passes the filter.

        A message about a subject that has a row updates the fields it carries.
        """
        for message, shown in messages:
            self._seen += 1
            if shown:
                self._shown += 1
                subject = subject_of(message)
                self._rows[subject] = {**self._rows.get(subject, {}), **message}
        if len(self._rows) > MOST_ROWS:
            self._rows = {subject: self._rows[subject] for subject in self._newest(MOST_ROWS)}

    def _newest(self, count: int) -> list[Subject]:
        return sorted(self._rows, key=lambda one: begin_of(self._rows[one]), reverse=True)[:count]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Render the header line and as many rows as fit."""
        above = self._above()
        yield above
        lines = len(above.wrap(console, options.max_width))
        room = (options.height or console.height - 1) - lines - _LINES_OF_HEAD
        table = Table(
            box=box.SIMPLE_HEAD,
            expand=True,
            padding=(0, 1, 0, 0),
            pad_edge=False,
            show_edge=False,
        )
        for column in self._columns:
            is_last = column is self._columns[-1]
            table.add_column(
                column.name,
                justify=column.justify,
                no_wrap=True,
                overflow="ellipsis",
                ratio=1 if is_last else None,
                max_width=None if is_last else _WIDEST,
            )
        for subject in self._newest(max(0, room)):
            row = self._rows[subject]
            is_gone = row.get("status") == EpisodeStatus.WITHDRAWN
            table.add_row(*self._cells(row), style=_GONE if is_gone else None)
        yield table

    def _above(self) -> Text:
        text = Text(f"{self._filtered} · {self._seen:,} read, {self._shown:,} match")
        if self.is_over:
            return text
        if self.trouble:
            return text.append(" · ").append(f"{self.trouble}; waiting", "bold red")
        return text.append(" · following, Ctrl-C to stop")


def _anomaly_cells(row: Row) -> tuple[Text, ...]:
    said = row.get("explanation", "")
    status = row.get("status", PUBLISHED)
    return (
        _time(row),
        Text(row["meter"]),
        _severity(row),
        Text(f"{row['score']:.2f}"),
        Text(said if status == PUBLISHED else f"{status}: {said}"),
    )


def _episode_cells(row: Row) -> tuple[Text, ...]:
    lasts = ""
    if "end" in row:
        span = datetime.fromisoformat(row["end"]) - begin_of(row)
        lasts = f"{span.total_seconds() / 60:,.0f}"
    excess = row.get("excess_kwh")
    return (
        _time(row),
        Text(row["meter"]),
        Text(row["status"]),
        _severity(row),
        Text(lasts),
        Text("" if excess is None else f"{excess:+,.0f}"),
        Text(row.get("explanation", "")),
    )


def _time(row: Row) -> Text:
    return Text(f"{begin_of(row):%Y-%m-%d %H:%M %z}")


def _severity(row: Row) -> Text:
    severity = row.get("severity", "")
    return Text(severity, STYLES.get(severity, ""))
