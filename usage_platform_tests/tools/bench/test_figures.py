import io
import json

import pytest
from rich.console import Console

from usage_platform_tests.tools.bench.figures import (
    Beside,
    Figure,
    Row,
    UnknownRowError,
    as_json,
    as_table,
    chosen,
)
from usage_platform_tests.tools.bench.rows import ROWS

FAST = Figure("events", 300.0, "events/s", (Beside("naive", 100.0), Beside("limit", 1200.0)))
SOON = Figure("a batch", 2.0, "s", (Beside("naive", 30.0),), more_is_better=False)


def row(name):
    return Row(name, f"what {name} is", lambda bench: [])


def test_rows_are_chosen_by_name_in_the_order_of_the_list():
    rows = [row("a"), row("b"), row("c")]
    assert [one.name for one in chosen(rows, "c, a")] == ["a", "c"]
    assert chosen(rows, None) == rows


def test_a_name_without_a_row_is_refused_with_the_names_that_there_are():
    with pytest.raises(UnknownRowError, match=r"^--only: no row d; choose of a, b$"):
        chosen([row("a"), row("b")], "a,d")


def test_each_row_of_the_bench_has_a_name_of_its_own():
    names = [one.name for one in ROWS]
    assert len(names) == len(set(names))


def test_a_ratio_says_how_many_times_better_whichever_way_is_better():
    assert [FAST.times_better(other) for other in FAST.beside] == [3.0, 0.25]
    assert SOON.times_better(SOON.beside[0]) == 15.0


def test_json_has_each_figure_of_a_row_with_what_is_beside_it():
    found = as_json([(row("a"), [FAST]), (row("b"), [SOON])])
    assert json.loads(json.dumps(found)) == {
        "a": [
            {
                "what": "events",
                "value": 300.0,
                "unit": "events/s",
                "beside": [
                    {"what": "naive", "value": 100.0, "times_better": 3.0},
                    {"what": "limit", "value": 1200.0, "times_better": 0.25},
                ],
            }
        ],
        "b": [
            {
                "what": "a batch",
                "value": 2.0,
                "unit": "s",
                "beside": [{"what": "naive", "value": 30.0, "times_better": 15.0}],
            }
        ],
    }


def test_the_table_names_a_row_once_and_shows_what_is_beside_a_figure():
    out = io.StringIO()
    Console(file=out, width=120).print(as_table([(row("a"), [FAST, SOON])]))
    shown = [
        [cell.strip() for cell in line.split("│")[1:-1]]
        for line in out.getvalue().splitlines()
        if line.startswith("│")
    ]
    assert shown == [
        ["a", "events", "300", "events/s", ""],
        ["", "beside: naive", "100", "", "3.00"],
        ["", "beside: limit", "1,200", "", "0.25"],
        ["", "a batch", "2.00", "s", ""],
        ["", "beside: naive", "30.0", "", "15.0"],
    ]
