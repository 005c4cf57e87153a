"""What `make` says before there is anything to run."""

import os
import shutil
import subprocess
import sys

import pytest

from usage_platform_tests.repository import ROOT

# Answers what it is asked of its version, and makes an environment whose pip reaches nothing.
PYTHON = """#!/bin/sh
if [ "$1" = -c ]; then
  exec {python} -c 'import sys; sys.version_info = {version}; exec(sys.argv[1])' "$2"
fi
mkdir -p .venv/bin
printf '#!/bin/sh\\necho WARNING: Retrying >&2\\nexit 1\\n' > .venv/bin/pip
chmod +x .venv/bin/pip
"""


@pytest.fixture
def said(tmp_path):
    """What make says when it sets up with a Python of some version, away from the network."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in ("requirements.txt", "requirements-uv.txt", "pyproject.toml"):
        (tmp_path / name).touch()
    python = tmp_path / "python"

    def run(version: tuple[int, int, int]) -> str:
        python.write_text(PYTHON.format(python=sys.executable, version=version))
        python.chmod(0o755)
        command = ("make", ".venv/.installed", f"PYTHON={python}")
        # These tests may themselves be run by a make, which would have this one say so.
        env = {"PATH": os.environ["PATH"]}
        done = subprocess.run(
            command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode != 0
        return done.stdout + done.stderr

    return run


@pytest.mark.parametrize("version", [(3, 10, 19), (3, 14, 0)])
def test_set_up_refuses_a_python_that_the_package_does_not_run_on(said, version):
    lines = said(version)
    assert "Python 3.11 to 3.13 is needed, this is {}.{}: ".format(*version) in lines
    assert "installing" not in lines


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 13, 9)])
def test_packages_that_cannot_be_fetched_are_one_line(said, version):
    lines = said(version).splitlines()
    assert [line for line in lines if not line.startswith("make: ***")] == [
        "installing the packages of requirements.txt into .venv",
        "the packages cannot be fetched: check the network and the disk, then run make setup "
        "again; .venv/bin/pip install -r requirements-uv.txt says more",
    ]
