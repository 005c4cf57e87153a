"""The lock file, and that only what was locked is kept."""

import hashlib
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from usage_platform.local import jars as module
from usage_platform.local.errors import LocalError
from usage_platform.local.jar_lock import LOCAL_SETS, LOCK_FILE, LockedJar, parse_lock
from usage_platform.local.jars import bad_jars, ensure_jars, ensure_sets, ivy_module
from usage_platform.local.java import JavaHome

SUM = "0" * 64
NO_JAVA = JavaHome(Path("/nowhere"), 17)


def locked(name: str, content: bytes, set_name: str = "kafka") -> LockedJar:
    return LockedJar(set_name, "org.example", name, "1.0", hashlib.sha256(content).hexdigest())


def put(folder: Path, jar: LockedJar, content: bytes) -> Path:
    path = folder / jar.set_name / jar.file_name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def write_lock(monkeypatch, folder: Path, *jars: LockedJar) -> None:
    lock = folder / "jars.lock"
    lock.write_text(
        "".join(f"{j.set_name} {j.group}:{j.artifact}:{j.version} {j.sha256}\n" for j in jars)
    )
    monkeypatch.setattr(module, "LOCK_FILE", lock)


@pytest.fixture
def one_locked_jar(monkeypatch, tmp_path):
    """The lock holds one jar with the content b"good"; what Ivy would fetch is in `served`."""
    jar = locked("one", b"good")
    write_lock(monkeypatch, tmp_path, jar)
    served: dict[str, bytes | str] = {}

    def run_ivy(part: Path, *others) -> str:
        if "content" in served:
            (part / jar.file_name).write_bytes(served["content"])
        return served.get("said", "")

    monkeypatch.setattr(module, "_run_ivy", run_ivy)
    return jar, served


def ensure(folder: Path) -> list[str]:
    said = []
    ensure_jars(folder, NO_JAVA, {}, said.append, lambda text: None)
    return said


def test_the_lock_names_each_file_once_and_all_sets():
    jars = parse_lock(LOCK_FILE.read_text())
    assert len({(jar.set_name, jar.file_name) for jar in jars}) == len(jars)
    assert {jar.set_name for jar in jars} == {"kafka", "spark", "aws", "emr", "emr_tests"}


def test_a_line_is_read_and_comments_are_skipped():
    (jar,) = parse_lock(f"# why\n\nspark io.delta:delta-storage:4.4.0 {SUM}\n")
    assert jar == LockedJar("spark", "io.delta", "delta-storage", "4.4.0", SUM)
    assert jar.file_name == "io.delta__delta-storage-4.4.0.jar"


@pytest.mark.parametrize("line", [f"flink a:b:1 {SUM}", "kafka a:b:1 abc", f"kafka a:b {SUM}"])
def test_a_line_of_another_form_is_refused_with_its_number(line):
    with pytest.raises(ValueError, match=r"jars\.lock line 2"):
        parse_lock(f"# first\n{line}\n")


def test_a_missing_a_cut_off_and_a_changed_jar_are_bad(tmp_path):
    good, cut, changed, missing = (locked(name, b"1234") for name in "abcd")
    put(tmp_path, good, b"1234")
    put(tmp_path, cut, b"12")
    put(tmp_path, changed, b"1235")
    assert bad_jars(tmp_path, [good, cut, changed, missing]) == [cut, changed, missing]


def test_ivy_is_asked_for_two_versions_of_one_jar_and_nothing_they_need():
    jars = [LockedJar(name, "g", "a", rev, SUM) for name, rev in (("kafka", "2"), ("spark", "1"))]
    wanted = ElementTree.fromstring(ivy_module(jars)).findall("dependencies/dependency")  # noqa: S314 - our own text
    assert [found.get("rev") for found in wanted] == ["1", "2"]
    assert {found.get("transitive") for found in wanted} == {"false"}


def test_a_second_call_fetches_nothing(tmp_path, one_locked_jar):
    _, served = one_locked_jar
    served["content"] = b"good"
    assert ensure(tmp_path / "jars")
    served.clear()
    assert ensure(tmp_path / "jars") == []


def test_a_damaged_jar_is_fetched_again(tmp_path, one_locked_jar):
    jar, served = one_locked_jar
    path = put(tmp_path / "jars", jar, b"goo")
    served["content"] = b"good"
    ensure(tmp_path / "jars")
    assert path.read_bytes() == b"good"


def test_a_jar_of_an_older_lock_is_removed(tmp_path, one_locked_jar):
    jar, _ = one_locked_jar
    put(tmp_path / "jars", jar, b"good")
    old = put(tmp_path / "jars", locked("old", b""), b"")
    ensure(tmp_path / "jars")
    assert not old.exists()


def test_a_jar_that_two_sets_need_is_fetched_once_for_both(tmp_path, one_locked_jar, monkeypatch):
    jar, served = one_locked_jar
    both = (jar, locked("one", b"good", "emr"))
    write_lock(monkeypatch, tmp_path, *both)
    served["content"] = b"good"
    ensure_sets(tmp_path / "jars", ("kafka", "emr"), NO_JAVA, {}, print, print)
    assert bad_jars(tmp_path / "jars", both) == []


def test_a_jar_with_another_checksum_is_not_kept(tmp_path, one_locked_jar):
    _, served = one_locked_jar
    served["content"] = b"evil"
    with pytest.raises(LocalError, match=r"org\.example:one:1\.0 came with another checksum"):
        ensure(tmp_path / "jars")
    assert [path for path in (tmp_path / "jars").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("x\n\tHost example.org not found.\n", "check the network or proxy"),
        ("java.io.IOException: No space left on device\n", "make room"),
        ("", r"did not give org\.example:one:1\.0"),
    ],
)
def test_what_could_not_be_fetched_is_one_line_that_says_what_to_do(
    tmp_path, one_locked_jar, said, line
):
    _, served = one_locked_jar
    served["said"] = said
    with pytest.raises(LocalError, match=line) as caught:
        ensure(tmp_path / "jars")
    assert "\n" not in str(caught.value)


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path, one_locked_jar):
    (tmp_path / "file").touch()
    with pytest.raises(LocalError, match=r"cannot be stored in .*Not a directory"):
        ensure(tmp_path / "file" / "jars")


@pytest.mark.kafka
def test_the_locked_jars_of_the_local_services_are_all_in_place(jar_folders):
    jars = [jar for jar in parse_lock(LOCK_FILE.read_text()) if jar.set_name in LOCAL_SETS]
    assert bad_jars(jar_folders.kafka.parent, jars) == []
