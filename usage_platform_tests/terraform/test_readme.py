"""The README of the configuration: what it names is there."""

import re
from pathlib import Path

import pytest

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
