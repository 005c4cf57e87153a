"""Alerts to real local servers: what arrives, and what is said when it does not."""

import email
import email.policy
import hashlib
import hmac
import html
import json
import re
import ssl
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import trustme

from usage_platform.adapters.alert_sinks.mail import MailPage
from usage_platform.adapters.alert_sinks.slack import SlackSink
from usage_platform.adapters.alert_sinks.sns import SnsSink
from usage_platform.adapters.alert_sinks.webhook import SIGNATURE_HEADER, WebhookSink
from usage_platform.core.alerts.alert import Alert, AlertState, DeliveryError, Standing
from usage_platform.wiring.sinks import mail_sink
from usage_platform_tests.adapters.alert_sinks.alert_receivers import mail_receiver, web_receiver

NOW = datetime(2024, 3, 5, 18, tzinfo=UTC)
SHARED = "of sixteen or more letters"
ALERT = Alert(
    key="Café <1>/2024-03-05T17:00Z:opened",
    standing=Standing(AlertState.OPENED),
    meter="Café <1>",
    episode="2024-03-05T17:00Z",
    severity="high",
    title="Café <1>: surge since 12:00 (high)",
    text="Since Tue 5 Mar 2024, 12:00 EST.",
    event={"status": "opened"},
)


@pytest.fixture
def web():
    with web_receiver() as receiver:
        yield receiver


def test_a_webhook_gets_json_that_its_secret_vouches_for(web):
    WebhookSink(web.url, SHARED).deliver(ALERT, NOW)
    ((headers, body),) = web.posts
    assert json.loads(body) == ALERT.as_json()
    signed = dict(part.split("=") for part in headers[SIGNATURE_HEADER].split(","))
    expected = hmac.new(SHARED.encode(), f"{signed['t']}.".encode() + body, hashlib.sha256)
    assert signed == {"t": str(int(NOW.timestamp())), "v1": expected.hexdigest()}


def test_the_same_alert_has_the_same_idempotency_key_and_another_has_another(web):
    sink = WebhookSink(web.url)
    closed = replace(ALERT, key="other:closed")
    for alert in (ALERT, ALERT, closed):
        sink.deliver(alert, NOW)
    keys = [headers["Idempotency-Key"] for headers, _ in web.posts]
    assert keys[0] == keys[1] != keys[2]
    assert SIGNATURE_HEADER not in web.posts[0][0]


def test_a_chat_gets_text_in_which_nothing_is_a_mention(web):
    SlackSink(web.url).deliver(ALERT, NOW)
    ((_, body),) = web.posts
    assert json.loads(body) == {
        "text": "*Café &lt;1&gt;: surge since 12:00 (high)*\nSince Tue 5 Mar 2024, 12:00 EST."
    }


@pytest.mark.parametrize(
    "name",
    [
        "@all",
        "<!channel>",
        "[click](https://x.y)",
        "![](https://x.y/a.png)",
        "http://x.y",
        "WWW.x.y",
    ],
)
def test_a_name_is_no_mention_and_no_link_in_slack_or_mattermost(web, name):
    SlackSink(web.url).deliver(replace(ALERT, title=f"{name}: surge"), NOW)
    ((_, body),) = web.posts
    text = json.loads(body)["text"]
    assert re.search(r"@\w|<|\]\(|://|www\.", text, re.IGNORECASE) is None
    assert html.unescape(text.replace("\u2060", "")).startswith(f"*{name}: surge*\n")


@pytest.mark.parametrize(
    ("status", "lasting"),
    [(500, False), (503, False), (429, False), (404, True), (400, True), (302, True)],
)
def test_a_refusal_is_told_with_its_status_and_whether_it_may_pass(web, status, lasting):
    web.statuses = [status]
    with pytest.raises(DeliveryError, match=str(status)) as raised:
        WebhookSink(web.url).deliver(ALERT, NOW)
    assert raised.value.lasting is lasting
    # A redirect is not followed.
    assert len(web.posts) == 1


def test_what_is_said_of_a_failure_and_of_a_sink_holds_no_secret(unused_port):
    url = f"http://127.0.0.1:{unused_port()}/hooks/token"
    mail = mail_sink(f"smtp://user:geheim@127.0.0.1:{unused_port()}", "a@b.c", "")
    for sink in (WebhookSink(url, SHARED), SlackSink(url), mail):
        with pytest.raises(DeliveryError) as raised:
            sink.deliver(ALERT, NOW)
        assert not raised.value.lasting
        for said in (str(raised.value), repr(sink)):
            assert not any(secret in said for secret in ("token", "geheim", SHARED))


def test_a_mailbox_gets_words_and_the_same_alert_has_the_same_message_id(unused_port):
    with mail_receiver(unused_port()) as server:
        sink = mail_sink(f"smtp://127.0.0.1:{server.port}", "a@b.c, d@e.f", "")
        sink.deliver(ALERT, NOW)
        sink.deliver(ALERT, NOW)
    messages = [
        email.message_from_bytes(raw, policy=email.policy.default) for _, raw in server.mails
    ]
    assert [to for to, _ in server.mails] == [["a@b.c", "d@e.f"]] * 2
    assert messages[0]["Subject"] == ALERT.title
    assert messages[0]["From"] == "a@b.c"
    assert messages[0].get_content().startswith(ALERT.text)
    assert messages[0]["Message-ID"] == messages[1]["Message-ID"]


