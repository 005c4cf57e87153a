"""The hooks before a commit: the tools that are locked, and nothing fetched."""

from pathlib import PurePath

import yaml

from usage_platform_tests.repository import ROOT

CONFIGURATION = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))


def test_every_hook_is_a_tool_of_the_locked_environment():
    assert [repo["repo"] for repo in CONFIGURATION["repos"]] == ["local"]
    hooks = CONFIGURATION["repos"][0]["hooks"]
    assert {hook["language"] for hook in hooks} == {"system"}
    tools = [PurePath(hook["entry"].split()[0]) for hook in hooks]
    assert {tool.parent for tool in tools} == {PurePath(".venv/bin")}


def test_the_hooks_run_what_make_lint_runs():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    recipe = makefile.split("\nlint:")[1].split("\n\n")[0]
    commands = [line.split("$(BIN)/")[1].removesuffix(" .") for line in recipe.splitlines()[1:]]
    entries = [hook["entry"] for hook in CONFIGURATION["repos"][0]["hooks"]]
    run = [entry.removeprefix(".venv/bin/").removesuffix(" --force-exclude") for entry in entries]
    assert run == commands
