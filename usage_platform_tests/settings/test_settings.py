import math
from datetime import date
from pathlib import Path

import pytest

from usage_platform.core.detector.options import Method, TrainingOptions
from usage_platform.core.limits import EventLimits
from usage_platform.core.time.calendar import Calendar
from usage_platform.settings.settings import Settings, SettingsError
from usage_platform.wiring.platform import Platform


def test_a_child_process_reads_back_the_same_source_from_another_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = Settings.from_env({}, source="a b/*.csv", csv_end_column="", lake="lake")
    monkeypatch.chdir("/")
    child = Settings.from_env(settings.environment())
    assert child.source_label == settings.source_label
    assert child.source == str(tmp_path / "a b" / "*.csv")


def test_the_folders_of_a_child_process_do_not_depend_on_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    environment = Settings.from_env({}, lake="lake").environment()
    monkeypatch.chdir("/")
    child = Settings.from_env(environment)
    assert (child.data_dir, child.jars_dir) == (tmp_path / ".usage", tmp_path / ".usage" / "jars")
    assert child.lake_root == str(tmp_path / "lake")


def test_an_end_column_is_recognised_unless_none_is_to_be_checked():
    for given, end in (("", ""), ("-", None), ("to", "to")):
        source = Platform(Settings.from_env({}, source="a.csv", csv_end_column=given))
        assert source.reading_source().columns.end == end


def test_max_is_as_fast_as_possible_in_a_child_process_too():
    settings = Settings.from_env({"USAGE_ACCELERATOR": "max"})
    assert Settings.from_env(settings.environment()).accelerator == math.inf


def test_an_empty_variable_counts_as_not_set():
    assert Settings.from_env({"USAGE_METER": ""}) == Settings()


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("USAGE_KAFKA_PORT", "seventy"),
        ("USAGE_UI_PORT", "70000"),
        ("USAGE_START_DATE", "yesterday"),
        ("USAGE_ACCELERATOR", "0"),
        ("USAGE_TIMEZONE", "Europe/Nowhere"),
        ("USAGE_INTERVAL_MINUTES", "7"),
        ("USAGE_SPARK_REMOTE", "http://host:1"),
        ("USAGE_METHOD", "magic"),
        ("USAGE_OLDEST_TIME", "1969-12-31"),
        ("USAGE_MAX_EVENT_BYTES", "999"),
        ("USAGE_MAX_METERS", "0"),
        ("USAGE_METERS_ALLOWED", "library, ,annex"),
        ("USAGE_FALSE_ALARMS_PER_WEEK", "7"),
        ("USAGE_FALSE_ALARMS_PER_WEEK", "0"),
        ("USAGE_LEAST_SHARE", "1"),
        ("USAGE_HOLIDAYS", "Atlantis"),
        ("USAGE_ALERT_MIN_SEVERITY", "awful"),
        ("USAGE_ALERT_EMAIL_TO", "everybody"),
        ("USAGE_ALERT_SNS_TOPIC", "alerts"),
        ("USAGE_ALERT_MQTT_TOPIC", "usage/#"),
        ("USAGE_ALERT_MQTT_CERTIFICATE", "/no/such.pem"),
        ("USAGE_HOLIDAYS", "US-XX"),
        ("USAGE_RETRAIN_CRON", "mondays"),
        ("USAGE_RETRAIN_CRON", "@never"),
        ("USAGE_RETRAIN_CRON", "0 25 * * 1"),
        ("USAGE_RETRAIN_CRON", "0 3 * *"),
        ("USAGE_SPARK_REMOTE", "sc://"),
        ("USAGE_SPARK_REMOTE", "sc://host:many"),
        ("USAGE_KAFKA_BOOTSTRAP", "127.0.0.1"),
        ("USAGE_KAFKA_BOOTSTRAP", "a:9092,b"),
        ("USAGE_KAFKA_BOOTSTRAP", "http://a:9092"),
        ("USAGE_KAFKA_BOOTSTRAP", "a:99999"),
        ("USAGE_LAKE", "gs://bucket/lake"),
        ("USAGE_LAKE", "s3://"),
        ("USAGE_DATA", __file__),
        ("USAGE_JARS", __file__),
        ("USAGE_LAKE", __file__),
        ("USAGE_START_DATE", "1500-01-01"),
        ("USAGE_GENERATED_START", "9999-01-01"),
        ("USAGE_GENERATED_SEED", "-1"),
        ("USAGE_METER", " "),
        ("USAGE_PAGE_PORT", "0"),
        ("USAGE_PAGE_HOST", "https://page.example"),
        ("USAGE_PAGE_HOST", "page.example:443"),
        ("USAGE_TARIFF", "-0.1"),
        ("USAGE_TARIFF", "inf"),
        ("USAGE_CURRENCY", "dollars"),
        ("USAGE_TYPO", "1"),
    ],
)
def test_a_wrong_variable_is_named_in_one_line(variable, value):
    with pytest.raises(SettingsError) as raised:
        Settings.from_env({variable: value})
    assert variable in str(raised.value)
    assert "\n" not in str(raised.value)
    assert "Value error" not in str(raised.value)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("USAGE_RETRAIN_CRON", "@daily"),
        ("USAGE_RETRAIN_CRON", "*/70 0-5,23 1 jan mon-fri"),
        ("USAGE_KAFKA_BOOTSTRAP", "b-1.example.com:9098,[::1]:9092"),
        ("USAGE_SPARK_REMOTE", "sc://host:15002/;use_ssl=true"),
        ("USAGE_LAKE", "s3://bucket"),
        ("USAGE_PAGE_HOST", "page.example"),
        ("USAGE_TARIFF", "0.21"),
        ("USAGE_CURRENCY", "EUR"),
    ],
)
def test_every_right_form_of_a_variable_is_taken(variable, value):
    Settings.from_env({variable: value})


