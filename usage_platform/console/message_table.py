"""Anomalies or episodes as a table that changes in place, the newest on top.

Belongs here: its rows and what stands above them. Not here: which messages come (`watch`).
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
"""Rows that are kept; no terminal has more lines."""

_LINES_OF_HEAD = 2
"""What a table has beside its rows: the columns' names and a rule."""

_GONE = "dim strike"
_WIDEST = 22
"""Characters of a column that is not the last: a long name is cut."""

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Column:
    """A column of the table; the last one takes what room is left.

    Attributes:
        name: What stands above it.
        justify: To which side its text is flush.
    """

    name: str
    justify: Literal["left", "right"] = "left"


_ANOMALY_COLUMNS = (
    *(Column("time"), Column("meter"), Column("severity"), Column("score", "right")),
    Column("what"),
)
_EPISODE_COLUMNS = (
    *(Column("since"), Column("meter"), Column("state"), Column("severity")),
    *(Column("min", "right"), Column("kWh", "right")),
    Column("at its peak"),
)


def begin_of(row: Row) -> datetime:
    """When an anomaly or an episode began, in the building's local time.

    A withdrawn episode of which nothing else is known tells it by its name, in UTC.
    """
    local = row.get("ts") or row.get("start")
    if local is not None:
        return datetime.fromisoformat(local)
    zone = datetime.fromisoformat(row["at"]).tzinfo
    return datetime.fromisoformat(row["episode"]).astimezone(zone)


class MessageTable:
    """The newest anomalies or episodes, each as its last message has it.

    Args:
        filtered: What is shown, in words.
        episodes: Episodes, not anomalies.
    """

    def __init__(self, filtered: str, episodes: bool) -> None:
        self.trouble = ""
        """What keeps messages from coming; empty while they come."""

        self.is_over = False
        """Whether nothing more will come."""

        self._filtered = filtered
        self._columns, self._cells = (
            (_EPISODE_COLUMNS, _episode_cells) if episodes else (_ANOMALY_COLUMNS, _anomaly_cells)
        )
        self._rows: dict[Subject, Row] = {}
        self._seen = self._shown = 0

    def take(self, messages: Iterable[tuple[Row, bool]]) -> None:
        """Take messages in their order, each with whether it is to be shown.

        One on something that has a row changes what it tells; the rest of the row stays.
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
        """As many rows as there is room for, below a line on what is shown."""
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
        text = Text(f"{self._filtered} · {self._seen:,} seen, {self._shown:,} fit")
        if self.is_over:
            return text
        if self.trouble:
            return text.append(" · ").append(f"{self.trouble}; waiting", "bold red")
        return text.append(" · following, Ctrl-C ends it")


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
