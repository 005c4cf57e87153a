"""The weekly mail: what it says of a lake, and that it is sent once a week."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import ANOMALIES, READINGS
from usage_platform.adapters.stores.alert_routes import routes_in
from usage_platform.adapters.stores.weekly_record import WeeklyRecord
from usage_platform.core.alerts.alert import DeliveryError
from usage_platform.core.alerts.weekly_summary import (
    Cost,
    WeekRow,
    WeekSummary,
    subject,
    text,
)
from usage_platform.core.fleet.group_row import HourSum, group_row
from usage_platform.core.fleet.groups import Group, GroupKind, Member
from usage_platform.core.fleet.meter_row import NO_ENERGY, Energy, MeterRow
from usage_platform.core.measurement import ReadingUnit
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.tariffs.book import TariffBook
from usage_platform.core.tariffs.tariff import flat_tariff
from usage_platform.services.episode_costs import episode_cost
from usage_platform.services.fleet import Fleet
from usage_platform.services.week_summary import WeekSource, week_summary
from usage_platform.services.weekly_html import html_of
from usage_platform.services.weekly_mail import due_mails, send_mails

ROME = ZoneInfo("Europe/Rome")
ROUTES = routes_in(
    """
targets:
  facility: {sink: email, to: [a@b.c], weekly: {day: monday, at: "07:00"}}
  owner: {sink: email, to: [d@e.f], weekly: {day: friday, at: "12:00"}}
  oncall: {sink: slack}
