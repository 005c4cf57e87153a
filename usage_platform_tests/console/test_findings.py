"""`usage-platform findings`: listed, as JSON, and their state set."""

import json

import pytest
from click.testing import CliRunner

from usage_platform.adapters.lake.tables import Lake
from usage_platform.console.cli import main
from usage_platform_tests.made_findings import finding, write_findings

FIRST, SECOND = (f"{number:012x}" for number in (8000, 400))


@pytest.fixture
def run(tmp_path):
    def invoke(*args):
        done = CliRunner().invoke(main, ["--data", str(tmp_path), "findings", *args])
        return done.exit_code, done.output

    return invoke


@pytest.fixture
def written(tmp_path):
    once = {"kwh_per_year": None, "cost_per_year": None, "sentence": "Quiet [red]."}
    write_findings(Lake(f"{tmp_path}/lake"), finding(8000), finding(400, "lab", **once))


def ids(output):
    return [json.loads(line)["id"] for line in output.splitlines()]


def test_before_the_first_night_it_says_what_computes_them(run):
    code, output = run()
    assert code == 1
    assert "dg launch --assets usage_findings" in output


@pytest.mark.usefixtures("written")
def test_findings_are_listed_by_cost(run):
    code, output = run()
    assert code == 0
    first, second = (output.index(text) for text in (FIRST, SECOND))
    assert first < second
    for text in ("8,000", "2,000 USD", "40 once", "Quiet [red].", "new"):
        assert text in output


@pytest.mark.usefixtures("written")
def test_json_has_a_line_for_each_finding(run):
    _, output = run("--json")
    assert ids(output) == [FIRST, SECOND]
    first = json.loads(output.splitlines()[0])
    assert first["start"] == "2024-05-23T04:00:00+00:00"
    assert (first["first_seen"], first["state"], first["state_since"]) == (
        *("2024-06-18", "new", None),
    )


@pytest.mark.usefixtures("written")
def test_a_state_is_set_and_filters(run):
    assert run(FIRST, "--state", "accepted") == (0, f"{FIRST}: accepted\n")
    assert ids(run("--state", "accepted", "--json")[1]) == [FIRST]
    assert ids(run("--state", "new", "--json")[1]) == [SECOND]
    assert ids(run("--meter", "lab", "--json")[1]) == [SECOND]
    assert run("--meter", "lab", "--state", "done")[1] == "no findings\n"


@pytest.mark.usefixtures("written")
@pytest.mark.parametrize(
    ("args", "reason"),
    [
        (["f00"], "expected --state new, accepted or done"),
        (["f00", "--state", "done", "--meter", "lab"], "and no other option"),
        (["f00", "--state", "done"], "findings: no finding 'f00'"),
        ([FIRST, "--state", "old"], "'old' is not one of"),
    ],
)
def test_what_means_nothing_is_refused_in_one_line(run, args, reason):
    code, output = run(*args)
    assert code != 0
    assert reason in output