def test_what_is_asked_of_a_model_follows_the_settings(tmp_path):
    closed = tmp_path / "closed.txt"
    closed.write_text("# repairs\n2024-07-05\n\n2024-07-08  # again\n")
    given = {
        "USAGE_DATA": str(tmp_path),
        "USAGE_METHOD": "robust_z",
        "USAGE_FALSE_ALARMS_PER_WEEK": "1.5",
        "USAGE_LEAST_SHARE": "0.1",
        "USAGE_HOLIDAYS": "US-MA",
        "USAGE_CLOSED_DAYS": str(closed),
    }
    options = Platform(Settings.from_env(given)).training_options()
    calendar = Calendar("US", "MA", (date(2024, 7, 5), date(2024, 7, 8)))
    assert options == TrainingOptions(calendar, Method.ROBUST_Z, 1.5, 0.1)


def test_without_holidays_every_day_is_a_day():
    settings = Settings.from_env({"USAGE_HOLIDAYS": "-"})
    assert Platform(settings).training_options().calendar == Calendar()


def test_the_limits_of_events_are_those_of_the_registry(tmp_path):
    settings = Settings.from_env(
        {
            "USAGE_OLDEST_TIME": "2020-02-29",
            "USAGE_MAX_EVENT_BYTES": "9000",
            "USAGE_MAX_METERS": "7",
            "USAGE_METERS_ALLOWED": "central-library, annex ",
        },
        data=tmp_path,
    )
    allowed = frozenset({"central-library", "annex"})
    limits = Platform(settings).registry().limits
    assert limits == EventLimits(date(2020, 2, 29), 9_000, 7, allowed)
    assert Settings.from_env(settings.environment()).event_limits == limits


@pytest.mark.parametrize(
    ("env", "message"),
    [
        ({"USAGE_METERS_ALLOWED": "annex"}, r"does not name USAGE_METER=central-library"),
        (
            {"USAGE_MAX_METERS": "9", "USAGE_GENERATED_METERS": "10"},
            r"USAGE_GENERATED_METERS=10: more than",
        ),
        (
            {"USAGE_METERS_ALLOWED": "central-library", "USAGE_GENERATED_METERS": "2"},
            r"USAGE_GENERATED_METERS=2: more than",
        ),
        ({"USAGE_GENERATED_START": "1999-12-31"}, r"before USAGE_OLDEST_TIME=2000-01-01"),
    ],
)
def test_limits_that_refuse_what_the_platform_plays_by_itself_are_an_error(env, message):
    with pytest.raises(SettingsError, match=message):
        Settings.from_env(env)
    assert Settings.from_env({"USAGE_SOURCE": "ckan", **env, "USAGE_METERS_ALLOWED": ""})


@pytest.mark.parametrize("text", [None, "2024-07-05\nthe fifth of July\n"])
def test_closing_days_that_cannot_be_read_are_named_in_one_line(tmp_path, text):
    closed = tmp_path / "closed.txt"
    if text is not None:
        closed.write_text(text)
    deployment = Platform(Settings.from_env({}, data=tmp_path, closed_days=closed))
    with pytest.raises(SettingsError) as raised:
        deployment.training_options()
    assert str(raised.value).startswith(f"USAGE_CLOSED_DAYS={closed}: ")
    assert "\n" not in str(raised.value)


def test_a_child_process_reads_the_same_closing_days_from_another_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    environment = Settings.from_env({}, closed_days="closed.txt", method="blog").environment()
    monkeypatch.chdir("/")
    child = Settings.from_env(environment)
    assert (child.closed_days, child.method) == (tmp_path / "closed.txt", Method.BLOG)


def test_pages_of_a_portal_are_kept_on_disk_when_the_lake_is_not(tmp_path):
    settings = Settings(data=tmp_path, lake="s3://bucket/lake", source="ckan")
    assert Platform(settings)._portal_cache == Path(tmp_path) / "ckan"


EMR = {
    "USAGE_LAKE": "s3://bucket/lake",
    "USAGE_EMR_APPLICATION_ID": "00a1",
    "USAGE_EMR_ROLE_ARN": "arn:aws:iam::123456789012:role/usage-platform-emr-job",
    "USAGE_EMR_CODE": "s3://bucket/assets/emr/",
}


def test_where_jobs_run_is_an_application_with_a_role_and_a_lake_that_it_can_reach():
    settings = Settings.from_env(EMR)
    assert settings.emr_code == "s3://bucket/assets/emr"
    assert settings.emr_log_group == "/aws/emr-serverless"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"USAGE_EMR_ROLE_ARN": ""}, "USAGE_EMR_APPLICATION_ID and USAGE_EMR_ROLE_ARN: set both"),
        ({"USAGE_LAKE": "/a/folder"}, "USAGE_EMR_APPLICATION_ID is set: set USAGE_LAKE to s3://"),
        ({"USAGE_EMR_APPLICATION_ID": "a b"}, "USAGE_EMR_APPLICATION_ID=a b: expected the id"),
        ({"USAGE_EMR_ROLE_ARN": "a-role"}, "USAGE_EMR_ROLE_ARN=a-role: expected a role such as"),
        ({"USAGE_EMR_CODE": "s3://b/c d"}, "USAGE_EMR_CODE=s3://b/c d: expected s3://bucket/"),
        ({"USAGE_EMR_LOG_GROUP": "a group"}, "USAGE_EMR_LOG_GROUP=a group: expected the name of"),
    ],
)
def test_what_jobs_cannot_run_with_is_one_line(changed, said):
    with pytest.raises(SettingsError) as raised:
        Settings.from_env({**EMR, **changed})
    assert str(raised.value).startswith(said)
    assert "\n" not in str(raised.value)
