"""The docs keep up with the code: the reference lists everything, the indexes every page."""

import re

import pytest

from usage_platform.adapters.lake.tables import ALL_TABLES
from usage_platform.console.cli import main
from usage_platform.definitions import defs
from usage_platform.settings.settings import PREFIX, Settings
from usage_platform_tests.repository import ROOT

DOCS = ROOT / "docs"
REFERENCE = (DOCS / "reference.md").read_text("utf-8")
README_WORDS = 1200


def part(title: str) -> str:
    """The text below a heading of the reference, up to the next one of its level or above."""
    level, _, _ = title.partition(" ")
    after = REFERENCE.partition(f"\n{title}\n")[2]
    assert after, title
    return re.split(rf"\n#{{1,{len(level)}}} ", after, maxsplit=1)[0]


def first_cells(text: str) -> set[str]:
    """The names in backticks in the first column of the tables of a text."""
    rows = [line.split(" | ")[0] for line in text.splitlines() if line.startswith("| `")]
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row)}


def test_the_reference_lists_the_settings_and_no_others():
    settings = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    assert first_cells(part("## Settings")) == settings


def test_the_reference_lists_the_commands_and_no_others():
    commands = {cell.split()[1] for cell in first_cells(part("## Commands"))}
    assert commands == set(main.commands)


@pytest.mark.parametrize("table", ALL_TABLES, ids=lambda table: table.name)
def test_the_reference_lists_the_columns_of_each_table_and_no_others(table):
    columns = {definition.split()[0] for definition in table.definitions}
    assert first_cells(part(f"### {table.name}")) == columns


def test_the_reference_lists_what_dagster_runs_and_nothing_else():
    repository = defs.get_repository_def()
    graph = repository.asset_graph
    assets = {key.to_user_string() for key in graph.get_all_asset_keys()}
    assert first_cells(part("## Assets").partition("\n### ")[0]) == assets
    assert first_cells(part("### Asset checks")) == {key.name for key in graph.asset_check_keys}
    jobs = {job.name for job in repository.get_all_jobs() if not job.name.startswith("__")}
    instigators = {one.name for one in (*repository.sensor_defs, *repository.schedule_defs)}
    assert first_cells(part("### Jobs, sensors, schedules")) == jobs | instigators


def test_the_reference_says_how_often_sensors_and_schedules_start():
    repository = defs.get_repository_def()
    seconds = {one.name: one.minimum_interval_seconds or 0 for one in repository.sensor_defs}
    kinds = {name: f"sensor, {every} s" for name, every in seconds.items() if every < 60}
    kinds |= {name: f"sensor, {every // 60} min" for name, every in seconds.items() if every >= 60}
    kinds |= {one.name: f"schedule `{one.cron_schedule}`" for one in repository.schedule_defs}
    rows = part("### Jobs, sensors, schedules").splitlines()
    assert [
        name for name in kinds if not any(f"| `{name}` | {kinds[name]} |" in r for r in rows)
    ] == []


def test_each_page_and_each_decision_is_in_an_index():
    index = (DOCS / "index.md").read_text("utf-8")
    pages = {path.name for path in DOCS.glob("*.md")} - {"index.md"}
    assert {page for page in pages if f"]({page})" not in index} == set()
    architecture = (DOCS / "architecture.md").read_text("utf-8")
    records = {f"decisions/{path.name}" for path in (DOCS / "decisions").glob("*.md")}
    assert {record for record in records if f"]({record})" not in architecture} == set()


def test_the_readme_is_short_and_names_the_commands_of_the_gate():
    readme = (ROOT / "README.md").read_text("utf-8")
    assert len(readme.split()) <= README_WORDS
    gate = (ROOT / ".ci" / "run").read_text("utf-8")
    commands = re.findall(r"^make \S+$", gate, re.MULTILINE)
    assert commands
    assert [command for command in commands if f"`{command}`" not in readme] == []
