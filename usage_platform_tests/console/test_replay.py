"""`usage-platform replay`: one source in, one file out; the command's mistakes are one line."""

from datetime import date

import pandas as pd
import pytest
from click.testing import CliRunner

from usage_platform.adapters.sources.csv_file import CsvSource
from usage_platform.adapters.sources.generated import GeneratedSource
from usage_platform.console.cli import main
from usage_platform.console.replay import Replayed, replay_source
from usage_platform.core.detector.options import TrainingOptions
from usage_platform.core.evaluation.replay import REPLAY_COLUMNS
from usage_platform.core.feedback.labels import NO_LABELS
from usage_platform.core.meter_files.options import CsvColumns
from usage_platform.core.meters import Meter
from usage_platform.core.readings.source import SourceError
from usage_platform_tests.core.detector.series import HOURLY, frame, library
from usage_platform_tests.no_room import no_room


@pytest.fixture
def source(tmp_path):
    instants, values = library(40)
    values[-30] *= 4
    rows = frame(instants, values)
    local = rows["ts"].dt.tz_convert(HOURLY.timezone).dt.strftime("%Y-%m-%d %H:%M:%S")
    path = tmp_path / "in.csv"
    lines = [f"{ts},{kw}" for ts, kw in zip(local, rows["value"], strict=True)]
    path.write_text("\n".join(["ts,kw", *lines, "never,5"]))
    return CsvSource((path,), HOURLY, CsvColumns("ts", None, "kw"))


def replayed(source, out) -> Replayed:
    return replay_source(source, out, TrainingOptions(), NO_LABELS, lambda line: None)


@pytest.mark.parametrize("name", ["out.csv", "out.csv.gz", "out.parquet"])
def test_every_reading_is_written_with_what_was_said_of_it(source, tmp_path, name):
    done = replayed(source, tmp_path / name)
    read = pd.read_parquet if name.endswith("parquet") else pd.read_csv
    written = read(tmp_path / name)
    assert tuple(written.columns) == ("meter", *REPLAY_COLUMNS)
    assert set(written["meter"]) == {HOURLY.name}
    assert len(written) == done.readings == 40 * 24
    assert written["flagged"].sum() == done.flagged == 1
    assert written["kind"].iloc[-30] in {"spike", "night_load"}
    assert pd.to_datetime(written["ts"], utc=True).is_monotonic_increasing


def test_quality_flags_are_written_beside_their_readings(source, tmp_path):
    (path,) = source.paths
    lines = path.read_text().splitlines()
    flagged = [f"{line},{'E' * (at == 3)}" for at, line in enumerate(lines[1:], start=1)]
    path.write_text("\n".join([lines[0] + ",quality", *flagged]))
    replayed(source, tmp_path / "out.parquet")
    written = pd.read_parquet(tmp_path / "out.parquet")
    assert tuple(written.columns) == ("meter", *REPLAY_COLUMNS, "quality")
    assert list(written["quality"]) == ["", "", "E", *[""] * (40 * 24 - 3)]


def test_what_was_done_is_said_in_one_line(source, tmp_path):
    words = replayed(source, tmp_path / "out.csv").in_words()
    assert words == (
        "960 readings scored; 1 anomalies in 1 episodes; 696 checked by rules only (too little "
        "history); 1 bad rows skipped, the first in.csv:962: ts: 'never' is not a time; expected "
        "YYYY-MM-DD HH:MM:SS of 1970 to 2037, local or with an offset such as -05:00"
    )


