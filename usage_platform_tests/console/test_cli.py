"""What people see who give a command something that it cannot use: one line, and no trace."""

import errno
import os

import pytest
from click.testing import CliRunner

from usage_platform.adapters.lake.lease import writer_lease
from usage_platform.adapters.lake.lease_record import Holder
from usage_platform.adapters.lake.tables import Lake
from usage_platform.console.cli import main
from usage_platform.local import other_users, stack
from usage_platform.local.errors import LocalError
from usage_platform_tests.no_room import no_room

A_LABEL = ("label", "2024-03-05T12:00", "2024-03-05T13:00", "true")


@pytest.fixture
def refused(tmp_path, monkeypatch):
    """Run a command that must fail; the line it says."""
    for name in ("USAGE_LAKE", "USAGE_KAFKA_BOOTSTRAP", "USAGE_SOURCE"):
        monkeypatch.delenv(name, raising=False)

    def run(*args: str, **env: str) -> str:
        command = ("--data", str(tmp_path / "data"), *args)
        done = CliRunner().invoke(
            main,
            command,
            env={f"USAGE_{k.upper()}": v for k, v in {"allow_root": "true", **env}.items()},
        )
        assert isinstance(done.exception, SystemExit), done.exception
        assert done.exit_code == 1, done.output
        assert done.output.count("\n") == 1, done.output
        assert done.output.startswith("Error: ")
        return done.output

    return run


@pytest.mark.parametrize(
    ("args", "env", "says"),
    [
        (("status",), {"lake": __file__}, "USAGE_LAKE="),
        (("status",), {"kafka_bootstrap": "nowhere"}, "expected host:port"),
        (("query", "SELEKT 1"), {}, "query: Parser Error"),
        (("query", "SELECT * FROM readings"), {}, "Tables: none yet"),
        (
            ("label", "noon", "2024-03-05T13:00", "true"),
            {},
            "expected a time like 2024-03-05T13:00",
        ),
        (("models", "--promote", "none"), {}, "run 'usage-platform models' for the list"),
        (("replay", "--csv", "none.csv", "--out", "o.csv"), {}, "none.csv: no such file"),
        (
            ("replay", "--csv", "", "--out", "o.csv"),
            {},
            "USAGE_SOURCE=: expected generated, generated-site",
        ),
        (("replay", "--timezone", "Mars", "--out", "o.csv"), {}, "USAGE_TIMEZONE=Mars"),
        (("replay", "--out", "o.csv"), {"closed_days": "none"}, "USAGE_CLOSED_DAYS=none: No such"),
        (("watch", "--no-follow"), {}, "start the platform with 'usage-platform up'"),
        (("watch", "--since", "noon"), {}, "--since: expected a time like 2024-03-05T13:00"),
        (("watch", "--since", "2024-03-10 02:30"), {}, "is skipped by the clock change"),
    ],
)
def test_what_cannot_be_used_is_told_in_one_line(refused, args, env, says):
    assert says in refused(*args, **env)


def test_a_file_in_the_place_of_a_folder_is_told_in_one_line(refused, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "run").write_text("")
    assert f"File exists: '{tmp_path}/data/run'" in refused("up")


@pytest.mark.parametrize("command", ["up", "demo"])
def test_root_starts_nothing_without_the_flag(refused, command, monkeypatch, tmp_path):
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(other_users, "others_can_log_in", lambda: True)
    said = refused(command, allow_root="false")
    assert "set USAGE_ALLOW_ROOT=true" in said
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("command", ["up", "demo"])
@pytest.mark.parametrize("closed_days", ["/none", __file__])
def test_closing_days_that_cannot_be_read_start_nothing(
    refused, command, closed_days, monkeypatch, tmp_path
):
    def begun(*_):
        raise LocalError("the services are begun")

    monkeypatch.setattr(stack, "set_up", begun)
    said = refused(command, closed_days=closed_days)
    assert f"USAGE_CLOSED_DAYS={closed_days}: " in said
    assert not (tmp_path / "data").exists()


def test_a_second_platform_on_one_lake_is_refused_before_a_service_starts(
    refused, tmp_path, monkeypatch
):
    def begun(*_):
        raise LocalError("the services are begun")

    monkeypatch.setattr(stack, "set_up", begun)
    lake = f"{tmp_path}/lake"
    writer_lease(Lake(lake), Holder("other", "/data")).take()
    assert f"the lake {lake} is written to by other:/data, which" in refused("up", lake=lake)


def test_a_label_on_a_full_disk_is_told_and_those_before_it_stay(refused, tmp_path):
    labels = tmp_path / "data" / "lake" / "assets" / "labels.json"
    labels.parent.mkdir(parents=True)
    labels.write_text("[]")
    with no_room():
        said = refused(*A_LABEL)
    assert "no space left" in said
    assert labels.read_text() == "[]"


@pytest.mark.parametrize("number", [errno.EADDRINUSE, errno.ECONNREFUSED, errno.ETIMEDOUT])
def test_nobody_is_told_to_free_a_folder_when_a_port_or_a_server_is_at_fault(
    refused, monkeypatch, number
):
    def failing(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("usage_platform.web.server.serve_until_stopped", failing)
    said = refused("page")
    assert os.strerror(number) in said
    assert "folder" not in said
