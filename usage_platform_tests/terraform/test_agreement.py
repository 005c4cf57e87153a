"""What the configuration says of the platform, held against the platform's own code."""

import ast
import json
import re
from pathlib import Path

import pytest
from pydantic import SecretStr

import usage_platform
from usage_platform.adapters.kafka import playback_lease
from usage_platform.adapters.kafka import topics as kafka_topics
from usage_platform.adapters.lake import lake_id as lake_id_file
from usage_platform.adapters.lake.tables import ALL_TABLES, Lake
from usage_platform.cluster.job import OWN_CHECKPOINT
from usage_platform.services import alert_dead_letters, score_transaction
from usage_platform.services import ingest as lake_streams
from usage_platform.settings.settings import PREFIX, Settings
from usage_platform_tests.terraform.terraform_command import SOURCE

pytestmark = pytest.mark.aws

CODE = Path(usage_platform.__file__).parent
SPARK_GROUPS = f"{lake_streams.GROUP_PREFIX}*"


def listed(name: str) -> set[str]:
    """The strings of a list in Kafka's policies."""
    text = (SOURCE / "iam_kafka.tf").read_text("utf-8")
    found = re.search(rf"\b{name} = \[(.*?)\n?\s*\]", text, re.DOTALL)
    assert found, name
    return set(re.findall(r'"([^"]+)"', re.sub(r"#.*", "", found[1])))


