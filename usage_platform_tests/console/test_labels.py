"""`usage-platform label`: times as people give them, local and across both clock changes."""

import pandas as pd
import pytest
from click.testing import CliRunner

from usage_platform.console.cli import main
from usage_platform.console.labels import add_label
from usage_platform.settings.settings import Settings, SettingsError
from usage_platform.wiring.platform import Platform


@pytest.fixture
def deployment(tmp_path) -> Platform:
    return Platform(Settings.from_env({}, data=tmp_path))


def where(deployment):
    """The store and the meter of a label."""
    return deployment.labels, deployment.settings.default_meter


@pytest.fixture
def label(deployment):
    """Label a stretch and say how it is kept: start and end in UTC."""

    def add(start, end, says="true", note=""):
        add_label(*where(deployment), start, end, says, note)
        row = deployment.labels.read().iloc[-1]
        return f"{row['start']:%m-%d %H:%M}", f"{row['end']:%m-%d %H:%M}"

    return add


@pytest.fixture
def run(tmp_path):
    return lambda *args: CliRunner().invoke(main, ["--data", str(tmp_path), "label", *args])


def test_times_are_the_buildings_own_in_winter_and_in_summer(label):
    assert label("2024-01-05T13:00", "2024-01-05T14:30") == ("01-05 18:00", "01-05 19:30")
    assert label("2024-07-05 13:00", "2024-07-05 14:30:00") == ("07-05 17:00", "07-05 18:30")


def test_a_time_with_an_offset_is_that_instant(label):
    assert label("2024-01-05T13:00+01:00", "2024-01-05T18:00Z") == ("01-05 12:00", "01-05 18:00")


def test_a_day_is_labelled_from_midnight_to_midnight_on_the_day_of_either_change(label):
    assert label("2024-03-10", "2024-03-11") == ("03-10 05:00", "03-11 04:00")
    assert label("2024-11-03", "2024-11-04") == ("11-03 04:00", "11-04 05:00")


def test_the_hour_that_comes_twice_is_its_first_unless_an_offset_says_another(label):
    assert label("2024-11-03T01:30", "2024-11-03T02:00") == ("11-03 05:30", "11-03 07:00")
    assert label("2024-11-03T01:30-05:00", "2024-11-03T02:00")[0] == "11-03 06:30"


@pytest.mark.parametrize("time", ["2024-03-10T02:00", "2024-03-10T02:59"])
def test_a_time_that_the_clocks_skip_is_refused(deployment, time):
    with pytest.raises(SettingsError, match=f"{time} is skipped by the clock change"):
        add_label(*where(deployment), time, "2024-03-10T04:00", "true", "")
    assert deployment.labels.read().empty


def test_what_was_said_is_kept_and_repeated(deployment):
    words = add_label(
        *where(deployment), "2024-01-05T13:00", "2024-01-05T14:00", "planned", "a fair"
    )
    assert words == "central-library: 2024-01-05 18:00Z to 2024-01-05 19:00Z labelled planned"
    (row,) = deployment.labels.read().to_dict("records")
    assert (row["meter"], row["says"], row["note"]) == ("central-library", "planned", "a fair")
    assert row["start"] == pd.Timestamp("2024-01-05T18:00Z")


def test_who_says_another_thing_of_the_same_stretch_is_believed(deployment, label):
    for says in ("true", "false"):
        label("2024-01-05T13:00", "2024-01-05T14:00", says)
    assert deployment.labels.read()["says"].tolist() == ["false"]


def test_times_of_different_fineness_stand_side_by_side(deployment, label):
    label("2024-01-05T13:00", "2024-01-05T14:00")
    label("2024-01-05T13:00:00.500", "2024-01-05T15:00")
    assert len(deployment.labels.read()) == 2


def test_the_command_labels_the_meter_that_is_named(run, deployment):
    done = run("2024-01-05T13:00", "2024-01-05T14:00", "false", "--meter", "annex", "--note", "ok")
    assert (done.exit_code, done.output) == (
        0,
        "annex: 2024-01-05 18:00Z to 2024-01-05 19:00Z labelled false\n",
    )
    assert deployment.labels.read()["meter"].tolist() == ["annex"]


@pytest.mark.parametrize(
    ("start", "end", "line"),
    [
        ("yesterday", "2024-01-05", "expected a time like 2024-03-05T13:00, got 'yesterday'"),
        ("2024-01-05", "2024-02-30", "expected a time like 2024-03-05T13:00, got '2024-02-30'"),
        ("2024-01-05", "9999-12-31", "expected a time like 2024-03-05T13:00, got '9999-12-31'"),
        ("2024-01-05", "9999-12-31T00:00Z", "got '9999-12-31T00:00Z'"),
        ("2024-03-10T02:30", "2024-03-11", "is skipped by the clock change; give another time"),
        ("2024-01-05T13:00", "2024-01-05T13:00", "expected an end after"),
        ("2024-01-05T13:00", "2024-01-04", "expected an end after"),
    ],
)
def test_a_mistake_is_one_line_and_nothing_is_kept(run, deployment, start, end, line):
    done = run(start, end, "true")
    assert done.exit_code == 1
    assert done.output.startswith("Error: label: ")
    assert line in done.output
    assert done.output.count("\n") == 1
    assert deployment.labels.read().empty


def test_an_unknown_verdict_is_refused_with_those_there_are(run):
    done = run("2024-01-05", "2024-01-06", "maybe")
    assert done.exit_code == 2
    assert "'true', 'false', 'planned'" in done.output
