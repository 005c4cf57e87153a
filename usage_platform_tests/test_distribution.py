"""What goes with the package: licences, the changelog, and the marker of its types."""

import json
import re
import tomllib

from usage_platform.local.page_scripts import VENDOR
from usage_platform_tests.repository import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
NOTICE = (ROOT / "NOTICE").read_text("utf-8")


def test_the_project_names_its_licence_and_the_files_are_there():
    assert PROJECT["license"] == "Apache-2.0"
    assert PROJECT["license-files"] == ["LICENSE", "NOTICE"]
    text = (ROOT / "LICENSE").read_text("utf-8")
    assert text.lstrip().startswith("Apache License")
    assert "END OF TERMS AND CONDITIONS" in text


def test_the_notice_names_each_script_that_is_shipped_with_its_version_and_licence():
    lock = json.loads((ROOT / "package-lock.json").read_text("utf-8"))["packages"]
    shipped = {name: package for name, package in lock.items() if name and not package.get("dev")}
    assert shipped
    for name, package in shipped.items():
        words = f"{name.removeprefix('node_modules/')} {package['version']}"
        line = re.search(rf"{re.escape(words)},\n.*{re.escape(package['license'])}", NOTICE, re.I)
        assert line, words


def test_the_notice_names_the_folder_of_scripts_and_each_set_of_jars_in_the_image():
    assert str(VENDOR.relative_to(ROOT)) in NOTICE
    assert "the sets `spark` and `aws`" in NOTICE


def test_the_changelog_has_an_entry_for_this_version_and_one_for_what_comes():
    heads = re.findall(r"^## \[(.+)\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert heads[0] == "Unreleased"
    assert PROJECT["version"] in heads


def test_the_package_says_that_it_is_typed():
    assert (ROOT / "usage_platform" / "py.typed").is_file()
