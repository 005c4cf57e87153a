"""Addresses of alerts as they are written in settings."""

import pytest

from usage_platform.core.alerts.addresses import (
    Server,
    check_mqtt_topic,
    check_secret,
    check_web_address,
    mail_addresses,
    mqtt_server,
    smtp_server,
    topic_region,
)


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("smtp://mail.example.org", Server("mail.example.org", 587, False, "", "")),
        ("smtps://mail.example.org", Server("mail.example.org", 465, True, "", "")),
        (
            "smtp://me%40example.org:a%2Fb%3Ac@127.0.0.1:2525/",
            Server("127.0.0.1", 2525, False, "me@example.org", "a/b:c"),
        ),
    ],
)
def test_a_mail_servers_address_is_read_with_its_usual_port(text, server):
    assert smtp_server(text) == server


@pytest.mark.parametrize(
    "text",
    ["mail.example.org", "http://h", "smtp://", "smtp://u@h", "smtp://h:99999", "smtp://u:p/w@h"],
)
def test_what_is_no_mail_server_is_refused_without_repeating_it(text):
    with pytest.raises(ValueError, match="expected smtp://user:password@host") as raised:
        smtp_server(text)
    assert "99999" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("mqtt://broker", Server("broker", 1883, False, "", "")),
        ("mqtts://u:a%2Fb@broker:883/", Server("broker", 883, True, "u", "a/b")),
        ("mqtts://broker", Server("broker", 8883, True, "", "")),
        ("mqtt://u:p@127.0.0.1", Server("127.0.0.1", 1883, False, "u", "p")),
    ],
)
def test_the_address_of_a_broker_of_mqtt_is_read_with_its_usual_port(text, server):
    assert mqtt_server(text) == server


@pytest.mark.parametrize(
    "text", ["broker", "smtp://h", "mqtt://", "mqtts://u@h", "mqtt://h/topic", "mqtt://u:secret@h"]
)
def test_what_is_no_broker_of_mqtt_or_would_show_a_password_is_refused(text):
    with pytest.raises(ValueError, match="expected mqtts://") as raised:
        mqtt_server(text)
    assert "secret" not in str(raised.value)


def test_a_topic_of_mqtt_names_one_topic():
    check_mqtt_topic("usage/alerts")
    for text in ("", "usage/#", "usage/+/alerts", "$SYS/x", "a\nb", "x" * 65_536):
        with pytest.raises(ValueError, match="expected a topic such as usage/alerts"):
            check_mqtt_topic(text)


@pytest.mark.parametrize("text", ["https://h/a?b=c", "http://127.0.0.1:80/"])
def test_an_address_of_the_web_is_one(text):
    check_web_address(text)


@pytest.mark.parametrize("text", ["h/a", "ftp://h", "https://", "http://h:x", "https://h/a b"])
def test_what_is_no_address_of_the_web_is_refused(text):
    with pytest.raises(ValueError, match="expected an address"):
        check_web_address(text)


def test_a_secret_that_can_be_guessed_is_refused():
    check_secret("x" * 16)
    with pytest.raises(ValueError, match="at least 16"):
        check_secret("x" * 15)


def test_mail_addresses_are_read_with_commas():
    assert mail_addresses("a@b.c, d@e.f") == ("a@b.c", "d@e.f")
    assert mail_addresses("") == ()


@pytest.mark.parametrize("text", ["a", "a@b,", "a@b c@d", "a@b\nBcc: x@y", "<a@b>"])
def test_what_is_no_mail_address_is_refused(text):
    with pytest.raises(ValueError, match="expected mail addresses"):
        mail_addresses(text)


def test_the_region_of_a_topic_is_in_its_name():
    assert topic_region("arn:aws:sns:us-east-1:123456789012:alerts.fifo") == "us-east-1"
    with pytest.raises(ValueError, match="expected an ARN"):
        topic_region("arn:aws:sqs:us-east-1:123456789012:alerts")
