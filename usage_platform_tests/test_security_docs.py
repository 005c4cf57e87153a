"""docs/security.md names tests that there are."""

import re

from usage_platform_tests.repository import ROOT

TEXT = (ROOT / "docs" / "security.md").read_text("utf-8")
TESTS = ROOT / "usage_platform_tests"


def test_each_test_that_the_page_names_exists():
    named = set(re.findall(r"`([\w/]+/test_\w+\.py)`", TEXT))
    assert len(named) >= 5
    assert {name for name in named if not (TESTS / name).is_file()} == set()


def test_each_row_of_a_threat_names_a_test():
    rows = [line for line in TEXT.splitlines() if re.match(r"\| (?!attack|---)", line)]
    assert len(rows) >= 8
    assert [row for row in rows if not re.search(r"test_\w+\.py", row.split(" | ")[-1])] == []
