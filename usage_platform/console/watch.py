"""`usage-platform watch`: anomalies or episodes as they come, as a table or as lines.

Belongs here: what is read, and to whom it is shown how. Not here: the words and the table
(`message_lines`, `message_table`), which messages are wanted (`core.alerts.message_filter`).
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
from usage_platform.core.meters import Meter
from usage_platform.core.readings.messages import FUTURE_TOLERANCE, read_anomalies
from usage_platform.core.time.user_times import since as instant_since
from usage_platform.settings.settings import SettingsError

_STANDARD_OUTPUT = 1


@dataclass(frozen=True)
class Chosen:
    """What to show, and how.

    Attributes:
        wanted: Which messages.
        episodes: Those on episodes, not on single readings.
        from_beginning: From the first that the topic holds.
        follow: Go on waiting for new ones.
        as_json: For programs.
    """

    wanted: Wanted
    episodes: bool = False
    from_beginning: bool = False
    follow: bool = True
    as_json: bool = False

    @property
    def begin(self) -> datetime | None:
        """From when on to read, by the brokers' clock: no reading is of a time far after it."""
        since = self.wanted.since
        if self.from_beginning:
            return BEGINNING
        return None if since is None else since - FUTURE_TOLERANCE

    def in_words(self, meter: Meter) -> str:
        """What is shown, times in a meter's local time."""
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
    """What somebody wants to see who gave options.

    Args:
        meters: Names; none for all.
        least: A `Severity`.
        since: As `core.time.user_times.since` takes it; None for all.
        now: The current time.
        meter: The meter whose local time is meant.

    Raises:
        SettingsError: In one line, for a time that cannot be read.
    """
    try:
        first = None if since is None else instant_since(since, now, meter.timezone)
    except ValueError as error:
        raise SettingsError(f"--since: {error}") from None
    return Wanted(frozenset(meters), Severity(least), first)


def watch(kafka: KafkaSettings, chosen: Chosen, meter: Meter) -> None:
    """Show messages until Ctrl-C, or to the end of the topic.

    On a terminal what is followed is a table; else each message is a line, written at once.

    Args:
        kafka: The brokers.
        chosen: What, and how.
        meter: Gives the local time of what stands above the table.

    Raises:
        KafkaUnreachableError: When no broker answers at the start, or while not following.
        BrokenPipeError: When nobody reads the lines any more.
    """
    screen = Screen()
    is_screen = sys.stdout.isatty() and not screen.console.is_dumb_terminal
    if is_screen and chosen.follow and not chosen.as_json:
        _show_table(kafka, chosen, meter, screen)
    else:
        _print_lines(kafka, chosen, screen)


def messages(
    kafka: KafkaSettings, chosen: Chosen, told: OnState
) -> Iterator[list[tuple[dict[str, Any], bool]]]:
    """The messages as they come, each with whether it is wanted; see `values_since`."""
    wanted = MessageFilter(chosen.wanted)
    topic = EPISODE if chosen.episodes else ANOMALY
    for values in values_since(kafka, topic, chosen.begin, chosen.follow, told):
        yield [(message, wanted.takes(message)) for message in read_anomalies(values)]


def _show_table(kafka: KafkaSettings, chosen: Chosen, meter: Meter, screen: Screen) -> None:
    table = MessageTable(chosen.in_words(meter), chosen.episodes)

    def told(trouble: str) -> None:
        table.trouble = trouble

    turns = messages(kafka, chosen, told)
    table.take(next(turns))  # Where no broker answers, there is nothing to show.
    try:
        # Drawn after each turn, half a second apart at most: no thread reads what another changes.
        with Live(table, console=screen.console, screen=True, auto_refresh=False) as live:
            for come in turns:
                table.take(come)
                live.refresh()
    finally:
        # The screen is as it was before; what was there last stays to be read.
        table.is_over = True
        screen.console.print(table)


def _print_lines(kafka: KafkaSettings, chosen: Chosen, screen: Screen) -> None:
    line = episode_line if chosen.episodes else anomaly_line

    def told(trouble: str) -> None:
        if trouble:
            click.echo(f"{trouble}; waiting", err=True)

    for come in messages(kafka, chosen, told):
        for message, is_wanted in come:
            if is_wanted and chosen.as_json:
                click.echo(json_line(message))
            elif is_wanted:
                screen.console.print(line(message), soft_wrap=True)
        if _nobody_reads():
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


def _nobody_reads() -> bool:
    """Whether the other end of a pipe on standard output is closed.

    Writing would tell as well, but only when the next message comes, which may take days.
    """
    asked = select.poll()
    asked.register(_STANDARD_OUTPUT, 0)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in asked.poll(0))
