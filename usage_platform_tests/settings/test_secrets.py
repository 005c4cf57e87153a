"""Secrets among the settings: what they need, who gets them, and that no text shows them."""

import pytest

from usage_platform.settings.settings import Settings, SettingsError
from usage_platform.wiring.platform import Platform

SECURED = {
    "USAGE_KAFKA_BOOTSTRAP": "b-1.usage.abc123.c2.kafka.us-east-1.amazonaws.com:9098",
    "USAGE_KAFKA_SECURITY": "scram",
    "USAGE_KAFKA_USER": "ann",
    "USAGE_KAFKA_PASSWORD": "s3same",
}


@pytest.mark.parametrize(
    ("changed", "missing"),
    [
        ({"USAGE_KAFKA_BOOTSTRAP": ""}, "USAGE_KAFKA_BOOTSTRAP"),
        ({"USAGE_KAFKA_PASSWORD": ""}, "USAGE_KAFKA_PASSWORD"),
        ({"USAGE_KAFKA_SECURITY": "iam", "USAGE_KAFKA_BOOTSTRAP": "b:9098"}, "amazonaws.com"),
        ({"USAGE_KAFKA_CA": "/no/such.pem"}, "USAGE_KAFKA_CA=/no/such.pem: no such file"),
    ],
)
def test_brokers_that_ask_need_all_that_they_ask_for(changed, missing):
    with pytest.raises(SettingsError) as raised:
        Settings.from_env({**SECURED, **changed})
    assert missing in str(raised.value)
    assert "\n" not in str(raised.value)


def test_the_brokers_get_the_password_and_no_message_shows_it():
    settings = Settings.from_env(SECURED)
    assert "USAGE_KAFKA_PASSWORD" not in settings.environment()
    assert "s3same" not in repr(settings)
    assert "s3same" not in repr(Platform(settings).kafka)
    assert Platform(settings).kafka.client()["sasl.password"] == "s3same"


SECRETS = {
    "USAGE_ALERT_WEBHOOK_URL": "https://h/geheim",
    "USAGE_ALERT_WEBHOOK_SECRET": "geheim geheim geheim",
    "USAGE_ALERT_SLACK_URL": "https://h/geheim",
    "USAGE_ALERT_SMTP_URL": "smtp://user:geheim@h",
    "USAGE_ALERT_MQTT_URL": "mqtts://user:geheim@h",
}


def test_no_secret_is_shown_or_handed_on_in_a_childs_settings():
    settings = Settings.from_env(SECRETS)
    shown = (repr(settings), str(settings), settings.model_dump_json(), settings.environment())
    assert "geheim" not in str(shown)
    assert not set(SECRETS) & set(settings.environment())
    assert (
        Settings.from_env(settings.environment(with_secrets=True)).model_dump()
        == (
            settings.model_copy(update={"data": settings.data_dir, "jars": settings.jars_dir})
        ).model_dump()
    )


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("USAGE_ALERT_WEBHOOK_URL", "geheim"),
        ("USAGE_ALERT_WEBHOOK_SECRET", "geheim"),
        ("USAGE_ALERT_SLACK_URL", "ftp://geheim"),
        ("USAGE_ALERT_SMTP_URL", "smtp://geheim@h"),
        ("USAGE_ALERT_MQTT_URL", "mqtt://user:geheim@h"),
    ],
)
def test_a_secret_that_cannot_be_used_is_named_and_not_repeated(variable, value):
    with pytest.raises(SettingsError, match=rf"^{variable}=\.\.\.: expected") as raised:
        Settings.from_env({variable: value})
    assert "geheim" not in str(raised.value)


def test_a_token_in_sparks_address_is_for_processes_only_and_in_no_message():
    url = "sc://h:15002/;authorization=Bearer%20geheim"
    settings = Settings.from_env({"USAGE_SPARK_REMOTE": url})
    assert settings.environment(with_secrets=True)["USAGE_SPARK_REMOTE"] == url
    assert settings.environment()["USAGE_SPARK_REMOTE"] == "sc://h:15002"
    assert "geheim" not in repr(settings)
    for wrong, shown in (("http://h/", "http://h"), ("sc://h:15002", "sc://h:15002")):
        with pytest.raises(SettingsError, match=f"^USAGE_SPARK_REMOTE={shown}: expected") as raised:
            Settings.from_env({"USAGE_SPARK_REMOTE": url.replace("sc://h:15002/", wrong)})
        assert "geheim" not in str(raised.value)


def test_mail_needs_a_server():
    with pytest.raises(SettingsError, match="ALERT_EMAIL_TO is set: set USAGE_ALERT_SMTP"):
        Settings.from_env({"USAGE_ALERT_EMAIL_TO": "a@b.c"})


def test_a_clients_certificate_goes_over_tls_and_its_file_is_found_from_anywhere(
    tmp_path, monkeypatch
):
    (tmp_path / "own.pem").write_text("")
    monkeypatch.chdir(tmp_path)
    given = {"USAGE_ALERT_MQTT_CERTIFICATE": "own.pem"}
    for url in ("", "mqtt://h"):
        with pytest.raises(SettingsError, match="set USAGE_ALERT_MQTT_URL to mqtts://"):
            Settings.from_env({**given, "USAGE_ALERT_MQTT_URL": url})
    settings = Settings.from_env({**given, "USAGE_ALERT_MQTT_URL": "mqtts://h"})
    environment = settings.environment(with_secrets=True)
    monkeypatch.chdir("/")
    child = Settings.from_env(environment)
    assert child.alert_mqtt_certificate == tmp_path / "own.pem"
