"""The configuration by checkov: no failed check that is not named and justified."""

import json
import re
import subprocess

import pytest

from usage_platform_tests.terraform.terraform_command import SOURCE

pytestmark = [pytest.mark.aws, pytest.mark.timeout(300)]


# What is off by default would not be looked at.
EVERYTHING = """
enable_bastion        = true
bastion_allowed_cidrs = ["203.0.113.7/32"]
bastion_public_key    = "ssh-ed25519 AAAA somebody"
alarm_email           = "energy@example.org"
monthly_budget_usd    = 300
operator_principals   = ["arn:aws:iam::123456789012:role/energy-team"]
outgoing_ports        = [587]
"""


def test_no_check_fails_that_is_not_named_and_justified(checkers, tmp_path):
    chosen = tmp_path / "everything.tfvars"
    chosen.write_text(EVERYTHING, "utf-8")
    done = subprocess.run(
        [*(checkers / "checkov", "-d", SOURCE), "--var-file", chosen, "--skip-download", "-ojson"],
        cwd=SOURCE,
        capture_output=True,
        text=True,
        check=False,
    )
    report = json.loads(done.stdout)
    failed = {
        (check["check_id"], check["resource"]) for check in report["results"]["failed_checks"]
    }
    assert not failed
    assert report["summary"]["passed"] > 250
    assert report["summary"]["parsing_errors"] == 0


def test_each_exception_says_why():
    lines = (SOURCE / ".checkov.yaml").read_text("utf-8").splitlines()
    exceptions = [line for line in lines if re.match(r"\s+- CKV", line)]
    assert exceptions
    for line in exceptions:
        assert re.search(r"# \S+ \S+ \S+", line), line
