import io

import pytest
from rich.console import Console

from usage_platform.console.screen import Screen, shown_path, table

LONG = "the data folder /a/very/long/path [with brackets] " * 4


def test_a_line_stays_whole_where_there_is_no_terminal(capsys):
    Screen().say(LONG)
    assert capsys.readouterr().out == LONG + "\n"


@pytest.mark.parametrize("width", [80, 120])
def test_a_table_keeps_within_the_width(width):
    rows = table("Faults", "fault", "size", "after", numbers=("after",))
    rows.add_row("weekend_load", "runs like a Wednesday " * 10, "1,025 min")
    out = io.StringIO()
    Console(file=out, width=width).print(rows)
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    assert any("weekend_load" in line and "1,025 min" in line for line in lines)


def test_a_path_is_shown_from_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert shown_path(tmp_path / "a" / "logs") == "a/logs"
    assert shown_path(tmp_path.parent) == str(tmp_path.parent)
