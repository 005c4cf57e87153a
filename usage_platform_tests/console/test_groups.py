"""`usage-platform groups`: what it prints, and how it ends."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from usage_platform.adapters.lake.files import LakeFiles, save_meters
from usage_platform.console.cli import main
from usage_platform.core.meters import Meter, MeterRegistry

FILE = """
sites:
  - name: North
    buildings:
      - {name: Hall, kind: gym, area_m2: 1200, meters: [main, {meter: pump, from: 2024-03-01}]}
virtual:
  - {name: rest, plus: [main], minus: [pump]}
"""


@pytest.fixture
def data(tmp_path) -> Path:
    registry = MeterRegistry(Meter("main")).with_meters([Meter("main"), Meter("pump")])
    save_meters(LakeFiles(str(tmp_path / "lake" / "assets")), registry)
    return tmp_path


def run(data: Path, *args: str) -> Result:
    return CliRunner().invoke(main, ["--data", str(data), "groups", *args], terminal_width=200)


def test_the_lakes_file_is_checked_and_shown(data):
    (data / "lake" / "assets" / "groups.yaml").write_text(FILE)
    checked = run(data, "check")
    said = "groups: 1 sites, 1 buildings, 1 virtual meters, 2 meters; nothing is wrong\n"
    assert (checked.exit_code, checked.output) == (0, said)
    shown = run(data, "show").output
    for text in ("North", "building, gym", "1,200", "+ main + pump (from 2024-03-01)", "- pump"):
        assert text in shown


def test_without_a_file_there_are_no_groups(data):
    assert "0 sites" in run(data, "check").output


def test_a_wrong_file_is_one_line_and_an_error(data, tmp_path):
    file = tmp_path / "new.yaml"
    file.write_text(FILE.replace("plus: [main]", "plus: [mian]"))
    done = run(data, "check", str(file))
    assert done.exit_code == 1
    assert f"{file}: rest: meter 'mian' is unknown; expected a meter with rea" in done.output
    assert done.output.count("\n") == 1
    file.write_bytes(b"sites: \xff")
    assert "expected UTF-8" in run(data, "check", str(file)).output
