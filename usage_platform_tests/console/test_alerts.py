"""`usage-platform alerts`: what it prints, and how it ends."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from usage_platform.adapters.lake.files import LakeFiles, save_meters
from usage_platform.adapters.stores.reviews import ReviewStore
from usage_platform.console.cli import main
from usage_platform.core.feedback.reviews import Act, states
from usage_platform.core.meters import Meter, MeterRegistry

FILE = """
targets:
  facility: {sink: email, to: [anna@example.org], weekly: {day: monday, at: "07:00"}}
  oncall: {sink: slack}
routes:
  - name: night
    groups: [North]
    hours: 18:00-07:00
    min_cost: 50
    targets: [facility]
    quiet_hours: 22:00-07:00
    escalate_after: [{hours: 4, targets: [oncall]}]
  - {name: severe, min_severity: high, targets: [oncall]}
"""
GROUPS = "sites: [{name: North, buildings: [{name: Hall, meters: [main]}]}]"
SLACK = {"USAGE_ALERT_SLACK_URL": "https://h/geheim"}
MAIL = {"USAGE_ALERT_SMTP_URL": "smtp://h"}


@pytest.fixture
def data(tmp_path) -> Path:
    assets = tmp_path / "lake" / "assets"
    meter = Meter("main", "Europe/Rome")
    save_meters(LakeFiles(str(assets)), MeterRegistry(meter).with_meters([meter]))
    (assets / "groups.yaml").write_text(GROUPS)
    (assets / "alerts.yaml").write_text(FILE)
    return tmp_path


def run(data: Path, *args: str, **env: str) -> Result:
    argv = ["--data", str(data), "alerts", *args]
    return CliRunner().invoke(main, argv, terminal_width=200, env=env)


def test_the_file_is_checked_and_each_target_listed_with_what_it_gets(data):
    done = run(data, "check", **SLACK, **MAIL)
    assert done.exit_code == 0
    rows = [" ".join(line.split()) for line in done.output.splitlines()]
    assert "slack slack what no route takes" in rows
    assert "facility email route night mon 07:00" in rows
    assert "oncall slack route night after 4 h; route severe" in rows
    assert rows[-1] == "alerts: 2 routes; nothing is wrong"
    assert "geheim" not in done.output


def test_a_target_without_its_setting_and_an_unknown_group_are_wrong(data):
    (data / "lake" / "assets" / "alerts.yaml").write_text(FILE.replace("[North]", "[Nord]"))
    done = run(data, "check", **SLACK)
    assert done.exit_code == 1
    assert done.output.splitlines()[-2:] == [
        "target facility: USAGE_ALERT_SMTP_URL is not set",
        "route night: groups: expected a group of groups.yaml, got 'Nord'",
    ]


def test_a_file_is_checked_before_it_is_copied_and_a_mistake_is_one_line(data, tmp_path):
    file = tmp_path / "new.yaml"
    file.write_text(FILE.replace("hours: 4", "hours: soon"))
    done = run(data, "check", str(file))
    assert done.exit_code == 1
    assert f"{file}: route night: step 1: hours: expected a number such as 0.25" in done.output
    assert done.output.count("\n") == 1
    file.write_bytes(b"routes: \xff")
    assert "expected UTF-8" in run(data, "check", str(file)).output


def test_without_a_file_it_says_who_gets_alerts(data):
    (data / "lake" / "assets" / "alerts.yaml").unlink()
    done = run(data, "check", **SLACK)
    assert done.exit_code == 0
    rows = [" ".join(line.split()) for line in done.output.splitlines()]
    assert "slack slack what no route takes" in rows
    assert "no such file; every alert goes to all configured sinks" in rows[-1]
    assert route(data, **SLACK) == ["no route takes it; sent to all configured sinks: slack"]


def route(data, *options, **env):
    given = ("route", "--meter", "main", "--kind", "night_load", *options)
    return run(data, *given, **env).output.splitlines()


def test_it_says_which_route_takes_an_episode_and_who_gets_it_when(data):
    assert route(data, "--cost", "50", "--at", "2024-03-30T23:00") == [
        "route night: takes it",
        # The clocks change in this night.
        "  facility: held until 2024-03-31 07:00 CEST",
        "  oncall: after 4 h without acknowledgement",
    ]
    assert route(data, "--cost", "50", "--at", "2024-03-30T20:00")[1] == "  facility: at once"


def test_it_says_why_the_others_do_not_take_it(data):
    assert route(data, "--at", "2024-03-30T12:00") == [
        "route night: no, days or hours: it is Sat 12:00 in Europe/Rome",
        "route severe: takes it",
        "  oncall: at once",
    ]
    assert route(data, "--at", "2024-03-30T23:00", "--severity", "medium", **SLACK) == [
        "route night: no, min_cost: the cost is not known",
        "route severe: no, min_severity: medium is below high",
        "no route takes it; sent to all configured sinks: slack",
    ]
    assert route(data, "--at", "2024-03-30T23:00", "--severity", "low")[-1] == (
        "no route takes it; below USAGE_ALERT_MIN_SEVERITY=medium"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--kind", "nigh"), "--kind: expected one of spike, drop"),
        (("--cost", "much"), "--cost: expected a number such as 12.50, got 'much'"),
        (("--cost", "nan"), "--cost: expected a number such as 12.50, got 'nan'"),
        (("--at", "noon"), "alerts route: "),
        (("--meter", " "), "alerts route: meter name: expected 1 to 200 printable"),
    ],
)
def test_an_option_that_cannot_be_read_is_one_line(data, options, message):
    given = {"--meter": "main", "--kind": "spike"} | dict([options])
    done = run(data, "route", *(word for pair in given.items() for word in pair))
    assert done.exit_code == 1
    assert message in done.output
    assert done.output.count("\n") == 1


def test_a_peak_warning_is_acknowledged_by_its_day(data):
    done = run(data, "acknowledge", "a/b/2024-03-05T00:00-05:00:opened")
    assert done.output == "a/b: episode 2024-03-05T00:00-05:00 acknowledged\n"
    (review,) = ReviewStore(LakeFiles(str(data / "lake" / "assets"))).read()
    assert (review.episode, review.says) == ("2024-03-05T00:00-05:00", None)


@pytest.mark.parametrize(
    "name",
    ["a/b/2024-03-05T18:05Z", "a/b/2024-03-05T18:05Z:opened", "a/b/2024-03-05T18:05Z:closed:2"],
)
def test_an_episode_is_acknowledged_by_its_name_or_the_id_of_an_alert(data, name):
    done = run(data, "acknowledge", name, "--note", " known ")
    said = "a/b: episode 2024-03-05T18:05Z acknowledged\n"
    assert (done.exit_code, done.output) == (0, said)
    (review,) = ReviewStore(LakeFiles(str(data / "lake" / "assets"))).read()
    assert (review.act, review.note) == (Act.ACKNOWLEDGE, "known")
    state = states([review])["a/b", "2024-03-05T18:05Z"]
    assert state.acknowledged_at is not None


@pytest.mark.parametrize(
    "name",
    [
        "",
        "main",
        "main/",
        "/2024-03-05T18:05Z",
        "main/2024-03-05",
        "storm/spike/2024-03-05T18:05Z:1",
    ],
)
def test_what_is_no_episode_is_refused_and_nothing_is_kept(data, name):
    done = run(data, "acknowledge", name)
    assert done.exit_code == 1
    assert "expected METER/TIME such as central-library/2024-03-05T18:05Z" in done.output
    assert not (data / "lake" / "assets" / "reviews").exists()


def test_too_long_a_note_is_refused(data):
    done = run(data, "acknowledge", "main/2024-03-05T18:05Z", "--note", "x" * 1001)
    assert done.exit_code == 1
    assert "expected a note of at most 1000 characters" in done.output
