"""`usage-platform watch`: its filters, its table on a real terminal, its lines in a real pipe."""

import json
import os
import pty
import signal
import subprocess
import sys
import time
from fcntl import ioctl
from pathlib import Path
from struct import pack
from termios import TIOCSWINSZ

import pandas as pd
import pytest

from usage_platform.adapters.kafka.topics import ANOMALY, EPISODE
from usage_platform.console.watch import Chosen, messages, wanted_of
from usage_platform.core.alerts.alert import Severity
from usage_platform.core.alerts.message_filter import Wanted
from usage_platform.core.meters import Meter
from usage_platform.settings.settings import SettingsError
from usage_platform_tests.console.made_messages import (
    METER,
    anomaly_values,
    episode_values,
    withdrawn,
)
from usage_platform_tests.stray_messages import STRAY

NOW = pd.Timestamp("2024-03-11T12:00Z")
COMMAND = (str(Path(sys.executable).with_name("usage-platform")), "watch")


def wanted(meters=(), least="low", since=None):
    return wanted_of(meters, least, since, NOW, Meter())


def test_what_is_shown_is_said_in_the_meters_local_time():
    assert Chosen(wanted()).in_words(Meter()) == "anomalies"
    chosen = Chosen(wanted(("b", "a"), "medium", "2024-03-10 14:00"), episodes=True)
    said = chosen.in_words(Meter())
    assert said == "episodes · a, b · medium or worse · since 2024-03-10 14:00 EDT"
    assert Chosen(wanted(least="high", since="2d")).in_words(Meter()) == (
        "anomalies · high · since 2024-03-09 07:00 EST"
    )


def test_a_time_that_cannot_be_read_names_its_option():
    with pytest.raises(SettingsError, match=r"^--since: expected a time like"):
        wanted(since="yesterday")


def found(kafka, chosen):
    turns = messages(kafka, chosen, lambda text: None)
    return [message for turn in turns for message, is_wanted in turn if is_wanted]


@pytest.mark.kafka
class TestTopics:
    """Read off the real broker."""

    def test_old_messages_come_from_the_beginning_or_for_a_time_and_new_ones_else(self, kafka, put):
        values = anomaly_values()
        put(kafka, [*values, *STRAY], ANOMALY)
        all_of_them = [json.loads(value) for value in values]
        assert found(kafka, Chosen(Wanted(), from_beginning=True, follow=False)) == all_of_them
        assert found(kafka, Chosen(Wanted(), follow=False)) == []
        # In local time the second of them is an hour and five minutes later.
        later = wanted(since="2024-03-10 03:00")
        assert found(kafka, Chosen(later, follow=False)) == all_of_them[1:]

    def test_episodes_of_other_meters_and_lesser_ones_are_left_out(self, kafka, put):
        values = [*episode_values(60), json.dumps(withdrawn()).encode()]
        put(kafka, values, EPISODE)
        chosen = {"episodes": True, "from_beginning": True, "follow": False}
        both = frozenset({METER.name, "other"})
        assert len(found(kafka, Chosen(Wanted(both, Severity.HIGH), **chosen))) == 3
        assert found(kafka, Chosen(Wanted(frozenset({"other"})), **chosen)) == []

    def test_in_a_pipe_each_message_is_a_line_and_it_ends_when_nobody_reads_any_more(
        self, kafka, put, tmp_path
    ):
        put(kafka, anomaly_values(), ANOMALY)
        env = os.environ | {"USAGE_KAFKA_BOOTSTRAP": kafka.bootstrap, "USAGE_DATA": str(tmp_path)}
        running = subprocess.Popen(
            (*COMMAND, "--json", "--from-beginning"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=env,
        )
        assert json.loads(running.stdout.readline())["meter"] == METER.name
        running.stdout.close()
        # No further message comes, and yet it ends.
        assert running.stderr.read() == b""
        assert running.wait(30) == 1

    def test_on_a_terminal_a_row_changes_in_place_and_ctrl_c_leaves_the_table(
        self, kafka, put, tmp_path
    ):
        first, _ = anomaly_values()
        put(kafka, [first], ANOMALY)
        env = os.environ | {
            "USAGE_KAFKA_BOOTSTRAP": kafka.bootstrap,
            "USAGE_DATA": str(tmp_path),
            "TERM": "xterm",
        }
        ours, theirs = pty.openpty()
        ioctl(theirs, TIOCSWINSZ, pack("HHHH", 20, 120, 0, 0))
        running = subprocess.Popen(
            (*COMMAND, "--from-beginning"), stdin=theirs, stdout=theirs, stderr=theirs, env=env
        )
        os.close(theirs)
        assert "1 match" in read_until(ours, "spike: 700.0 kW")
        gone = json.dumps({**json.loads(first), "status": "withdrawn"}).encode()
        put(kafka, [gone], ANOMALY)
        read_until(ours, "withdrawn: spike")
        running.send_signal(signal.SIGINT)
        left = read_until(ours, None)
        assert running.wait(30) == 0
        _, _, after = left.rpartition("\x1b[?1049l")
        assert "anomalies · 2 read, 2 match" in after
        assert after.count("withdrawn: spike") == 1


def read_until(terminal: int, text: str | None) -> str:
    """What a terminal shows until it shows a text, or until the program has ended."""
    shown, deadline = "", time.monotonic() + 60
    while text is None or text not in shown:
        assert time.monotonic() < deadline, shown
        try:
            shown += os.read(terminal, 65536).decode(errors="replace")
        except OSError:  # The program has ended.
            assert text is None, shown
            return shown
    return shown
