"""The rows of `usage_findings` over several nights, without Spark."""

from contextlib import contextmanager
from datetime import date

import numpy as np
import pandas as pd
import pytest

from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.lake.findings_table import known_findings
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import READINGS, USAGE_FINDINGS
from usage_platform.adapters.stores.findings_record import FindingsRecord
from usage_platform.adapters.stores.plain_yaml import plain_yaml, yaml_texts
from usage_platform.core.evaluation.finding_rates import CALENDAR
from usage_platform.core.fleet.groups import Group, GroupKind, Groups, Member
from usage_platform.core.fleet.groups_file import parse_groups
from usage_platform.core.generator.building import BuildingProfile, building_load
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.tariffs.parsing import parse_tariffs
from usage_platform.services import usage_findings
from usage_platform.services.meter_findings import FindingInputs, MeterFindings
from usage_platform.services.usage_findings import (
    compute_findings,
    present_of,
    wrong_findings,
)

LIBRARY = Meter("library", "America/New_York", 60)
REGISTRY = MeterRegistry(LIBRARY).with_meters([LIBRARY])
NO_GROUPS = Groups()
START, FAULT, DAYS = date(2024, 1, 1), pd.Timestamp("2024-04-15T04:00Z"), 172
FILE = """
tariffs:
  - name: campus
    meters: all
    unit: USD
    versions: [{valid_from: 2024-01-01, energy: [{name: energy, price: 0.25}]}]
"""
GROUPS = """
sites:
  - name: campus
    buildings: [{name: hall, meters: [library]}]
virtual:
  - {name: rest, plus: [library], minus: [lab]}
"""


def of_readings(meter, times, values):
    return pd.DataFrame(
        {"meter": meter, "event_time": times, "event_date": times.dt.date, "value": values}
    )


@pytest.fixture(scope="module")
def risen():
    """A building whose base load rises in April."""
    rng = np.random.default_rng(0)
    frame = building_load(LIBRARY, START, DAYS, BuildingProfile(), rng)
    rise = np.where(frame["ts"] >= FAULT, 0.5 * frame["value"].quantile(0.05), 0.0)
    return of_readings("library", frame["ts"], frame["value"].to_numpy(float) + rise)


@pytest.fixture
def reader(lake, write_table, risen):
    """The building, and a sub-meter in it that measured a third until two weeks ago."""
    newest = risen["event_time"].max()
    stopped = risen["event_time"] > newest - pd.Timedelta(days=14)
    lab = risen.assign(meter="lab", value=np.where(stopped, 0.0, risen["value"] / 3))
    write_table(lake, READINGS, pd.concat([risen, lab]))
    return LakeReader(lake)


def inputs_of(reader, tariffs=FILE, groups=NO_GROUPS):
    return FindingInputs(
        reader, parse_tariffs(yaml_texts(tariffs), "tariffs.yaml"), REGISTRY, CALENDAR, groups
    )


@pytest.fixture
def night(lake):
    """Compute the findings of a night; the turns taken and the lines are counted."""
    record = FindingsRecord(LakeFiles(lake.assets))
    night_of = {"turns": 0, "lines": [], "record": record}

    @contextmanager
    def turn():
        night_of["turns"] += 1
        yield

    def compute(inputs, as_of):
        at = pd.Timestamp(as_of, tz="America/New_York").value
        return compute_findings(inputs, record, at, turn, night_of["lines"].append)

    compute.of = night_of
    return compute


def increase(reader):
    rows = reader.rows(USAGE_FINDINGS)
    (row,) = rows[(rows["kind"] == "base_load_increase") & (rows["meter"] == "library")].to_dict(
        "records"
    )
    return row


def test_a_finding_has_energy_and_cost_of_a_year(reader, night):
    done = night(inputs_of(reader), "2024-06-20 04:33")
    row = increase(reader)
    assert row["cost_per_year"] == pytest.approx(0.25 * row["kwh_per_year"])
    assert row["kwh_per_year"] > 0
    assert (row["currency"], row["quarter"], row["rev"]) == ("USD", date(2024, 4, 1), 0)
    assert row["first_seen"] == row["last_seen"] == date(2024, 6, 20)
    assert row["start"] == pd.Timestamp("2024-05-23T04:00Z")
    assert (done.run.meters, done.run.failed, done.gone) == (2, {}, 0)
    assert done.new == len(reader.rows(USAGE_FINDINGS))
    # One merge, in one turn.
    assert night.of["turns"] == 1
    assert night.of["record"].read() == done.run


