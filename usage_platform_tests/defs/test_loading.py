"""The definitions load anywhere and are found by Dagster's own tools."""

import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import usage_platform
from usage_platform_tests.defs.expected_definitions import (
    ASSETS,
    CHECKS,
    JOBS,
    SCHEDULES,
    SENSORS,
    TRAINING_CHECK,
)
from usage_platform_tests.repository import ROOT

LOAD = """
import json, sys
import usage_platform.definitions as module
assert module.defs
json.dump(sorted(sys.modules), sys.stdout)
"""
PLANTED = '''
"""One definition of each kind."""
import dagster as dg


@dg.asset
def planted_asset(): ...


@dg.asset_check(asset=planted_asset)
def planted_check(): ...


planted_job = dg.define_asset_job("planted_job", [planted_asset])


@dg.sensor(job=planted_job)
def planted_sensor(): ...


@dg.schedule(job=planted_job, cron_schedule="0 0 * * *")
def planted_schedule(): ...
'''
LIST = """
import json, sys
import usage_platform
from usage_platform.adapters.lake.tables import TABLES
from usage_platform.definitions import defs
from usage_platform.defs.asset_metadata import place_metadata
graph, repository = defs.resolve_asset_graph(), defs.get_repository_def()
json.dump({
    "assets": sorted(key.to_user_string() for key in graph.get_all_asset_keys()),
    "checks": sorted(key.name for key in graph.asset_check_keys),
    "jobs": sorted(name for name in repository.job_names if not name.startswith("__")),
    "schedules": sorted(one.name for one in repository.schedule_defs),
    "sensors": sorted(one.name for one in repository.sensor_defs),
}, sys.stdout)
"""


def bare_environment(tmp_path):
    """No variable of the platform, of Dagster or of Java; and no `java` to be found."""
    return {"PATH": str(Path(sys.executable).parent), "HOME": str(tmp_path)}


def test_they_load_in_a_bare_environment_without_a_jvm_or_a_heavy_library(tmp_path):
    done = subprocess.run(
        (sys.executable, "-c", LOAD),
        env=bare_environment(tmp_path),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    loaded = set(json.loads(done.stdout))
    assert "dagster" in loaded
    assert not loaded & {"pyspark", "py4j", "sklearn", "scipy", "matplotlib", "duckdb"}
    assert list(tmp_path.iterdir()) == []


def dg_command(*args: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run Dagster's command `dg` in the repository's folder."""
    command = (str(Path(sys.executable).parent / "dg"), *args)
    return subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, check=False)


def test_dg_loads_and_validates_them_without_a_warning(tmp_path):
    instance = (ROOT / "dagster.yaml").read_text("utf-8").replace(".usage/", f"{tmp_path}/")
    (tmp_path / "dagster.yaml").write_text(instance, "utf-8")
    done = dg_command("check", "defs", **bare_environment(tmp_path), DAGSTER_HOME=str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "All definitions loaded successfully" in done.stdout
    assert done.stderr == ""


def test_dg_lists_all_of_them_on_the_repositorys_instance(tmp_path):
    env = {**bare_environment(tmp_path), "DAGSTER_HOME": str(ROOT)}
    done = dg_command("list", "defs", "--json", **env)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    listed = json.loads(done.stdout)
    assert {one["asset_key"] for one in listed["assets"]} == ASSETS
    found = {(one["asset_key"], one["name"]) for one in listed["asset_checks"]}
    assert found == {*CHECKS, TRAINING_CHECK}
    assert {one["name"] for one in listed["jobs"]} == JOBS
    assert {one["name"] for one in listed["schedules"]} == SCHEDULES
    assert {one["name"] for one in listed["sensors"]} == SENSORS


def test_what_a_new_module_of_defs_defines_is_found_without_an_entry_elsewhere(tmp_path):
    folder = Path(usage_platform.__file__).parent
    without = shutil.ignore_patterns("static", "__pycache__")
    shutil.copytree(folder, tmp_path / folder.name, ignore=without)
    (tmp_path / folder.name / "defs" / "planted.py").write_text(PLANTED, "utf-8")
    env = {**bare_environment(tmp_path), "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        (sys.executable, "-c", LIST),
        env=env,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "assets": sorted({*ASSETS, "planted_asset"}),
        "checks": sorted({name for _, name in {*CHECKS, TRAINING_CHECK}} | {"planted_check"}),
        "jobs": sorted({*JOBS, "planted_job"}),
        "schedules": sorted({*SCHEDULES, "planted_schedule"}),
        "sensors": sorted({*SENSORS, "planted_sensor"}),
    }


def test_the_workspace_and_the_project_name_the_same_definitions():
    name = "usage_platform.definitions"
    assert name in (ROOT / "workspace.yaml").read_text("utf-8")
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]
    project = tools["dg"]["project"]
    # The platform's own code server has the location's name too: one instance shows both alike.
    named = (project["code_location_target_module"], project["code_location_name"])
    assert (tools["dagster"]["module_name"], *named) == (name, name, name)
