"""The list of guards keeps up with the source, the tests and the docs; the run is `make guards`."""

import ast

import pytest

from usage_platform_tests.repository import ROOT
from usage_platform_tests.tools.guards.process_guards import PROCESS_GUARDS
from usage_platform_tests.tools.guards.table_guards import TABLE_GUARDS


@pytest.mark.parametrize("guard", [*TABLE_GUARDS, *PROCESS_GUARDS], ids=lambda guard: guard.name)
class TestGuard:
    def test_it_stands_in_the_source_just_once_and_python_can_read_the_file_without_it(self, guard):
        source = (ROOT / guard.file).read_text("utf-8")
        assert source.count(guard.text) == 1
        ast.parse(source.replace(guard.text, guard.instead))

    def test_the_test_that_must_notice_exists(self, guard):
        file, _, called = guard.test.partition("::")
        name = called.partition("[")[0]
        tree = ast.parse((ROOT / file).read_text("utf-8"))
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}

    def test_the_docs_name_it_with_its_test(self, guard):
        rows = (ROOT / "docs" / "guards.md").read_text("utf-8").splitlines()
        name = guard.test.partition("::")[2]
        assert [row for row in rows if row.startswith(f"| {guard.name} |") and name in row]