def test_a_building_that_runs_before_it_is_needed_is_found_by_its_hours(reader, night):
    needed = GROUPS.replace("name: hall,", "name: hall, needed: {weekdays: 10:00-22:00},")
    for text, kinds in ((GROUPS, []), (needed, ["early_start"])):
        groups = parse_groups(plain_yaml(text), {"library", "lab"})
        night(inputs_of(reader, groups=groups), "2024-06-20 04:33")
        rows = reader.rows(USAGE_FINDINGS)
        found = rows[(rows["meter"] == "library") & (rows["kind"] == "early_start")]
        assert found["kind"].tolist() == kinds
    assert "earlier than needed (10:00)" in found["sentence"].item()


def test_without_a_tariff_there_is_energy_and_no_cost(reader, night):
    night(inputs_of(reader, FILE.replace("all", "[other]")), "2024-06-20 04:33")
    row = increase(reader)
    assert row["kwh_per_year"] > 0
    assert np.isnan(row["cost_per_year"])
    assert row["currency"] is None


def test_the_same_night_again_changes_nothing_and_the_next_one_the_same_row(reader, night):
    night(inputs_of(reader), "2024-06-19 04:33")
    version = reader.state(USAGE_FINDINGS).version
    again = night(inputs_of(reader), "2024-06-19 23:00")
    assert (again.new, again.gone) == (0, 0)
    assert reader.state(USAGE_FINDINGS).version == version
    before = increase(reader)
    assert night(inputs_of(reader), "2024-06-20 04:33").new == 0
    after = increase(reader)
    assert after["id"] == before["id"]
    assert (after["first_seen"], after["last_seen"]) == (date(2024, 6, 19), date(2024, 6, 20))
    assert after["rev"] == before["rev"] + 1


def test_what_is_no_longer_found_keeps_its_row_and_comes_back_in_it(reader, lake, night):
    inputs = inputs_of(reader)
    night(inputs, "2024-06-20 04:33")
    before = increase(reader)
    # Too little of the quarter is known for a comparison.
    early = night(inputs, "2024-04-05 04:33")
    gone = increase(reader)
    assert early.gone > 0
    assert (gone["is_current"], gone["last_seen"]) == (False, date(2024, 6, 20))
    assert gone["sentence"] == before["sentence"]
    assert "library" not in set(known_findings(reader)["meter"])
    night(inputs, "2024-06-20 04:33")
    back = increase(reader)
    assert back["is_current"]
    assert (back["first_seen"], back["rev"]) == (before["first_seen"], before["rev"] + 2)


def test_a_meter_whose_readings_are_all_too_old_has_no_current_findings(reader, night):
    night(inputs_of(reader), "2024-06-20 04:33")
    done = night(inputs_of(reader), "2027-06-20 04:33")
    assert done.run.meters == 2
    assert known_findings(reader).empty


def test_a_meter_that_fails_keeps_its_rows_and_stops_no_other(reader, night, monkeypatch):
    night(inputs_of(reader), "2024-06-19 04:33")
    whole = MeterFindings.of

    def broken(self, name, history):
        if name == "lab":
            raise ValueError("no such thing")
        return whole(self, name, history)

    monkeypatch.setattr(MeterFindings, "of", broken)
    done = night(inputs_of(reader), "2024-06-20 04:33")
    assert done.run.failed == {"lab": "ValueError: no such thing"}
    assert "lab: no findings: ValueError: no such thing" in night.of["lines"]
    rows = reader.rows(USAGE_FINDINGS)
    assert increase(reader)["last_seen"] == date(2024, 6, 20)
    lab = rows[rows["meter"] == "lab"]
    assert len(lab) > 0
    assert lab["is_current"].all()
    assert set(lab["last_seen"]) == {date(2024, 6, 19)}


def test_meters_are_read_and_merged_some_at_a_time(reader, night, monkeypatch):
    monkeypatch.setattr(usage_findings, "METERS_AT_ONCE", 1)
    monkeypatch.setattr(usage_findings, "_MERGED_AT_ONCE", 1)
    night(inputs_of(reader), "2024-06-20 04:33")
    assert [line for line in night.of["lines"] if "of" in line] == [
        *("1 of 2 meters", "2 of 2 meters"),
    ]
    assert night.of["turns"] == 3
    assert set(reader.rows(USAGE_FINDINGS)["meter"]) == {"lab", "library"}


