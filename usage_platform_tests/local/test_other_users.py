"""Root starts nothing by accident; everyone else is told what other users can do."""

import pytest

from usage_platform.local.errors import LocalError
from usage_platform.local.other_users import check_user
from usage_platform.settings.settings import Settings


@pytest.mark.parametrize(("user", "allow_root"), [(1000, False), (1000, True), (0, True)])
def test_whoever_may_start_is_told_what_other_users_can_do(user, allow_root, monkeypatch):
    monkeypatch.setattr("os.geteuid", lambda: user)
    line = check_user(Settings(allow_root=allow_root))
    assert "can reach Spark, the broker, Dagster on 127.0.0.1 without a password" in line
    assert "\n" not in line


def test_root_without_the_flag_is_refused_in_one_line(monkeypatch):
    monkeypatch.setattr("os.geteuid", lambda: 0)
    with pytest.raises(LocalError, match="set USAGE_ALLOW_ROOT=true") as raised:
        check_user(Settings())
    assert "\n" not in str(raised.value)


def test_services_elsewhere_are_not_named():
    elsewhere = Settings(allow_root=True, spark_remote="sc://s:1", kafka_bootstrap="b:9092")
    assert "can reach Dagster on" in check_user(elsewhere)
