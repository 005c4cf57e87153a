"""Policies of the roles, of Kafka and of the bucket: who may do what."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from usage_platform_tests.terraform.terraform_command import SOURCE

pytestmark = [pytest.mark.aws, pytest.mark.timeout(600)]


def policies(state: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The rendered policy documents, by their names."""
    found = state["root_module"]["resources"]
    return {
        resource["address"]: json.loads(resource["values"]["json"])
        for resource in found
        if resource["type"] == "aws_iam_policy_document"
    }


def as_list(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


def statements(state: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (name, statement)
        for name, policy in policies(state).items()
        for statement in policy["Statement"]
    ]


def test_no_role_may_do_everything_of_a_service(state):
    wide = [
        (name, action)
        for name, statement in statements(state)
        for action in as_list(statement["Action"])
        if action.endswith("*") and statement["Effect"] == "Allow" and not name.endswith(".key")
    ]
    assert len(policies(state)) >= 15
    assert not wide


def test_only_actions_that_know_no_resource_are_allowed_on_all(state):
    on_all = {
        action
        for name, statement in statements(state)
        for action in as_list(statement["Action"])
        if as_list(statement.get("Resource", [])) == ["*"] and not name.endswith(".key")
    }
    assert on_all == {
        "ecr:GetAuthorizationToken",
        "logs:DescribeLogGroups",
        "ssmmessages:CreateControlChannel",
        "ssmmessages:CreateDataChannel",
        "ssmmessages:OpenControlChannel",
        "ssmmessages:OpenDataChannel",
    }


def test_only_emr_is_handed_a_role_and_only_that_of_its_jobs(state):
    handed = [s for _, s in statements(state) if "iam:PassRole" in as_list(s["Action"])]
    (statement,) = handed
    assert statement["Resource"].endswith(":role/usage-platform-emr-job")
    assert statement["Condition"] == {
        "StringEquals": {"iam:PassedToService": "emr-serverless.amazonaws.com"}
    }


def test_every_service_that_takes_a_role_must_be_of_this_account(state):
    trusts = {name: policy for name, policy in policies(state).items() if "_trust" in name}
    assert len(trusts) == 5
    for name, policy in trusts.items():
        (statement,) = policy["Statement"]
        if "operator" in name:
            assert statement["Principal"] == {"AWS": "arn:aws:iam::123456789012:user/energy"}
            continue
        # An instance's role comes with the instance, which is of this account.
        if "bastion" not in name:
            assert statement["Condition"]["StringEquals"]["aws:SourceAccount"] == "123456789012"


def test_the_role_of_jobs_is_that_of_one_application(state):
    (trust,) = [p for name, p in policies(state).items() if ".emr_trust" in name]
    application = "arn:aws:emr-serverless:us-east-1:123456789012:/applications/00a"
    allowed = trust["Statement"][0]["Condition"]["ArnLike"]["aws:SourceArn"]
    assert set(allowed) == {application, f"{application}/jobruns/*"}


def test_alerts_go_to_the_topic_of_the_settings_and_to_no_other(state):
    said = [(name, s) for name, s in statements(state) if "sns:Publish" in as_list(s["Action"])]
    by_role = {name: s["Resource"] for name, s in said if "Principal" not in s}
    assert by_role == {
        "data.aws_iam_policy_document.platform_alerts[0]": (
            "arn:aws:sns:us-east-1:123456789012:meters"
        )
    }


def allowed_to_operators(state: dict[str, Any]) -> dict[str, set[str]]:
    """What the operators' role allows, with the analysts' policy: resources by action."""
    allowed: dict[str, set[str]] = {}
    for name, statement in statements(state):
        if name.endswith((".operator[0]", ".analyst")):
            for action in as_list(statement["Action"]):
                allowed.setdefault(action, set()).update(as_list(statement["Resource"]))
    return allowed


def test_an_operator_can_do_what_the_outputs_and_the_guide_ask_for(state):
    allowed = allowed_to_operators(state)
    outputs = (SOURCE / "outputs.tf").read_text("utf-8")
    guide = (SOURCE.parent / "docs" / "deploy-aws.md").read_text("utf-8")
    commands = set(re.findall(r"aws (ecs|ssm|athena|emr-serverless) ([a-z-]+)", outputs + guide))
    assert ("ecs", "execute-command") in commands
    assert ("emr-serverless", "cancel-job-run") in commands
    asked = {f"{service}:{name.title().replace('-', '')}" for service, name in commands}
    # AWS waits by asking for the service; all others are the command's own.
    assert asked <= allowed.keys(), asked - allowed.keys()
    begin = "arn:aws:ecs:us-east-1:123456789012"
    assert allowed["ecs:UpdateService"] == {f"{begin}:service/usage-platform/platform"}
    assert allowed["ssm:StartSession"] == {
        f"{begin}:task/usage-platform/*",
        "arn:aws:ssm:us-east-1::document/AWS-StartPortForwardingSession",
    }


def test_an_operator_makes_no_roles_reads_no_secrets_and_no_shells(state):
    allowed = allowed_to_operators(state)
    assert not [action for action in allowed if action.startswith(("iam:", "secretsmanager:"))]
    groups = {arn for arn in allowed["logs:GetLogEvents"] if arn != "*"}
    assert len(groups) == 5
    assert not [arn for arn in groups if "shells" in arn]
    assert not {"ecs:RunTask", "ecs:RegisterTaskDefinition", "emr-serverless:StartJobRun"} & (
        allowed.keys()
    )


def test_the_key_is_used_through_the_service_that_each_role_needs_it_for(state):
    through = {}
    for name, statement in statements(state):
        actions = [action for action in as_list(statement["Action"]) if action.startswith("kms:")]
        if actions and "Principal" not in statement:
            service = statement.get("Condition", {}).get("StringEquals", {}).get("kms:ViaService")
            through.setdefault(name.rpartition("document.")[2], []).append((service, actions))
    s3 = ("s3.us-east-1.amazonaws.com", ["kms:GenerateDataKey", "kms:Decrypt"])
    assert through == {
        "analyst": [s3],
        "emr_job[0]": [s3],
        "execution": [("secretsmanager.us-east-1.amazonaws.com", ["kms:Decrypt"])],
        # The channel of a shell is encrypted by its two ends.
        "operator[0]": [(None, ["kms:GenerateDataKey"])],
        "platform_lake": [s3],
        "platform_shells": [(None, ["kms:Decrypt"])],
    }


def test_kafka_is_allowed_by_name(state):
    (policy,) = [p for name, p in policies(state).items() if name.endswith(".platform_kafka")]
    allowed = {arn for s in policy["Statement"] for arn in as_list(s["Resource"])}
    cluster = "usage-platform/11111111-2222-3333-4444-555555555555-1"
    begin = "arn:aws:kafka:us-east-1:123456789012"
    assert f"{begin}:cluster/{cluster}" in allowed
    assert f"{begin}:topic/{cluster}/usage" in allowed
    assert f"{begin}:group/{cluster}/anomaly-scorer" in allowed
    assert f"{begin}:transactional-id/{cluster}/anomaly-scorer*" in allowed
    assert {arn for arn in allowed if "*" in arn} == {
        f"{begin}:group/{cluster}/alerts-*",
        f"{begin}:group/{cluster}/usage-platform-lake*",
        f"{begin}:transactional-id/{cluster}/anomaly-scorer*",
    }


def test_a_job_on_emr_may_only_read_from_kafka(state):
    (policy,) = [p for name, p in policies(state).items() if name.endswith(".emr_kafka")]
    allowed = {action for s in policy["Statement"] for action in as_list(s["Action"])}
    assert allowed == {
        f"kafka-cluster:{action}"
        for action in (
            "AlterGroup",
            "Connect",
            "DescribeCluster",
            "DescribeGroup",
            "DescribeTopic",
            "ReadData",
        )
    }


def test_the_bucket_takes_no_unencrypted_request(state):
    (policy,) = [p for name, p in policies(state).items() if name.endswith(".lake")]
    (statement,) = policy["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Principal"] == "*"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_parliament_finds_no_fault_in_any_policy(state, checkers):
    judge = Path(__file__).with_name("parliament_findings.py")
    done = subprocess.run(
        [checkers / "python", judge],
        input=json.dumps(policies(state)),
        capture_output=True,
        text=True,
        check=True,
    )
    findings = json.loads(done.stdout)
    assert not findings


def test_parliament_would_find_a_misspelt_action(checkers):
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": ["kafka-cluster:WritData"], "Resource": "*"}],
    }
    done = subprocess.run(
        [checkers / "python", Path(__file__).with_name("parliament_findings.py")],
        input=json.dumps({"misspelt": policy}),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "WritData" in done.stdout
