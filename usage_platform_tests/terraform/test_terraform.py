"""The configuration by Terraform itself: its own tests, offline and against a double of AWS."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import boto3
import pytest

from usage_platform.adapters.lake.tables import ALL_TABLES, Lake
from usage_platform_tests.terraform.terraform_command import SOURCE

pytestmark = [pytest.mark.aws, pytest.mark.timeout(600)]

STACK = "tests/moto/stack.tftest.hcl:everything_is_made_and_taken_away"
SECOND_PLAN = "tests/moto/stack.tftest.hcl:a_second_plan_changes_nothing"
# Attributes that moto takes and does not give back.
FORGOTTEN_BY_MOTO = {
    ("aws_db_parameter_group", "parameter"),
    ("aws_instance", "vpc_security_group_ids"),
    ("aws_vpc_security_group_egress_rule", "description"),
    ("aws_vpc_security_group_ingress_rule", "description"),
}


def resources(state: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """The values of a state's resources or data sources of one kind."""
    found = state["root_module"]["resources"]
    return [resource["values"] for resource in found if resource["type"] == kind]


@pytest.fixture(scope="session")
def state(applied) -> dict[str, Any]:
    assert STACK in applied.states, applied.errors
    return applied.states[STACK]


def test_the_files_are_formatted(terraform):
    done = terraform.run("fmt", "-check", "-recursive", "-no-color")
    assert done.returncode == 0, done.stdout


def test_the_configuration_is_valid(terraform):
    done = terraform.run("validate", "-no-color")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_mocked_runs_the_real_plans_and_the_examples_pass(offline):
    offline.must_have_passed()
    files = {name.partition(":")[0] for name in offline.statuses}
    assert files == {f"tests/{name}.tftest.hcl" for name in ("unit", "offline_plan", "examples")}
    examples = {name for name in offline.statuses if name.startswith("tests/examples")}
    assert len(examples) == len(list(SOURCE.glob("*.tfvars.example"))) == 3


def test_no_run_is_left_out(offline):
    text = (SOURCE / "tests" / "unit.tftest.hcl").read_text("utf-8")
    written = set(re.findall(r'^run "(\w+)"', text, re.MULTILINE))
    ran = {name.partition(":")[2] for name in offline.statuses if name.startswith("tests/unit")}
    assert ran == written


def test_what_is_protected_holds_up_the_end_of_the_events_and_of_the_key(terraform):
    done = terraform.run("graph")
    assert done.returncode == 0, done.stderr
    edges = re.findall(r'"([\w.]+)" -> "([\w.]+)"', done.stdout)

    def all_before(name: str) -> set[str]:
        found = {there for here, there in edges if here == name}
        return found.union(*(all_before(one) for one in found)) if found else found

    events = {"aws_msk_cluster.this", "aws_msk_serverless_cluster.this"}
    assert events | {"aws_kms_key.this"} <= all_before("aws_db_instance.dagster")
    assert "aws_kms_key.this" in all_before("aws_s3_bucket.lake")


def test_everything_is_made_on_a_double_of_aws_and_taken_away_again(applied, empty_aws):
    applied.must_have_passed()
    client = boto3.client(
        "s3",
        endpoint_url=empty_aws,
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
    assert client.list_buckets()["Buckets"] == []


def test_a_second_plan_changes_nothing_but_what_moto_forgets(applied):
    assert SECOND_PLAN in applied.plans, applied.errors
    changed = set()
    for resource in applied.plans[SECOND_PLAN]["resource_changes"]:
        change = resource["change"]
        if change["actions"] not in (["no-op"], ["read"]):
            before, after = change["before"] or {}, change["after"] or {}
            changed |= {
                (resource["type"], name)
                for name in before.keys() | after.keys()
                if before.get(name) != after.get(name)
            }
    assert changed <= FORGOTTEN_BY_MOTO


def test_the_catalog_leads_athena_to_each_table_of_the_lake(state):
    (bucket,) = {bucket["bucket"] for bucket in resources(state, "aws_s3_bucket")}
    lake = Lake(f"s3://{bucket}")
    (database,) = resources(state, "aws_glue_catalog_database")
    assert database["location_uri"] == f"{lake.root}/deltalake"
    tables = {table["name"]: table for table in resources(state, "aws_glue_catalog_table")}
    assert tables.keys() == {table.name for table in ALL_TABLES}
    for known in ALL_TABLES:
        table = tables[known.name]
        assert table["database_name"] == database["name"]
        assert table["table_type"] == "EXTERNAL_TABLE"
        # Athena looks for table_type, Spark for its provider.
        assert table["parameters"] == {
            "EXTERNAL": "TRUE",
            "table_type": "DELTA",
            "classification": "delta",
            "spark.sql.sources.provider": "delta",
        }
        (stored,) = table["storage_descriptor"]
        assert stored["location"] == lake.table(known)
        assert stored["ser_de_info"][0]["parameters"]["path"] == lake.table(known)
        columns = [f"{column['name']} {column['type']}" for column in stored["columns"]]
        expected = [" ".join(column.split()[:2]) for column in known.definitions]
        assert columns == [f"{name} {kind.lower()}" for name, kind in map(str.split, expected)]


def test_each_ingress_between_groups_has_its_egress_and_the_other_way_round(state):
    def ends(kind: str, here: str, there: str) -> set[tuple[str, str, int]]:
        rules = resources(state, kind)
        return {
            (rule[here], rule[there], rule["from_port"])
            for rule in rules
            if rule["referenced_security_group_id"]
        }

    own, other = "security_group_id", "referenced_security_group_id"
    ingress = ends("aws_vpc_security_group_ingress_rule", other, own)
    assert len(ingress) == 4
    assert ingress == ends("aws_vpc_security_group_egress_rule", own, other)


def test_no_ingress_is_open_to_the_world(state):
    ranges = [
        (rule["cidr_ipv4"], rule["cidr_ipv6"])
        for rule in resources(state, "aws_vpc_security_group_ingress_rule")
    ]
    assert {cidr for pair in ranges for cidr in pair if cidr} == {"203.0.113.7/32"}
    groups = resources(state, "aws_security_group")
    assert len(groups) == 5
    assert not [group["name"] for group in groups if group["name"].endswith("default")]


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
