"""The arrow of imports and the rules of the house, read from the source itself."""

import ast
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import usage_platform

ROOT = Path(usage_platform.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
MOST_LINES = 300
MOST_FUNCTION_LINES = 60
# Too slow to import, or in need of a JVM, where only some runs need them.
HEAVY = ("pyspark", "sklearn", "matplotlib", "duckdb")
# Dagster is the matter of `defs`, and that of the demo, which asks its instance about runs.
DAGSTER_LAYERS = ("defs/", "definitions.py", "console/runs.py")
ENVIRONMENT_READERS = {"settings/settings.py", "local/stack.py"}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports_of(node: ast.AST) -> set[str]:
    """The modules that a piece of code imports, those of type checking left out."""
    found: set[str] = set()
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        if isinstance(child, ast.Import):
            found |= {alias.name for alias in child.names}
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, "imports are absolute"
            found |= {f"{child.module}.{alias.name}" for alias in child.names}
        found |= imports_of(child)
    return found


def top_imports_of(tree: ast.Module) -> set[str]:
    """The modules that are imported as soon as the file is."""
    return {
        name
        for node in tree.body
        for name in imports_of(ast.Module([node], []))
        if isinstance(node, ast.Import | ast.ImportFrom)
    }


def within(module: str, names: tuple[str, ...]) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in names)


# One import against each contract of pyproject.toml: into which file, and what it imports.
VIOLATIONS = {
    "layers": ("services/play.py", "usage_platform.wiring.platform"),
    "core": ("core/time/units.py", "usage_platform.core.detector.grid"),
    "systems": ("adapters/kafka/tail.py", "usage_platform.adapters.spark.session"),
    "pure": ("core/meters.py", "socket"),
    "dagster": ("services/score.py", "dagster"),
    "entry-points": ("web/hours.py", "pyspark"),
}


def broken_contracts(folder: Path) -> set[str]:
    """The contracts of pyproject.toml that a copy of the package breaks."""
    configuration = tomllib.loads((ROOT.parent / "pyproject.toml").read_text("utf-8"))
    names = {one["name"]: one["id"] for one in configuration["tool"]["importlinter"]["contracts"]}
    argv = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()"]
    options = [str(ROOT.parent / "pyproject.toml"), "--no-cache"]
    env = {**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "1000"}
    done = subprocess.run([*argv, *options], cwd=folder, env=env, capture_output=True, text=True)
    assert "Contracts:" in done.stdout, done.stdout + done.stderr
    assert (done.returncode == 0) == (" BROKEN" not in done.stdout)
    return {names[name] for name in names if f"{name} BROKEN" in done.stdout}


def test_the_imports_keep_every_contract_and_each_contract_notices_a_violation(tmp_path):
    copy = tmp_path / "usage_platform"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns("static", "__pycache__"))
    assert broken_contracts(tmp_path) == set()
    for name, module in VIOLATIONS.values():
        text = (copy / name).read_text("utf-8")
        (copy / name).write_text(f"{text}\nimport {module}\n", "utf-8")
    assert broken_contracts(tmp_path) == set(VIOLATIONS)


def test_heavy_libraries_are_imported_only_where_they_are_used():
    wrong = {
        f"{name_of(path)} imports {module}"
        for path in FILES
        for module in top_imports_of(ast.parse(path.read_text("utf-8")))
        if within(module, HEAVY)
    }
    assert not wrong


def test_only_the_definitions_import_dagster_as_a_matter_of_course():
    importers = {
        name_of(path)
        for path in FILES
        for module in top_imports_of(ast.parse(path.read_text("utf-8")))
        if within(module, ("dagster",))
    }
    assert importers
    assert not {name for name in importers if not name.startswith(DAGSTER_LAYERS)}


def test_only_the_settings_and_the_stack_read_the_environment():
    readers = set()
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute) and ast.unparse(node) in {
                "os.environ",
                "os.environb",
                "os.getenv",
                "os.putenv",
            }:
                readers.add(name_of(path))
            if isinstance(node, ast.ImportFrom) and node.module == "os":
                assert not {alias.name for alias in node.names} & {"environ", "getenv", "putenv"}
    assert readers <= ENVIRONMENT_READERS


WITHOUT_PUBLIC_NAME = (
    "dagster._core.workspace.context.WorkspaceProcessContext",
    "dagster._core.workspace.load_target.WorkspaceFileTarget",
)
"""What serves Dagster's own app: `dagster-webserver` offers no place for a guard around it."""


def test_private_parts_of_dagster_are_not_used_but_to_serve_its_app():
    wrong = {
        f"{name_of(path)} imports {module}"
        for path in FILES
        for module in imports_of(ast.parse(path.read_text("utf-8")))
        if module.startswith("dagster._")
    }
    assert wrong == {f"console/dagster_ui.py imports {name}" for name in WITHOUT_PUBLIC_NAME}


def test_no_file_is_too_long_and_each_says_what_it_is_for():
    for path in FILES:
        text = path.read_text("utf-8")
        assert len(text.splitlines()) <= MOST_LINES, name_of(path)
        assert ast.get_docstring(ast.parse(text)), name_of(path)


def code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The lines of a function without its docstring: to explain it does not make it too long."""
    end = function.end_lineno or function.lineno
    explained = function.body[0] if ast.get_docstring(function) is not None else None
    docstring = 0 if explained is None else (explained.end_lineno or 0) - explained.lineno + 1
    return end - function.lineno + 1 - docstring


def functions_of(source: str) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    nodes = ast.walk(ast.parse(source))
    return [node for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def test_no_function_is_too_long():
    too_long = {
        f"{name_of(path)}::{function.name}"
        for path in FILES
        for function in functions_of(path.read_text("utf-8"))
        if code_lines(function) > MOST_FUNCTION_LINES
    }
    assert not too_long


def test_the_length_of_a_function_counts_its_signature_and_body_but_not_its_docstring():
    source = 'def f(\n    a,\n):\n    """Says\n\n    more.\n    """\n    a()\n    return a\n'
    [function] = functions_of(source)
    assert code_lines(function) == 5
    [inner] = functions_of("class A:\n    async def g(self):\n        return 1\n")
    assert code_lines(inner) == 2


ASKING_BROKERS = {
    "committed",
    "create_topics",
    "describe_configs",
    "describe_consumer_groups",
    "describe_topics",
    "get_watermark_offsets",
    "incremental_alter_configs",
    "list_offsets",
    "list_topics",
    "offsets_for_times",
}
"""The calls of Kafka's clients that wait for an answer, without a time-out for ever."""


def calls_without_a_time_out(source: str) -> set[str]:
    return {
        node.func.attr
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ASKING_BROKERS
        # A method of the platform's own has a name of these, and no client.
        and ast.unparse(node.func.value).rpartition(".")[2] in {"admin", "client", "_client"}
        and not {"timeout", "request_timeout"} & {keyword.arg for keyword in node.keywords}
    }


def test_each_question_to_the_brokers_has_a_time_out():
    asked = {name_of(path): calls_without_a_time_out(path.read_text("utf-8")) for path in FILES}
    assert {name: calls for name, calls in asked.items() if calls} == {}
    assert calls_without_a_time_out("self._client.committed([place])") == {"committed"}


def test_only_one_place_produces_to_kafka_where_a_full_queue_is_waited_for():
    producers = {
        name_of(path)
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "produce"
    }
    assert producers == {"adapters/kafka/producing.py"}


def test_no_file_has_a_name_that_says_nothing():
    empty_names = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
    assert not {name_of(path) for path in FILES if path.stem in empty_names}
