"""Each kind of meter file gives the same readings, or a refusal that names what settles it."""

import json
import re
import shlex

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from usage_platform.console.cli import main
from usage_platform.core.readings.source import SourceError
from usage_platform.settings.settings import Settings
from usage_platform.wiring.sources import file_source
from usage_platform_tests.fixtures.meter_file_kinds import FOLDER, ISO, KINDS, VALUES
from usage_platform_tests.repository import ROOT

REFUSED = [kind for kind in KINDS if kind.refused]


def source(kind, **options):
    given = {"interval_minutes": "15", **options}
    if kind.name == "finer_than_said.csv" and not options:
        given["interval_minutes"] = "5"
    return file_source(Settings.from_env({}, source=str(FOLDER / kind.name), **given), {})


def quiet(_done, _total):
    pass


def assert_is_the_series(kind, readings):
    own = readings.frame[readings.frame["meter"] == kind.meters[0]]
    starts = pd.DatetimeIndex(ISO).tz_localize("America/New_York")
    if kind.name == "day_or_month.csv":
        starts -= pd.Timedelta(days=10)
    assert list(own["ts"]) == list(starts.tz_convert("UTC"))
    np.testing.assert_allclose(own["value"], VALUES, rtol=1e-9)
    assert {meter.name for meter in readings.meters} == set(kind.meters)
    assert not readings.bad_rows


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_file_is_as_the_kind_writes_it(kind):
    assert (FOLDER / kind.name).read_bytes() == kind.content


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_each_kind_gives_the_same_readings(kind):
    assert_is_the_series(kind, source(kind, **kind.options).load(quiet))


@pytest.mark.parametrize("kind", REFUSED, ids=lambda kind: kind.name)
def test_what_is_uncertain_is_refused_with_the_option_that_settles_it(kind):
    with pytest.raises(SourceError, match=kind.refused) as refused:
        source(kind).load(quiet)
    assert "\n" not in str(refused.value)


def inspected(kind, *options):
    argv = ["inspect", str(FOLDER / kind.name), "--json", "--interval", "15", *options]
    done = CliRunner().invoke(main, argv)
    return done.exit_code, json.loads(done.stdout)


@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if not kind.refused], ids=lambda kind: kind.name
)
def test_the_options_that_inspect_prints_read_the_file_right(kind):
    code, told = inspected(kind)
    assert (code, told["uncertain"]) == (0, [])
    assert set(told["meters"]) == set(kind.meters)
    again, same = inspected(kind, *told["options"])
    assert (again, same["first"], same["readings"]) == (0, told["first"], told["readings"])
    command = shlex.split(told["command"])
    assert command[:4] == ["usage-platform", "demo", "--csv", str(FOLDER / kind.name)]
    assert command[4:] == told["options"]


@pytest.mark.parametrize("kind", REFUSED, ids=lambda kind: kind.name)
def test_inspect_lists_what_is_uncertain_and_its_command_settles_it(kind):
    code, told = inspected(kind)
    if kind.name == "finer_than_said.csv":
        return
    assert code == 1
    options = [part for one in told["uncertain"] for part in shlex.split(one["option"])]
    code, settled = inspected(kind, *told["options"], *options)
    assert settled["uncertain"] == [], settled["uncertain"]


def test_the_table_of_kinds_in_the_documentation_lists_every_file():
    page = (ROOT / "docs" / "meter-data.md").read_text("utf-8")
    kinds = page.partition("\n## Kinds\n")[2]
    listed = re.findall(r"^\| `([^`]+)` \|", kinds, re.MULTILINE)
    assert sorted(set(listed)) == sorted(path.name for path in FOLDER.iterdir())
