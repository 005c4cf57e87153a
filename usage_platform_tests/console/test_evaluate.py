"""Which series `make eval` judges, and what it says of those that it was not given."""

from unittest.mock import Mock

import pytest

from usage_platform.console import evaluate

TORINO, TUESDAYS = "torino_campus_15min.csv.gz", "bpl_seven_tuesdays.csv"
LIBRARY, NET = "generated library", "net meter"
GENERATED = [LIBRARY, NET, "speed", ("forecasts", LIBRARY), "faults", ("quarters", LIBRARY)]


@pytest.fixture
def judged(monkeypatch, capsys):
    """Run it with nothing judged; the tables it would print, and the lines it says."""
    tables = []
    for name in ("generated", "torino_campus", "net_building"):
        monkeypatch.setattr(evaluate, name, lambda *args: Mock())
    monkeypatch.setattr(evaluate, "print_group", lambda _, name, *args, **kw: tables.append(name))
    monkeypatch.setattr(evaluate, "print_tuesdays", lambda *args: tables.append("Tuesdays"))
    monkeypatch.setattr(evaluate, "print_speed", lambda *args: tables.append("speed"))
    for what in ("forecasts", "quarters"):
        monkeypatch.setattr(
            evaluate, f"print_{what}", lambda _, name, *args, what=what: tables.append((what, name))
        )
    monkeypatch.setattr(evaluate, "print_found_faults", lambda *args: tables.append("faults"))

    def run(*arguments: str) -> tuple[list[str], str]:
        evaluate.main(arguments)
        return tables, capsys.readouterr().out

    return run


def test_without_data_the_generated_library_is_judged_alone(judged):
    tables, said = judged()
    assert tables == GENERATED
    assert said.startswith(f"only the generated library; --data FOLDER adds {TORINO}")


def test_with_data_the_real_series_are_judged_too(judged, tmp_path):
    for name in (TORINO, TUESDAYS):
        (tmp_path / name).touch()
    tables, said = judged("--data", str(tmp_path))
    assert tables == [
        *(LIBRARY, "Torino", NET, "Tuesdays", "speed"),
        *(("forecasts", LIBRARY), ("forecasts", "Torino")),
        *("faults", ("quarters", LIBRARY), ("quarters", "Torino")),
    ]
    assert said == ""


def test_a_series_that_is_not_there_is_said_and_left_out(judged, tmp_path):
    (tmp_path / TUESDAYS).touch()
    tables, said = judged("--data", str(tmp_path))
    assert tables == [LIBRARY, NET, "Tuesdays", *GENERATED[2:]]
    assert said == f"{tmp_path / TORINO}: not found, skipped\n"


def test_a_folder_that_is_not_there_is_one_line(judged, tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        judged("--data", str(tmp_path / "none"))
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith(
        f"--data {tmp_path / 'none'}: no such folder; expected one with {TORINO}"
    )
    assert said.count("\n") == 1