""",
    "alerts.yaml",
)
SUNDAY = datetime(2024, 3, 10, 12, tzinfo=UTC)
MONDAY = datetime(2024, 3, 11, 6, tzinfo=UTC)
END = pd.Timestamp("2024-03-11T05:00Z")
BOOK = TariffBook((flat_tariff(0.25, "EUR"),))
NAN = float("nan")


def summary(**changes):
    given = {
        "start": datetime(2024, 3, 4, 6, tzinfo=ROME),
        "end": datetime(2024, 3, 11, 6, tzinfo=ROME),
        "meters": [WeekRow("<b>", 1200, 200, 1000, 2), WeekRow("new", 50, NAN, NAN, 0)],
        "more_meters": 1_409,
        "groups": [WeekRow("Site", 1250, NAN, NAN)],
        "more_groups": 0,
        "hourly_kw": np.full(168, 7.5),
        "new_episodes": 3,
        "open_episodes": 2,
        "costs": [Cost(Decimal("12.50"), "EUR")],
        "priced": 2,
        "unpriced": 1,
    }
    return WeekSummary(**(given | changes))


class Mailbox:
    """Keeps the pages that it gets, or refuses them, or dies after it took one."""

    def __init__(self):
        self.pages, self.refuses = [], False

    def deliver_page(self, page, now):
        if self.refuses:
            raise DeliveryError("answered 451")
        self.pages.append(page)


@pytest.fixture
def record(tmp_path) -> WeeklyRecord:
    return WeeklyRecord(LakeFiles(str(tmp_path)))


def send(record, sinks, now, found=summary):
    due = due_mails(record, ROUTES, now, ROME)
    return send_mails(record, due, sinks, found, now)


def test_a_new_target_gets_its_first_mail_at_the_next_time_and_one_a_week(record):
    sinks = {"facility": Mailbox(), "owner": Mailbox()}
    now = SUNDAY
    while now < SUNDAY + timedelta(days=22):
        send(record, sinks, now)
        now += timedelta(hours=1)
    assert [page.key for page in sinks["facility"].pages] == [
        "weekly/facility/2024-03-11T06:00Z",
        "weekly/facility/2024-03-18T06:00Z",
        "weekly/facility/2024-03-25T06:00Z",
        # The clocks have changed.
        "weekly/facility/2024-04-01T05:00Z",
    ]
    assert len(sinks["owner"].pages) == 3


def test_after_weeks_without_the_platform_one_mail_is_due(record):
    sinks = {"facility": Mailbox()}
    send(record, sinks, SUNDAY)
    assert send(record, sinks, SUNDAY + timedelta(days=30)).sent == ("facility",)
    assert len(sinks["facility"].pages) == 1


def test_a_mail_that_fails_stops_no_other_and_is_sent_later(record):
    sinks = {"facility": Mailbox(), "owner": Mailbox()}
    send(record, sinks, SUNDAY)
    sinks["facility"].refuses = True
    friday = SUNDAY + timedelta(days=6)
    done = send(record, sinks, friday)
    assert (done.sent, done.failed) == (("owner",), {"facility": "answered 451"})
    sinks["facility"].refuses = False
    assert send(record, sinks, friday).sent == ("facility",)
    assert send(record, sinks, friday).sent == ()


@pytest.mark.parametrize("after", [False, True])
def test_a_kill_between_sending_and_recording_repeats_the_same_mail(record, monkeypatch, after):
    sinks = {"facility": Mailbox()}
    send(record, sinks, SUNDAY)
    write = WeeklyRecord.write

    def dying(self, sent):
        if after:
            write(self, sent)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(WeeklyRecord, "write", dying)
        with pytest.raises(KeyboardInterrupt):
            send(record, sinks, MONDAY)
    send(record, sinks, MONDAY)
    keys = [page.key for page in sinks["facility"].pages]
    assert keys == ["weekly/facility/2024-03-11T06:00Z"] * (1 if after else 2)


def test_without_readings_or_settings_it_says_so_and_sends_nothing(record):
    send(record, {}, SUNDAY)
    assert send(record, {}, MONDAY).failed == {"facility": "the settings of its mail are missing"}
    done = send(record, {"facility": Mailbox()}, MONDAY, lambda: None)
    assert done.failed == {"facility": "there are no readings of the last two days"}


def test_the_mail_has_the_figures_as_text_and_as_html_in_which_names_are_text():
    found = summary()
    assert subject(found) == "Electricity until Mon 11 Mar: 3 new episodes, 2 open"
    plain = text(found)
    assert "Mon 4 Mar 2024, 06:00 to Mon 11 Mar 2024, 06:00." in plain
    assert "Cost of 2 of the week's episodes: 12.50 EUR; 1 more without a known cost." in plain
    assert "<b>  1,200     1,000  +200 (+20%)              2" in plain
    assert "new     50         -            -              0" in plain
    assert "1,409 more are on the page." in plain
    html = html_of(found)
    assert "&lt;b&gt;" in html
    assert "<b>" not in html
    assert '<img src="cid:chart"' in html


def test_a_mail_without_a_meter_or_an_hour_is_drawn_too(record):
    sinks = {"facility": Mailbox()}
    send(record, sinks, SUNDAY)
    empty = summary(meters=[], groups=[], hourly_kw=np.full(168, np.nan), costs=[])
    send(record, sinks, MONDAY, lambda: empty)
    assert sinks["facility"].pages[0].png.startswith(b"\x89PNG")


def meter_row(name, week, line=1.0, episodes=0, unit=ReadingUnit.KW):
    return MeterRow(
        name=name,
        week=week,
        month=NO_ENERGY,
        has_model=True,
        open_episodes=episodes,
        open_excess_kwh=0.0,
        completeness=1.0,
        newest=END.value,
        is_silent=False,
        kwh_per_m2=NAN,
        line=np.full(168, line),
        unit=unit,
    )


def write_lake(write):
    """An hour of 30 kW in place of 10 kW, twice: a week ago and yesterday; and a saving."""
    times = pd.date_range("2024-03-01T00:00Z", "2024-03-12T00:00Z", freq="h", inclusive="left")
    high = [pd.Timestamp("2024-03-03T12:00Z"), pd.Timestamp("2024-03-10T12:00Z")]
    values = np.where(times.isin(high), 30.0, 10.0)
    readings = pd.DataFrame({"meter": "m", "event_time": times, "value": values})
    write(READINGS, readings.assign(event_date=readings["event_time"].dt.date))
    rows = [(at, 30.0, 10.0, 20.0, None) for at in high]
    rows.append((pd.Timestamp("2024-03-10T20:00Z"), 10.0, 20.0, -10.0, "withdrawn"))
    columns = ["event_time", "usage", "expected", "excess_kwh", "status"]
    frame = pd.DataFrame(rows, columns=columns).assign(meter="m")
    frame["episode"] = frame["event_time"].dt.strftime("%Y-%m-%dT%H:%MZ")
    write(ANOMALIES, frame.assign(event_date=frame["event_time"].dt.date))


def source_of(lake) -> WeekSource:
    registry = MeterRegistry(Meter("m", "Europe/Rome", 60))
    return WeekSource(LakeReader(lake), BOOK, registry, ROME)


def test_the_figures_are_those_of_the_fleet_and_of_the_weeks_episodes(lake, write_table):
    write_lake(lambda table, frame: write_table(lake, table, frame))
    members = (Member("m", 1), Member("sub", -1))
    group = Group("rest", GroupKind.VIRTUAL, "", None, None, members, ("m", "sub"))
    fleet = Fleet(
        meters=(
            meter_row("m", Energy(1700, 1700, 1680), 10.0, 1),
            meter_row("sub", Energy(500, 500, 600), 3.0),
            meter_row("gone", NO_ENERGY, np.nan),
            # No power that could be added to the others.
            meter_row("water", NO_ENERGY, 2.0, unit=ReadingUnit.M3_H),
        ),
        groups=(group_row(group, False, HourSum(168, 168, 1200.0)),),
        hour_end=END.value,
    )
    found = week_summary(fleet, source_of(lake))
    assert [row.name for row in found.meters] == ["sub", "m", "gone", "water"]
    assert found.groups == [WeekRow("rest", 1200.0, 120.0, 1080.0)]
    np.testing.assert_array_equal(found.hourly_kw, np.full(168, 13.0))
    assert (found.new_episodes, found.open_episodes) == (1, 1)
    # 20 kWh at 0.25.
    assert (found.costs, found.priced, found.unpriced) == ([Cost(Decimal("5.00"), "EUR")], 1, 0)
    assert found.end == datetime(2024, 3, 11, 6, tzinfo=ROME)
    assert week_summary(Fleet(), source_of(lake)) is None


def test_the_cost_of_an_episode_is_that_of_its_readings_and_unknown_without_them(lake, write_table):
    write_lake(lambda table, frame: write_table(lake, table, frame))
    reader, meter = LakeReader(lake), Meter("m", "Europe/Rome", 60)

    def cost(name, book=BOOK):
        return episode_cost(reader, book, meter, name, "2024-03-10T22:00:00+01:00")

    assert cost("2024-03-10T12:00Z") == (Decimal("5.00"), "EUR")
    assert cost("2024-03-10T20:00Z") is None, "it was withdrawn"
    assert cost("2024-03-10T13:00Z") is None
    assert cost("2024-03-10T12:00Z", TariffBook(())) is None
    assert reader.rows(READINGS, ["event_date"])["event_date"].max() == date(2024, 3, 11)
