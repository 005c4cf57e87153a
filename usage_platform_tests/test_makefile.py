"""What `make` says before there is anything to run."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def made(tmp_path):
    """Set up with a Python of another version, which does nothing but check; what make said."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in ("requirements.txt", "requirements-uv.txt", "pyproject.toml"):
        (tmp_path / name).touch()
    python = tmp_path / "python"

    def run(version: tuple[int, int, int]) -> str:
        code = f"import sys; sys.version_info = {version}; exec(sys.argv[1])"
        python.write_text(f'#!/bin/sh\n[ "$1" = -c ] && exec {sys.executable} -c \'{code}\' "$2"\n')
        python.chmod(0o755)
        command = ("make", ".venv/.installed", f"PYTHON={python}")
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode != 0
        return done.stdout + done.stderr

    return run


@pytest.mark.parametrize("version", [(3, 10, 19), (3, 14, 0)])
def test_set_up_refuses_a_python_that_the_packages_are_not_locked_for(made, version):
    said = made(version)
    assert "Python 3.11 to 3.13 is needed, this is {}.{}: ".format(*version) in said
    assert "installing" not in said


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 13, 9)])
def test_set_up_goes_on_with_one_that_they_are_locked_for(made, version):
    said = made(version)
    assert "is needed" not in said
    assert "installing" in said
