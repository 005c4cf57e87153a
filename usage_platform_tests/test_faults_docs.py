"""docs/faults.md names tests that there are, and all cuts that `make faults` plays."""

import re

from usage_platform_tests.repository import ROOT
from usage_platform_tests.tools.faults.matrix import CUTS

TEXT = (ROOT / "docs" / "faults.md").read_text("utf-8")
TESTS = ROOT / "usage_platform_tests"
FAULTS = re.findall(r"^\| (\d+) \| (.+) \|$", TEXT, re.MULTILINE)


def has_test(named: str) -> bool:
    name, _, test = named.partition("::")
    path = TESTS / name
    return path.is_file() and f"def {test}(" in path.read_text("utf-8")


def test_each_fault_that_was_found_names_tests_that_there_are():
    assert [int(number) for number, _ in FAULTS] == list(range(1, 34))
    named = {number: re.findall(r"`([\w/]+\.py::\w+)`", row) for number, row in FAULTS}
    assert [number for number, tests in named.items() if not tests] == []
    every = [test for tests in named.values() for test in tests]
    assert [test for test in every if not has_test(test)] == []


def test_the_tables_of_results_have_all_cuts_and_no_other():
    rows = re.findall(r"^\| (.+?: .+?) \| (SIG\w+|no signal) \| \d+ \|", TEXT, re.MULTILINE)
    assert sorted(rows) == sorted((str(cut), cut.by) for cut in CUTS)