@pytest.mark.parametrize("name", ["out.csv", "out.csv.gz", "out.parquet"])
@pytest.mark.parametrize("is_there", [True, False])
def test_a_disk_that_is_full_leaves_the_former_file_or_none(source, tmp_path, name, is_there):
    out = tmp_path / name
    if is_there:
        out.write_text("of yesterday")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(OSError), no_room(100):
        replayed(source, out)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_link_to_the_file_stays_one(source, tmp_path):
    (tmp_path / "link.csv").symlink_to(tmp_path / "out.csv")
    for _ in range(2):
        replayed(source, tmp_path / "link.csv")
    assert (tmp_path / "link.csv").is_symlink()
    assert len(pd.read_csv(tmp_path / "out.csv")) == 40 * 24
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize("name", ["out.xlsx", "out"])
def test_an_unknown_ending_is_refused_before_anything_is_read(source, tmp_path, name):
    with pytest.raises(SourceError, match=r"has an unknown extension; expected one of \.csv"):
        replayed(source, tmp_path / name)


def test_a_missing_folder_is_named(source, tmp_path):
    with pytest.raises(SourceError, match="there is no folder"):
        replayed(source, tmp_path / "none" / "out.csv")


def test_each_meter_of_a_source_is_scored_as_if_it_were_alone(tmp_path):
    meters = (Meter("a", interval_minutes=60), Meter("b", interval_minutes=60))
    both = GeneratedSource(meters, date(2024, 1, 1), 35, 1)
    done = replayed(both, tmp_path / "both.csv")
    written = pd.read_csv(tmp_path / "both.csv")
    assert (done.readings, list(written["meter"].unique())) == (len(written), ["a", "b"])
    alone = GeneratedSource(meters[:1], date(2024, 1, 1), 35, 1)
    replayed(alone, tmp_path / "alone.csv")
    own = written[written["meter"] == "a"].reset_index(drop=True)
    pd.testing.assert_frame_equal(own, pd.read_csv(tmp_path / "alone.csv"))


def test_what_goes_on_is_told(source, tmp_path):
    told = []
    replay_source(source, tmp_path / "out.csv", TrainingOptions(), NO_LABELS, told.append)
    assert any(line.endswith("rows read") for line in told)
    assert told[-1] == "model 7 of 7 trained"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run the command on generated hours, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    given = ("--interval", "60", "--days", "3", "--holidays", "-")
    return lambda *args: CliRunner().invoke(
        main, ["--data", str(tmp_path), "replay", *given, *args], env={"COLUMNS": "200"}
    )


def test_the_command_writes_the_file_and_says_what_was_done(run, tmp_path):
    done = run("--out", "out.csv", "--method", "robust_z")
    assert done.exit_code == 0, done.output
    count = len(pd.read_csv(tmp_path / "out.csv"))
    assert f"{count} readings scored" in done.output
    assert f"{count} checked by rules only (too little history)" in done.output


@pytest.mark.parametrize(
    ("args", "line"),
    [
        (
            ("--out", "out.xlsx"),
            "out: out.xlsx has an unknown extension; expected one of .csv, .csv.gz, .parquet, .pq",
        ),
        (("--out", "none/out.csv"), "out: there is no folder none; create it"),
        (("--out", "out.csv", "--csv", "none.csv"), "none.csv"),
        (("--out", "out.csv", "--holidays", "Atlantis"), "USAGE_HOLIDAYS=Atlantis: "),
        (("--out", "out.csv", "--false-alarms", "8"), "USAGE_FALSE_ALARMS_PER_WEEK=8.0: "),
        (("--out", "out.csv", "--timezone", "Mars"), "USAGE_TIMEZONE"),
    ],
)
def test_a_mistake_on_the_command_line_is_one_line_and_no_file_is_left(run, tmp_path, args, line):
    done = run(*args)
    assert done.exit_code == 1
    assert done.output.startswith("Error: ")
    assert line in done.output
    assert done.output.count("\n") == 1
    assert list(tmp_path.glob("**/*out*")) == []


def test_closing_days_that_cannot_be_read_are_named_by_their_variable(run, tmp_path, monkeypatch):
    monkeypatch.setenv("USAGE_CLOSED_DAYS", str(tmp_path / "none.txt"))
    done = run("--out", "out.csv")
    assert (done.exit_code, done.output.count("\n")) == (1, 1)
    assert done.output.startswith("Error: USAGE_CLOSED_DAYS=")
