"""Which archive of classes a service starts from, and that a bad one does not stop it."""

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from usage_platform.local.archive_recording import record_archives
from usage_platform.local.class_archive import class_archive, reading, recording
from usage_platform.local.jars import JarFolders
from usage_platform.local.java import JavaHome
from usage_platform.local.spark_service import SparkEndpoint, spark_service

JAVA = JavaHome(Path("/java"), 17)


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "jars" / "set"
    made.mkdir(parents=True)
    (made / "a.jar").write_bytes(b"a")
    return made


def test_an_archive_lies_beside_the_jars_and_is_used_once_it_is_there(folder):
    archive = class_archive(JAVA, [folder])
    assert archive.parent == folder.parent / "archives"
    assert reading(archive) == ()
    archive.parent.mkdir()
    archive.touch()
    assert f"-XX:SharedArchiveFile={archive}" in reading(archive)


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "b.jar").touch(),
        lambda folder: (folder / "a.jar").write_bytes(b"other"),
        lambda folder: os.utime(folder / "a.jar", (1, 1)),
        lambda folder: (folder / "a.jar").unlink(),
    ],
)
def test_one_of_other_jars_is_not_used(folder, change):
    before = class_archive(JAVA, [folder])
    assert class_archive(JAVA, [folder]) == before
    change(folder)
    assert class_archive(JAVA, [folder]) != before


def test_one_of_another_java_or_of_more_jars_is_not_used(folder):
    archives = {
        class_archive(JAVA, [folder]),
        class_archive(replace(JAVA, home=Path("/other")), [folder]),
        class_archive(JAVA, [folder, folder.with_name("empty"), folder]),
    }
    assert len(archives) == 3


@pytest.mark.kafka
def test_java_starts_without_an_archive_that_it_cannot_read(java, jar_folders, tmp_path):
    broken = tmp_path / "broken.jsa"
    broken.write_bytes(b"no archive" * 1000)
    program = ("-cp", f"{jar_folders.kafka}/*", "kafka.tools.StorageTool", "random-uuid")
    good = tmp_path / "good.jsa"

    def run(options):
        command = [str(java.java), *options, *program]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
        return done.stdout.split()

    assert len(run(reading(broken))) == 1
    assert len(run(recording(good))) == 1
    assert len(run((*reading(good), "-Xshare:on"))) == 1


@pytest.mark.spark
def test_java_takes_what_set_up_recorded_of_spark(java, jar_folders, tmp_path):
    record_archives(java, jar_folders, os.environ, print, print)
    service = spark_service(java, jar_folders.spark, tmp_path, os.environ, SparkEndpoint(1), {})
    options = service.argv[: service.argv.index("--class")]
    # Else it would start without.
    command = [options[0], "-Xshare:on", *options[1:], "--version"]
    command.remove("-Xshare:auto")
    done = subprocess.run(command, env=service.env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "version 4." in done.stderr


def test_nothing_is_started_where_all_is_recorded(folder, monkeypatch, tmp_path):
    jars = JarFolders(folder, (folder,))
    monkeypatch.setattr(
        "usage_platform.local.archive_recording.recorded_folders", lambda jars: [*jars]
    )
    archive = class_archive(JAVA, [folder])
    archive.parent.mkdir()
    archive.touch()
    record_archives(JAVA, jars, {}, pytest.fail, pytest.fail)
