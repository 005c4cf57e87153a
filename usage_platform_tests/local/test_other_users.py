"""Root starts nothing by accident; everyone else is told what other users can do."""

import pwd

import pytest

from usage_platform.local import other_users
from usage_platform.local.errors import LocalError
from usage_platform.local.other_users import check_user, others_can_log_in
from usage_platform.settings.settings import Settings


@pytest.mark.parametrize(("user", "allow_root"), [(1000, False), (1000, True), (0, True)])
def test_whoever_may_start_is_told_what_other_users_can_do(user, allow_root, monkeypatch):
    monkeypatch.setattr("os.geteuid", lambda: user)
    line = check_user(Settings(allow_root=allow_root))
    assert "can reach the pages on 127.0.0.1 without a password" in line
    assert "\n" not in line


def test_root_without_the_flag_is_refused_in_one_line(monkeypatch):
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(other_users, "others_can_log_in", lambda: True)
    with pytest.raises(LocalError, match="set USAGE_ALLOW_ROOT=true") as raised:
        check_user(Settings())
    assert "\n" not in str(raised.value)


def test_root_may_start_where_nobody_else_can_log_in(monkeypatch):
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(other_users, "others_can_log_in", lambda: False)
    assert "can reach the pages" in check_user(Settings())


@pytest.mark.parametrize(
    ("shell", "password", "has_key", "can"),
    [
        ("/bin/bash", "$6$salt$hash", False, True),
        ("/bin/bash", "", False, True),
        ("/bin/bash", "!", False, False),
        ("/bin/bash", "*", False, False),
        ("/bin/bash", "!$6$salt$hash", True, True),
        ("/usr/sbin/nologin", "$6$salt$hash", True, False),
    ],
)
def test_who_has_a_shell_and_a_password_or_a_key_can_log_in(
    tmp_path, monkeypatch, shell, password, has_key, can
):
    if has_key:
        (tmp_path / ".ssh").mkdir()
        (tmp_path / ".ssh" / "authorized_keys").write_text("ssh-ed25519 AAAA\n")
    root = pwd.struct_passwd(("root", "x", 0, 0, "", "/root", "/bin/bash"))
    ann = pwd.struct_passwd(("ann", "x", 1000, 1000, "", str(tmp_path), shell))
    monkeypatch.setattr(pwd, "getpwall", lambda: [root, ann])
    shadow = tmp_path / "shadow"
    shadow.write_text(f"root:$6$salt$hash:1::::::\nann:{password}:1::::::\n")
    assert others_can_log_in(shadow) is can


def test_where_passwords_are_elsewhere_others_are_assumed_to_log_in(tmp_path):
    assert others_can_log_in(tmp_path / "none")
