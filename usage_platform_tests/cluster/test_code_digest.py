"""The digest of code is another one for other code, and the same for the same."""

import shutil
from pathlib import Path

import pytest

import usage_platform
from usage_platform.cluster.code_digest import code_digest

FILES = {"__init__.py": "", "core/rules.py": "LIMIT = 3\n", "core/more.py": "x = 1\n"}


def made(folder: Path, files: dict[str, str]) -> str:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return code_digest(folder)


@pytest.mark.parametrize(
    "changed",
    [
        {**FILES, "core/rules.py": "LIMIT = 4\n"},
        {**FILES, "core/new.py": ""},
        {name: text for name, text in FILES.items() if name != "core/more.py"},
        {"__init__.py": "", "core/rules.py": "x = 1\n", "core/more.py": "LIMIT = 3\n"},
        {"__init__.py": "", "rules.py": "LIMIT = 3\n", "core/more.py": "x = 1\n"},
    ],
    ids=["a line", "a file more", "a file less", "contents exchanged", "another folder"],
)
def test_other_code_has_another_digest(tmp_path, changed):
    assert made(tmp_path / "one", FILES) != made(tmp_path / "other", changed)


def test_the_same_code_elsewhere_has_the_same_digest_as_a_job_has_it(tmp_path):
    package = Path(usage_platform.__file__).parent
    # As deploy/emr_package.py copies it.
    without = shutil.ignore_patterns("__pycache__", "static")
    copied = shutil.copytree(package, tmp_path / "usage_platform", ignore=without)
    assert code_digest(copied) == code_digest()
    (copied / "core" / "__pycache__").mkdir()
    (copied / "core" / "__pycache__" / "limits.cpython-311.pyc").write_bytes(b"compiled")
    code_digest.cache_clear()
    assert code_digest(copied) == code_digest()
