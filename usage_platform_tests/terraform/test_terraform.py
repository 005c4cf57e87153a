"""The configuration by Terraform itself: its own tests, offline and against a double of AWS."""

import re

import boto3
import pytest

from usage_platform.adapters.lake.tables import ALL_TABLES, Lake
from usage_platform_tests.terraform.stack_state import resources
from usage_platform_tests.terraform.terraform_command import SOURCE

pytestmark = [pytest.mark.aws, pytest.mark.timeout(600)]

SECOND_PLAN = "tests/moto/stack.tftest.hcl:a_second_plan_changes_nothing"
# Attributes that moto takes and does not give back.
FORGOTTEN_BY_MOTO = {
    ("aws_db_parameter_group", "parameter"),
    ("aws_instance", "vpc_security_group_ids"),
    ("aws_vpc_security_group_egress_rule", "description"),
    ("aws_vpc_security_group_ingress_rule", "description"),
}


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
