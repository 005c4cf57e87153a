"""The README of the configuration: what it names is there."""

import re
from pathlib import Path

import pytest

from usage_platform.definitions import defs
from usage_platform_tests.terraform.terraform_command import SOURCE

pytestmark = pytest.mark.aws

README = (SOURCE / "README.md").read_text("utf-8")


def of_files(folder: Path, pattern: str, files: str) -> set[str]:
    texts = [path.read_text("utf-8") for path in sorted(folder.rglob(files))]
    return {name for text in texts for name in re.findall(pattern, text, re.MULTILINE)}


def table_rows() -> list[list[str]]:
    """The rows of the table of what the blog deployed."""
    part = README.partition("## What the blog deployed")[2].partition("\n## ")[0]
    rows = [line.strip("| \n").split(" | ") for line in part.splitlines() if line.startswith("| ")]
    return [row for row in rows[1:] if not row[0].startswith("---")]


def test_each_thing_of_the_blog_is_proved_by_tests_that_exist():
    tests = of_files(Path(__file__).parent, r"^def (test_\w+)", "test_*.py")
    runs = of_files(SOURCE / "tests", r'^run "(\w+)"', "*.tftest.hcl")
    rows = table_rows()
    assert len(rows) >= 8
    for row in rows:
        proofs = re.findall(r"`(\w+)`", row[2])
        assert proofs, row[0]
        assert set(proofs) <= tests | runs, row[0]


def test_each_resource_that_it_names_is_made():
    made = of_files(SOURCE, r'^resource "(\w+)" "(\w+)"', "*.tf")
    named = {tuple(name.split(".")) for name in re.findall(r"`(aws_\w+\.\w+)`", README)}
    assert named
    assert named <= made


def test_each_output_that_the_guide_asks_for_is_there():
    guide = (SOURCE.parent / "docs" / "deploy-aws.md").read_text("utf-8")
    asked = set(re.findall(r"terraform output (?:-raw )?(\w+)", guide))
    assert len(asked) >= 6
    assert asked <= of_files(SOURCE, r'^output "(\w+)"', "outputs.tf")


def guide() -> str:
    return (SOURCE.parent / "docs" / "deploy-aws.md").read_text("utf-8")


def test_each_variable_that_the_guide_gives_a_value_is_there():
    blocks = "\n".join(re.findall(r"^```\n(.*?)^```", guide(), re.MULTILINE | re.DOTALL))
    given = set(re.findall(r"^([a-z]\w+) += ", blocks, re.MULTILINE))
    given |= set(re.findall(r"-var (\w+)=", blocks))
    assert {"settings", "secret_settings", "operator_principals", "protect_data"} <= given
    assert given <= of_files(SOURCE, r'^variable "(\w+)"', "variables.tf")


def test_each_log_group_and_role_that_the_guide_names_is_made():
    groups = set(re.findall(r"`/usage-platform/(\w+)`", guide()))
    logs = (SOURCE / "logs.tf").read_text("utf-8")
    made = re.search(r"toset\(\[(.*?)\]\)", logs)
    assert made
    assert groups == {"emr", "platform", "shells"}
    assert groups <= {*re.findall(r'"(\w+)"', made[1]), *re.findall(r'prefix}/(\w+)"', logs)}
    roles = set(re.findall(r"role `usage-platform-(\w+)`", guide()))
    assert roles
    assert roles <= of_files(SOURCE, r'"\$\{var\.global_prefix\}-(\w+)"', "iam_*.tf")


def test_each_asset_and_sensor_of_the_guide_is_one_of_the_platform():
    repository = defs.get_repository_def()
    assets = {key.to_user_string() for key in repository.asset_graph.get_all_asset_keys()}
    asked = {
        name for names in re.findall(r"--assets ([\w,]+)", guide()) for name in names.split(",")
    }
    assert len(asked) >= 3
    assert asked <= assets
    steps = set(re.findall(r'"ops": \{"(\w+)"', guide()))
    assert steps
    assert steps <= {
        one.op.name for one in repository.assets_defs_by_key.values() if one.is_executable
    }
    sensors = set(re.findall(r"`(\w+_sensor)`", guide()))
    assert sensors
    assert sensors <= {one.name for one in repository.sensor_defs}


def test_each_file_and_variable_that_it_names_is_there():
    files = set(re.findall(r"`([\w/]+\.(?:tf|json|yaml|tfvars\.example|tftest\.hcl))`", README))
    assert len(files) > 20
    assert not {name for name in files if not (SOURCE / name).exists()}
    variables = of_files(SOURCE, r'^variable "(\w+)"', "variables.tf")
    part = README.partition("## What to choose")[2].partition("\n## ")[0]
    named = {
        name
        for line in part.splitlines()
        if line.startswith("| `")
        for name in re.findall(r"`(\w+)`", line.split(" | ")[0])
    }
    assert named
    assert named <= variables
