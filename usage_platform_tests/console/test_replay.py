import pandas as pd
import pytest

from usage_platform.adapters.sources.csv_file import CsvSource
from usage_platform.console.replay import calendar_of, replay_file
from usage_platform.core.detector.grid import Calendar
from usage_platform.core.detector.model import Method, Tuning
from usage_platform.core.reading_rows import CsvColumns
from usage_platform.core.replay import REPLAY_COLUMNS
from usage_platform.core.source_readings import SourceError
from usage_platform_tests.core.detector.series import HOURLY, frame, library


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


def replayed(source, out):
    return replay_file(source, out, Calendar(), Method.FOREST, Tuning(), progress=lambda line: None)


@pytest.mark.parametrize("name", ["out.csv", "out.csv.gz", "out.parquet"])
def test_every_reading_is_written_with_what_was_said_of_it(source, tmp_path, name):
    done = replayed(source, tmp_path / name)
    read = pd.read_parquet if name.endswith("parquet") else pd.read_csv
    written = read(tmp_path / name)
    assert tuple(written.columns) == REPLAY_COLUMNS
    assert len(written) == done.readings == 40 * 24
    assert written["flagged"].sum() == done.flagged == 1
    assert written["kind"].iloc[-30] in {"spike", "night_load"}
    assert pd.to_datetime(written["ts"], utc=True).is_monotonic_increasing


def test_what_was_done_is_said_in_one_line(source, tmp_path):
    words = replayed(source, tmp_path / "out.csv").in_words()
    assert words == (
        "960 readings judged; 1 odd in 1 episodes; 672 only by rules, while learning; "
        "1 bad rows left out"
    )


@pytest.mark.parametrize("name", ["out.xlsx", "out"])
def test_an_unknown_ending_is_refused_before_anything_is_read(source, tmp_path, name):
    with pytest.raises(SourceError, match=r"ends in none of \.csv"):
        replayed(source, tmp_path / name)


def test_a_missing_folder_is_named(source, tmp_path):
    with pytest.raises(SourceError, match="there is no folder"):
        replayed(source, tmp_path / "none" / "out.csv")


def test_a_country_and_its_part_make_a_calendar():
    assert calendar_of("US-MA") == Calendar("US", "MA")
    assert calendar_of("IT") == Calendar("IT")
    assert calendar_of(None) == Calendar()


@pytest.mark.parametrize("country", ["Atlantis", "US-XX"])
def test_an_unknown_country_is_refused(country):
    with pytest.raises(SourceError, match="is not known"):
        calendar_of(country)