def _assigned(tree: ast.Module, value: ast.expr) -> ast.expr:
    """The text that a file's variable has; any other value as it is."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(value, ast.Name):
            is_it = ast.unparse(node.targets[0]) == value.id
            if is_it and isinstance(node.value, ast.JoinedStr):
                return node.value
    return value


def in_code(*keys: str) -> set[str]:
    """What the code gives as some of librdkafka's settings: texts, and names of constants."""
    values = set()
    for path in CODE.rglob("*.py"):
        given = set()
        tree = ast.parse(path.read_text("utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Dict):
                pairs = zip(node.keys, node.values, strict=True)
                given |= {v for k, v in pairs if isinstance(k, ast.Constant) and k.value in keys}
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "committed_reader":
                given |= {node.args[1]} if "group.id" in keys else set()
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "transactional_producer":
                given |= {node.args[1]} if "transactional.id" in keys else set()
        values |= {_assigned(tree, value) for value in given}
    constants = {**vars(kafka_topics), **vars(playback_lease), **vars(score_transaction)}
    # The readers' own arguments are what their callers give.
    names = {v.id for v in values if isinstance(v, ast.Name)} - {
        "name",
        "group",
        "transactional_id",
    }
    begun = {f"{v.values[0].value}*" for v in values if isinstance(v, ast.JoinedStr)}
    whole = {v.value for v in values if isinstance(v, ast.Constant)}
    return begun | whole | {constants[n] for n in names}


def test_the_catalog_has_the_tables_and_columns_of_the_code():
    def column(definition: str) -> dict[str, str]:
        name, kind = definition.split()[:2]
        comment = re.search(r"COMMENT '(.*)'$", definition)
        return {"name": name, "type": kind.lower(), "comment": comment[1] if comment else ""}

    expected = {table.name: [column(d) for d in table.definitions] for table in ALL_TABLES}
    found = json.loads((SOURCE / "lake_tables.json").read_text("utf-8"))
    assert found == expected, f"write this there:\n{json.dumps(expected, indent=2)}"


def test_kafka_allows_the_topics_that_the_platform_makes():
    made = {
        kafka_topics.USAGE,
        kafka_topics.ANOMALY,
        kafka_topics.EPISODE,
        kafka_topics.DEAD_LETTERS,
        *kafka_topics.SAMPLE_TOPICS,
        alert_dead_letters.ALERT_DEAD_LETTERS,
        playback_lease.LEASE_TOPIC,
    }
    assert listed("kafka_topics") == made


def test_kafka_allows_the_groups_that_the_platform_is_in():
    groups = in_code("group.id")
    assert "usage-platform-watch" in groups
    assert kafka_topics.SCORER_GROUP in groups
    assert listed("kafka_groups") == groups | {SPARK_GROUPS}


def test_a_job_on_emr_may_read_what_it_brings_into_the_lake():
    assert listed("emr_topics") == {kafka_topics.USAGE, kafka_topics.ANOMALY}


def test_a_job_on_emr_may_write_where_it_keeps_its_progress_and_its_lease():
    text = (SOURCE / "emr_serverless.tf").read_text("utf-8")
    found = re.search(r"for folder in \[(.*?)\]", text)
    assert found
    lake = Lake("")
    places = {
        *(lake.checkpoint("", OWN_CHECKPOINT), lake.table("")),
        *(lake.meters, lake.models, "/leases"),
    }
    assert set(re.findall(r'"([^"]+)"', found[1])) == {place.strip("/") for place in places}


def places_in_code() -> set[str]:
    """All that the code puts under a lake's root, as IAM names it: folders, and single files."""
    text = "\n".join(path.read_text("utf-8") for path in CODE.rglob("*.py"))
    folders = set(re.findall(r"\broot\}/(\w+)", text)) | {"checkpoint"}
    # Stored in the root itself, by the name of a constant.
    files = {f"{lake_id_file.STORED_AS}.json"}
    assert set(re.findall(r"Store\(lake\.root, (\w+)", text)) == {"STORED_AS"}
    return {f"{folder}/*" for folder in folders} | files


def test_the_platform_may_write_all_that_it_keeps_in_the_lake():
    text = (SOURCE / "iam_platform.tf").read_text("utf-8")
    found = re.search(r"for name in \[(.*?)\]", text, re.DOTALL)
    assert found
    places = places_in_code()
    assert len(places) == 7
    # Not the lake's own: the results of queries, and what Dagster's runs print.
    assert set(re.findall(r'"([^"]+)"', found[1])) == places | {
        "athena-results/*",
        "dagster-logs/*",
    }


def test_kafka_allows_the_transactions_that_the_platform_makes():
    assert listed("kafka_transactional_ids") == in_code("transactional.id")


def test_the_alarm_on_lag_watches_the_scorers_group():
    text = (SOURCE / "monitoring.tf").read_text("utf-8")
    group, topic = kafka_topics.SCORER_GROUP, kafka_topics.USAGE
    assert f'"Consumer Group" = "{group}", "Topic" = "{topic}"' in text


def test_each_setting_of_the_containers_is_one_of_the_platforms():
    text = (SOURCE / "locals.tf").read_text("utf-8")
    given = set(re.findall(rf"\b{PREFIX}[A-Z_]+\b(?=\s*=)", text))
    assert len(given) == 12
    assert given <= {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}


def test_settings_that_are_given_here_cannot_be_given_again():
    text = (SOURCE / "locals.tf").read_text("utf-8")
    given = set(re.findall(rf"\b{PREFIX}[A-Z_]+\b(?=\s*=)", text))
    own = names_in_locals("own_setting_names")
    # Of one machine: folders, ports, a broker's user, workers of a cluster of its own.
    assert own - given == {
        f"{PREFIX}{name}"
        for name in (
            *("DATA", "JARS", "KAFKA_PORT", "KAFKA_USER", "PAGE_PORT", "SPARK_PORT"),
            *("SPARK_WORKERS", "UI_PORT"),
        )
    }
    assert given <= own


def names_in_locals(name: str) -> set[str]:
    text = (SOURCE / "locals.tf").read_text("utf-8")
    found = re.search(rf"{name} = \[(.*?)\]", text, re.DOTALL)
    assert found
    return set(re.findall(r'"(\w+)"', found[1]))


def test_each_setting_of_the_platform_is_set_here_or_can_be_given():
    free = json.loads((SOURCE / "setting_names.json").read_text("utf-8"))
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    parts = [
        set(free),
        names_in_locals("own_setting_names"),
        names_in_locals("secret_setting_names"),
    ]
    wanted = sorted(known - parts[1] - parts[2])
    assert free == wanted, f"write this there:\n{json.dumps(wanted, indent=2)}"
    assert parts[1] | parts[2] <= known


def test_the_secret_settings_are_those_of_the_platform():
    fields = Settings.model_fields.items()
    secrets = {f"{PREFIX}{name.upper()}" for name, field in fields if field.annotation is SecretStr}
    assert names_in_locals("secret_setting_names") == secrets
    assert len(secrets) == 8


@pytest.mark.parametrize("example", sorted(SOURCE.glob("*.tfvars.example")), ids=lambda p: p.name)
def test_an_example_gives_only_known_settings(example):
    given = set(re.findall(rf"\b{PREFIX}[A-Z_]+\b(?=\s*=)", example.read_text("utf-8")))
    assert given <= {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}


def test_every_variable_and_output_is_described():
    for file, kind in (("variables.tf", "variable"), ("outputs.tf", "output")):
        text = (SOURCE / file).read_text("utf-8")
        blocks = re.split(rf'^(?={kind} ")', text, flags=re.MULTILINE)[1:]
        assert blocks
        for block in blocks:
            assert re.match(rf'{kind} "\w+" {{\n  description = ".', block), block[:80]
            assert kind == "output" or re.search(r"^  type +=", block, re.MULTILINE), block[:80]