@pytest.mark.parametrize(
    "name",
    [
        "=?utf-8?q?x=0D=0ABcc:_evil@x.y=0D=0A=0D=0A<b>hi</b>?=",
        "=?utf-8?b?eA0KQmNjOiBldmlsQHgueQ0KDQpoaQ==?=",
        "=?utf-8?q?a?= =?utf-8?q?=0D=0AX-Mine:_1?=",
        "=?=?utf-8?q?=0AX-Mine:_1?=",
        "Süd | 図書館 <b>",
        "x\r\nBcc: evil@x.y\r\n\r\n<b>hi</b>",
        "x\u2028X-Mine: 1",
        "x" * 200,
    ],
)
def test_the_name_of_a_meter_is_text_in_a_mail_and_nothing_else(unused_port, name):
    alert = replace(ALERT, meter=name, title=f"{name}: spike since 12:00 (high)")
    with mail_receiver(unused_port()) as server:
        mail_sink(f"smtp://127.0.0.1:{server.port}", "a@b.c", "").deliver(alert, NOW)
        mail_sink(f"smtp://127.0.0.1:{server.port}", "a@b.c", "").deliver(ALERT, NOW)
    hostile, plain = (
        email.message_from_bytes(raw, policy=email.policy.default) for _, raw in server.mails
    )
    assert set(hostile.keys()) == set(plain.keys())
    # Long lines are folded, at blanks of which one may come or go.
    assert hostile["Subject"].split() == alert.title.replace("=?", "= ?").split()
    assert hostile.get_content().startswith(ALERT.text)


@pytest.mark.parametrize(("answer", "lasting"), [("451 later", False), ("554 never", True)])
def test_a_mail_server_that_refuses_says_whether_it_may_pass(unused_port, answer, lasting):
    with mail_receiver(unused_port()) as server:
        server.answer = answer
        sink = mail_sink(f"smtp://127.0.0.1:{server.port}", "a@b.c", "")
        with pytest.raises(DeliveryError, match=answer[:3]) as raised:
            sink.deliver(ALERT, NOW)
    assert raised.value.lasting is lasting


def test_a_page_is_mailed_as_text_and_as_html_with_its_picture_inside(unused_port):
    shown = "<img src=cid:chart>"
    page = MailPage("weekly/a/1", "Electricity =?utf-8?", "words", shown, b"\x89PNG", "chart")
    with mail_receiver(unused_port()) as server:
        sink = mail_sink(f"smtp://127.0.0.1:{server.port}", "a@b.c", "")
        sink.deliver_page(page, NOW)
        sink.deliver_page(page, NOW)
    first, second = (
        email.message_from_bytes(raw, policy=email.policy.default) for _, raw in server.mails
    )
    assert first["Message-ID"] == second["Message-ID"]
    assert first["Subject"] == "Electricity = ?utf-8?"
    kinds = [part.get_content_type() for part in first.walk()]
    related = ["multipart/related", "text/html", "image/png"]
    assert kinds == ["multipart/alternative", "text/plain", *related]
    picture = list(first.walk())[-1]
    assert (picture["Content-ID"], picture.get_content()) == ("<chart>", b"\x89PNG")
    assert picture.get_content_disposition() == "inline"


def test_a_mailbox_that_is_refused_is_named_though_others_get_the_mail(unused_port):
    with mail_receiver(unused_port()) as server:
        server.refused["d@e.f"] = "550 unknown"
        sink = mail_sink(f"smtp://127.0.0.1:{server.port}", "a@b.c, d@e.f", "")
        with pytest.raises(DeliveryError, match=r"refused for d@e.f"):
            sink.deliver(ALERT, NOW)
    assert [to for to, _ in server.mails] == [["a@b.c"]]


def test_a_password_goes_over_an_encrypted_line_to_a_trusted_server_and_nowhere_else(
    unused_port, tmp_path, monkeypatch
):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    url = "smtp://user:geheim@127.0.0.1:{}"
    with (
        mail_receiver(unused_port()) as plain,
        pytest.raises(DeliveryError, match="not sent in the clear"),
    ):
        mail_sink(url.format(plain.port), "a@b.c", "").deliver(ALERT, NOW)
    with mail_receiver(unused_port(), tls, "geheim") as server:
        sink = mail_sink(url.format(server.port), "a@b.c", "")
        with pytest.raises(DeliveryError, match="certificate is not trusted"):
            sink.deliver(ALERT, NOW)
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        with pytest.raises(DeliveryError, match="refuses the password"):
            mail_sink(f"smtp://user:x@127.0.0.1:{server.port}", "a@b.c", "").deliver(ALERT, NOW)
        sink.deliver(ALERT, NOW)
    assert not plain.mails
    assert len(server.mails) == 1


@pytest.fixture
def sns(monkeypatch):
    """A client of a local SNS, whose topics hand what they get to a queue of the test."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL_SNS", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    yield boto3.client("sns", region_name="eu-west-1")
    server.stop()


def test_an_sns_topic_hands_words_to_people_and_json_to_programs(sns, web):
    topic = sns.create_topic(Name="alerts")["TopicArn"]
    wanted = json.dumps({"severity": ["high"], "state": ["opened"]})
    of_those = {"FilterPolicy": wanted}
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=web.url, Attributes=of_those)
    SnsSink(topic).deliver(ALERT, NOW)
    told = json.loads(web.posts[-1][1])
    assert told["Subject"] == "Caf? <1>: surge since 12:00 (high)"
    assert json.loads(told["Message"]) == ALERT.as_json()


def test_an_sns_topic_that_is_not_there_is_told(sns):
    del sns
    with pytest.raises(DeliveryError, match="answered NotFound") as raised:
        SnsSink("arn:aws:sns:eu-west-1:123456789012:none").deliver(ALERT, NOW)
    assert raised.value.lasting
