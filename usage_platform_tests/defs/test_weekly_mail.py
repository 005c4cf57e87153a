"""When the job of the weekly mail is started, and what its run says."""

import email
import email.policy
from datetime import UTC, datetime, timedelta

import dagster as dg
import pandas as pd
import pytest

from usage_platform.adapters.lake.tables import USAGE_HOURLY
from usage_platform.adapters.stores.weekly_record import WeeklyRecord
from usage_platform.core.readings.hourly import audited_hours
from usage_platform.defs.weekly_mail import weekly_mail, weekly_mail_sensor
from usage_platform_tests.adapters.alert_sinks.alert_receivers import mail_receiver
from usage_platform_tests.defs.conftest import Platform, skipped

ROUTES = 'targets: {facility: {sink: email, to: [a@b.c], weekly: {day: monday, at: "07:00"}}}'


@pytest.fixture
def platform(tmp_path) -> Platform:
    made = Platform(tmp_path)
    made.deployment.assets.write_text("alerts.yaml", ROUTES)
    return made


@pytest.fixture
def let_be_due(platform, write_table):
    """Let a mail be due, with an hour of so many days ago."""

    def write(days_ago):
        now = datetime.now(UTC)
        WeeklyRecord(platform.deployment.assets).write({"facility": now - timedelta(days=8)})
        start = pd.Timestamp(now - timedelta(days=days_ago)).floor("h")
        hours = pd.DataFrame({"meter": ["m"], "start": [start], "event_date": [start.date()]})
        write_table(platform.deployment.lake, USAGE_HOURLY, hours)

    return write


def test_no_run_starts_before_a_mail_is_due_nor_at_once_for_a_new_target(
    look, platform, let_be_due
):
    assert skipped(look(weekly_mail_sensor, platform)) == "no weekly mail is due"
    let_be_due(days_ago=1)
    first, again = (look(weekly_mail_sensor, platform) for _ in range(2))
    assert first.run_key.startswith("facility@")
    assert first.run_key[:30] == again.run_key[:30]


def test_a_mail_waits_for_readings_of_these_days(look, platform, let_be_due):
    let_be_due(days_ago=3)
    said = "the mail of facility waits: there are no readings of the last two days"
    assert skipped(look(weekly_mail_sensor, platform)) == said


def test_a_mistake_in_the_file_and_a_run_that_sends_are_said(look, platform):
    with platform.deployment.sink_turn("weekly").taken():
        assert "turn before" in skipped(look(weekly_mail_sensor, platform))
    platform.deployment.assets.write_text("alerts.yaml", "routes: 3")
    assert "alerts.yaml: routes: expected a list" in skipped(look(weekly_mail_sensor, platform))


def test_a_run_that_cannot_send_fails_in_one_line_and_the_mail_stays_due(
    look, platform, let_be_due
):
    let_be_due(days_ago=3)
    done = weekly_mail.execute_in_process(
        resources={"platform": platform},
        raise_on_error=False,
        instance=dg.DagsterInstance.ephemeral(),
    )
    assert not done.success
    (failure,) = done.get_step_failure_events()
    said = failure.step_failure_data.user_failure_data.description
    assert said == (
        "not sent, tried again in an hour: facility: there are no readings of the last two days"
    )
    assert "waits" in skipped(look(weekly_mail_sensor, platform))


def test_a_run_mails_the_week_of_the_lake_and_records_it(look, tmp_path, write_table, unused_port):
    with mail_receiver(unused_port()) as server:
        made = Platform(tmp_path, alert_smtp_url=f"smtp://127.0.0.1:{server.port}")
        made.deployment.assets.write_text("alerts.yaml", ROUTES)
        now = pd.Timestamp.now(tz="UTC").floor("h")
        at = pd.date_range(now - pd.Timedelta(days=9), now, freq="5min", inclusive="left")
        rows = pd.DataFrame({"meter": "hall", "event_time": at, "value": 12.0})
        rows = rows.astype({"event_time": "datetime64[ns, UTC]"})
        newest = rows.groupby("meter")["event_time"].max()
        registry = made.deployment.registry()
        hours = audited_hours(rows.assign(late=False), registry, newest)
        hours = hours.assign(event_date=hours["start"].dt.date)
        write_table(made.deployment.lake, USAGE_HOURLY, hours)
        record = WeeklyRecord(made.deployment.assets)
        record.write({"facility": datetime.now(UTC) - timedelta(days=8)})
        done = weekly_mail.execute_in_process(
            resources={"platform": made}, instance=dg.DagsterInstance.ephemeral()
        )
    assert done.success
    ((to, raw),) = server.mails
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    assert to == ["a@b.c"]
    # 12 kW for 168 hours.
    assert (
        "hall  2,016         -          -              0" in mail.get_body(("plain",)).get_content()
    )
    assert [part.get_content_type() for part in mail.walk()][-1] == "image/png"
    assert skipped(look(weekly_mail_sensor, made)) == "no weekly mail is due"
