"""Bills reckoned by hand: their files, and readings by their rules, independent of the package."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from usage_platform.adapters.stores.plain_yaml import yaml_texts
from usage_platform.core.load.month import Month
from usage_platform.core.meters import Meter
from usage_platform.core.readings.series import Series
from usage_platform.core.tariffs.parsing import parse_tariffs
from usage_platform.core.tariffs.tariff import Tariff

FILES = sorted((Path(__file__).parent / "bills").glob("*.yaml"))
A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class MadeBill:
    """A bill reckoned by hand, and what it is for."""

    meter: Meter
    month: Month
    tariff: Tariff
    series: Series
    expected: list[list[str]]
    total: str
    set_at: dict[str, str]
    set_by: dict[str, str]


def made_bill(path: Path) -> MadeBill:
    found = yaml_texts(path.read_text("utf-8"))
    meter = Meter("m", found["meter"]["timezone"], int(found["meter"]["interval_minutes"]))
    month = month_of(found["month"])
    first = month_of(found.get("first_month", found["month"])).first
    return MadeBill(
        meter,
        month,
        tariff_of(found["tariff"]),
        readings(meter, first, month.last, found["readings"]),
        found["expected"],
        found["total"],
        found.get("set_at", {}),
        found.get("set_by", {}),
    )


def month_of(text: str) -> Month:
    return Month(date.fromisoformat(f"{text}-01"))


def tariff_of(content: dict) -> Tariff:
    (tariff,) = parse_tariffs({"tariffs": [content]}, "tariffs.yaml").tariffs
    return tariff


def readings(meter: Meter, first: date, last: date, rules: list[dict]) -> Series:
    """Readings from a day before a span of local days to a day after it; the last rule wins."""
    step = timedelta(minutes=meter.interval_minutes)
    at = datetime.combine(first - A_DAY, datetime.min.time(), UTC)
    end = datetime.combine(last + 2 * A_DAY, datetime.min.time(), UTC)
    zone = ZoneInfo(meter.timezone)
    rules = [_read(rule) for rule in rules]
    instants, values = [], []
    while at < end:
        local = at.astimezone(zone)
        instants.append(int(at.timestamp()) * 10**9)
        values.append(next(rule["kw"] for rule in reversed(rules) if _holds(rule, at, local)))
        at += step
    return Series(np.array(instants, dtype=np.int64), np.array(values))


def _read(rule: dict) -> dict:
    return {
        "kw": float(rule["kw"]),
        "weekdays": [int(day) for day in rule.get("weekdays", range(7))],
        "hours": [int(hour) for hour in rule.get("hours", (0, 24))],
        "from": datetime.fromisoformat(rule.get("from", "1970-01-01T00:00+00:00")),
        "until": datetime.fromisoformat(rule.get("until", "2100-01-01T00:00+00:00")),
    }


def _holds(rule: dict, at: datetime, local: datetime) -> bool:
    return (
        rule["from"] <= at < rule["until"]
        and local.weekday() in rule["weekdays"]
        and rule["hours"][0] <= local.hour < rule["hours"][1]
    )
