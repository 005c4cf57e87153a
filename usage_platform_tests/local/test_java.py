"""Which Java is chosen, and what is said when there is none."""

from pathlib import Path
from tarfile import TarError
from urllib.error import URLError

import pytest

from usage_platform.local import java
from usage_platform.local.errors import LocalError
from usage_platform.local.java import JavaHome, ensure_java, find_java, parse_settings
from usage_platform_tests.local.fake_java import fake_java


@pytest.mark.parametrize(("said", "major"), [("1.8", 8), ("11", 11), ("17", 17), ("25", 25)])
def test_the_release_is_read_from_old_and_new_version_numbers(said, major):
    text = f"Property settings:\n    java.home = /x y\n    java.specification.version = {said}\n"
    assert parse_settings(text) == JavaHome(Path("/x y"), major)


def test_output_that_is_not_of_a_java_gives_none():
    assert parse_settings("No Java runtime present, requesting install.") is None


@pytest.mark.usefixtures("nothing_installed")
def test_java_home_comes_before_path_and_path_before_a_fetched_one(tmp_path):
    named = fake_java(tmp_path / "named", "17")
    on_path = fake_java(tmp_path / "path", "21")
    fetched = fake_java(tmp_path / "data" / "jdk" / "jdk-17", "17")
    env = {"JAVA_HOME": str(named), "PATH": f"{on_path}/bin:/bin"}
    assert find_java(env, tmp_path / "data") == JavaHome(named, 17)
    assert find_java({"PATH": env["PATH"]}, tmp_path / "data") == JavaHome(on_path, 21)
    assert find_java({"PATH": "/bin"}, tmp_path / "data") == JavaHome(fetched, 17)


@pytest.mark.usefixtures("nothing_installed")
def test_too_old_too_new_and_trimmed_javas_are_passed_over(tmp_path):
    for name, version, has_vector in (("a", "11", True), ("b", "99", True), ("c", "17", False)):
        fake_java(tmp_path / "jdk" / name, version, has_vector)
    assert find_java({"PATH": "/bin"}, tmp_path) is None
    good = fake_java(tmp_path / "jdk" / "d", "21")
    assert find_java({"PATH": "/bin"}, tmp_path) == JavaHome(good, 21)


@pytest.mark.usefixtures("nothing_installed")
def test_a_java_home_that_does_not_fit_is_said(tmp_path):
    old = fake_java(tmp_path / "old", "11")
    fake_java(tmp_path / "jdk" / "new", "17")
    said = []
    found = ensure_java(tmp_path, {"JAVA_HOME": str(old), "PATH": "/bin"}, said.append)
    assert found.major == 17
    assert said == [f"JAVA_HOME={old} is Java 11: looking for 17 to 25"]


@pytest.mark.usefixtures("nothing_installed")
def test_a_missing_java_is_fetched(tmp_path, monkeypatch):
    def download(release: int, folder: Path) -> Path:
        return fake_java(folder / f"jdk-{release}", str(release))

    monkeypatch.setattr(java, "download_java", download)
    said = []
    found = ensure_java(tmp_path, {"PATH": "/bin"}, said.append)
    assert found == JavaHome(tmp_path / "jdk" / "jdk-17", 17)
    assert len(said) == 2


@pytest.mark.usefixtures("nothing_installed")
@pytest.mark.parametrize(
    "error",
    [URLError("Name or service\nnot known"), ValueError("not known"), TarError("not known")],
)
def test_no_java_and_no_network_is_one_line_that_says_what_to_do(tmp_path, monkeypatch, error):
    def download(release: int, folder: Path) -> Path:
        raise error

    monkeypatch.setattr(java, "download_java", download)
    with pytest.raises(LocalError, match=r"not known.*install one.*or set JAVA_HOME") as caught:
        ensure_java(tmp_path, {"PATH": "/bin"}, lambda text: None)
    assert "\n" not in str(caught.value)
