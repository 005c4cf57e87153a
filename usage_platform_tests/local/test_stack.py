"""What the stack tells the processes that it starts."""

import pytest

from usage_platform.console.demo_folder import without_alerts
from usage_platform.local.stack import Stack
from usage_platform.settings import Settings
from usage_platform_tests.conftest import DATA_DIR

URL = "https://h/geheim"


@pytest.fixture
def environments(java, jar_folders, unused_port, tmp_path, monkeypatch):
    """The environment of each process, by the process's name."""
    del java, jar_folders
    monkeypatch.setenv("USAGE_ALERT_SLACK_URL", URL)
    monkeypatch.setenv("USAGE_METER", "of the shell")
    ports = {name: unused_port() for name in ("kafka_port", "spark_port", "ui_port")}

    def plan(change=lambda settings: settings):
        given = {"data": tmp_path, "jars": DATA_DIR / "jars", "meter": "of the command", **ports}
        settings = change(Settings.from_env(**given))
        services = Stack(settings, print, lambda text: None)._plan()
        return {service.name: service.env for service in services}

    return plan


def test_only_dagsters_processes_get_secrets_and_the_settings_of_the_command_count(environments):
    found = environments()
    assert {name for name, env in found.items() if URL in env.values()} == {"code", "ui", "daemon"}
    assert found["code"]["USAGE_METER"] == "of the command"
    assert "PATH" in found["kafka"]


def test_a_demo_alerts_nobody_whatever_the_shell_says(environments):
    assert not [name for name, env in environments(without_alerts).items() if URL in env.values()]
