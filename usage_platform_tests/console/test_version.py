import tomllib

from click.testing import CliRunner

from usage_platform.console.cli import main
from usage_platform_tests.repository import ROOT


def test_the_version_is_that_of_the_project():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    done = CliRunner().invoke(main, ["--version"])
    assert done.exit_code == 0
    assert done.output == f"usage-platform {project['version']}\n"