def test_sub_meters_of_a_virtual_meter_are_compared_with_their_main_meter(reader, night):
    groups = parse_groups(plain_yaml(GROUPS), {"library", "lab"})
    night(inputs_of(reader, groups=groups), "2024-06-20 00:30")
    rows = reader.rows(USAGE_FINDINGS)
    (row,) = rows[rows["kind"] == "sub_meters"].to_dict("records")
    assert row["meter"] == "library"
    assert row["sentence"] == (
        "The sub-meters leave 100% of the main meter's energy without measurement, 67% before."
    )


def with_members(*sub_meters):
    members = (Member("library", 1), *sub_meters)
    return Groups((Group("rest", GroupKind.VIRTUAL, "", None, None, members, ()),))


def test_a_sub_meter_that_was_replaced_counts_until_the_other_one_does(
    reader, night, lake, write_table, risen
):
    exchanged = date(2024, 5, 1)
    old = risen.assign(meter="old", value=risen["value"] / 3)
    write_table(lake, READINGS, old[old["event_time"] < pd.Timestamp(exchanged, tz="Etc/GMT+4")])
    groups = with_members(Member("lab", -1, since=exchanged), Member("old", -1, until=exchanged))
    night(inputs_of(reader, groups=groups), "2024-06-20 00:30")
    rows = reader.rows(USAGE_FINDINGS)
    (row,) = rows[rows["kind"] == "sub_meters"].to_dict("records")
    assert row["sentence"].endswith("energy without measurement, 67% before.")


def test_a_sub_meter_that_has_come_is_no_change_of_what_is_measured(reader, night):
    groups = with_members(Member("lab", -1, since=date(2024, 6, 10)))
    night(inputs_of(reader, groups=groups), "2024-06-20 00:30")
    assert "sub_meters" not in set(reader.rows(USAGE_FINDINGS)["kind"])


def test_a_recomputation_shows_which_findings_are_wrong(reader, lake, night):
    inputs = inputs_of(reader)
    run = night(inputs, "2024-06-20 04:33").run
    assert wrong_findings(inputs, run, ["lab", "library"]) == 0
    dearer = inputs_of(reader, FILE.replace("0.25", "0.26"))
    costly = reader.rows(USAGE_FINDINGS).query("meter == 'library' and cost_per_year > 0")
    assert wrong_findings(dearer, run, ["library"]) == len(costly) > 0


def test_what_findings_depend_on_changes_their_digest(reader, write_table, lake):
    at = pd.Timestamp("2024-06-20 04:33", tz="UTC").value
    files = reader.day_files(READINGS)
    groups = parse_groups(plain_yaml(GROUPS), {"library", "lab"})
    others = [inputs_of(reader, FILE.replace("0.25", "0.26")), inputs_of(reader, groups=groups)]
    digest = inputs_of(reader).digest(at, files)
    assert all(one.digest(at, files) != digest for one in others)
    times = pd.Series(pd.to_datetime(["2024-07-01T00:00Z"]))
    write_table(lake, READINGS, of_readings("library", times, 1.0))
    later = reader.day_files(READINGS)
    assert inputs_of(reader).digest(at, later) == digest
    after = pd.Timestamp("2024-07-02", tz="UTC").value
    assert inputs_of(reader).digest(after, later) != inputs_of(reader).digest(after, files)


def test_readings_of_the_day_that_goes_on_do_not_count(reader, write_table, lake):
    at = pd.Timestamp("2024-06-20 04:33", tz="America/New_York").value
    digests = [inputs_of(reader).digest(at, reader.day_files(READINGS))]
    # After the local midnight, and a late one before it.
    for time in ("2024-06-20T04:30Z", "2024-06-20T03:30Z"):
        times = pd.Series(pd.to_datetime([time]))
        write_table(lake, READINGS, of_readings("library", times, 1.0))
        digests.append(inputs_of(reader).digest(at, reader.day_files(READINGS)))
    assert digests[0] == digests[1] != digests[2]


def test_the_present_of_a_played_past_is_the_end_of_its_newest_hour(reader, lake, risen):
    newest = risen["event_time"].max().value + 3600 * 10**9
    assert present_of(reader, newest + 3600 * 10**9) == newest + 3600 * 10**9
    assert present_of(reader, pd.Timestamp("2026-01-01", tz="UTC").value) == newest
    assert present_of(LakeReader(type(lake)(f"{lake.root}/empty")), 0) is None


def test_without_readings_there_is_one_line(lake, night):
    with pytest.raises(LakeError, match="no such table yet"):
        night(inputs_of(LakeReader(lake)), "2024-06-20 04:33")
