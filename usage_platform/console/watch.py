"""`usage-platform watch`: follow anomalies or episodes, as a table or as lines.

Belongs here: what is read and where it is printed. Not here: the format (`message_lines`,
`message_table`), the filter (`core.alerts.message_filter`).
"""

import errno
import os
import select
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import click
import pandas as pd
from rich.live import Live

from usage_platform.adapters.kafka.topics import ANOMALY, EPISODE, KafkaSettings
from usage_platform.adapters.kafka.watch import BEGINNING, OnState, values_since
from usage_platform.console.message_lines import anomaly_line, episode_line, json_line
from usage_platform.console.message_table import MessageTable
from usage_platform.console.screen import Screen
from usage_platform.core.alerts.alert import Severity
from usage_platform.core.alerts.message_filter import MessageFilter, Wanted
from usage_platform.core.anomalies.message_parsing import parse_anomaly, parse_episode
from usage_platform.core.limits import FUTURE_TOLERANCE
from usage_platform.core.meters import Meter
from usage_platform.core.time.user_times import since as instant_since
from usage_platform.settings.settings import SettingsError

_STANDARD_OUTPUT = 1


@dataclass(frozen=True)
class Chosen:
    """What to show, and how.

    Attributes:
        wanted: The filter.
        episodes: Episode messages instead of anomalies.
        from_beginning: Start at the topic's first message.
        follow: Wait for new messages at the end of the topic.
        as_json: Print JSON lines.
    """

    wanted: Wanted
    episodes: bool = False
    from_beginning: bool = False
    follow: bool = True
    as_json: bool = False

    @property
    def begin(self) -> datetime | None:
        """Broker time to start reading at: `since`, less the tolerance for future event times."""
        since = self.wanted.since
        if self.from_beginning:
            return BEGINNING
        return None if since is None else since - FUTURE_TOLERANCE

    def in_words(self, meter: Meter) -> str:
        """A description of the filter, with times in a meter's local time."""
        parts = ["episodes" if self.episodes else "anomalies"]
        if self.wanted.meters:
            parts.append(", ".join(sorted(self.wanted.meters)))
        if self.wanted.least is not Severity.LOW:
            worse = "" if self.wanted.least is Severity.HIGH else " or worse"
            parts.append(f"{self.wanted.least}{worse}")
        if self.wanted.since is not None:
            parts.append(f"since {self.wanted.since.astimezone(meter.zone):%Y-%m-%d %H:%M %Z}")
        return " · ".join(parts)


def wanted_of(
    meters: tuple[str, ...], least: str, since: str | None, now: pd.Timestamp, meter: Meter
) -> Wanted:
    """The filter that the options describe.

    Args:
        meters: Names; none for all.
        least: The lowest `Severity`.
        since: As `core.time.user_times.since` takes it; None for all.
        now: The current time.
        meter: Its time zone applies to times without an offset.

    Raises:
        SettingsError: In one line, for a time that cannot be read.
    """
    try:
        first = None if since is None else instant_since(since, now, meter.timezone)
    except ValueError as error:
        raise SettingsError(f"--since: {error}") from None
    return Wanted(frozenset(meters), Severity(least), first)


def watch(kafka: KafkaSettings, chosen: Chosen, meter: Meter) -> None:
    """Show messages until Ctrl-C or the end of the topic.

    On a terminal they are a live table; otherwise each message is a line, flushed at once.

    Args:
        kafka: The brokers.
        chosen: What to show, and how.
        meter: Its local time is used in the header.

    Raises:
        KafkaUnreachableError: When no broker answers at the start, or while not following.
        BrokenPipeError: When the reader of the pipe is gone.
    """
    screen = Screen()
    is_screen = sys.stdout.isatty() and not screen.console.is_dumb_terminal
    if is_screen and chosen.follow and not chosen.as_json:
        _show_table(kafka, chosen, meter, screen)
    else:
        _print_lines(kafka, chosen, screen)


def messages(
    kafka: KafkaSettings, chosen: Chosen, on_state: OnState
) -> Iterator[list[tuple[dict[str, Any], bool]]]:
    """Readable messages as they arrive, each with whether it passes the filter.

    As `values_since`; what is no message of the platform is left out.
    """
    wanted = MessageFilter(chosen.wanted)
    topic, parse = (EPISODE, parse_episode) if chosen.episodes else (ANOMALY, parse_anomaly)
    for values in values_since(kafka, topic, chosen.begin, chosen.follow, on_state):
        readable = [message for value in values if (message := parse(value)) is not None]
        yield [(message, wanted.takes(message)) for message in readable]


def _show_table(kafka: KafkaSettings, chosen: Chosen, meter: Meter, screen: Screen) -> None:
    table = MessageTable(chosen.in_words(meter), chosen.episodes)

    def on_state(trouble: str) -> None:
        table.trouble = trouble

    turns = messages(kafka, chosen, on_state)
    table.take(next(turns))  # Raises when no broker answers.
    try:
        # Refreshed after each poll, at most half a second apart: no second thread reads the table.
        with Live(table, console=screen.console, screen=True, auto_refresh=False) as live:
            for come in turns:
                table.take(come)
                live.refresh()
    finally:
        # The alternate screen is left; print the last state so that it stays readable.
        table.is_over = True
        screen.console.print(table)


def _print_lines(kafka: KafkaSettings, chosen: Chosen, screen: Screen) -> None:
    line = episode_line if chosen.episodes else anomaly_line

    def on_state(trouble: str) -> None:
        if trouble:
            click.echo(f"{trouble}; waiting", err=True)

    for come in messages(kafka, chosen, on_state):
        for message, is_wanted in come:
            if is_wanted and chosen.as_json:
                click.echo(json_line(message))
            elif is_wanted:
                screen.console.print(line(message), soft_wrap=True)
        if _nobody_reads():
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


def _nobody_reads() -> bool:
    """Whether the other end of a pipe on standard output is closed.

    A write would fail too, but only with the next message, which may be days away.
    """
    asked = select.poll()
    asked.register(_STANDARD_OUTPUT, 0)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in asked.poll(0))
