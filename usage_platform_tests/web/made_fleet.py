"""Lakes of many meters for the page: hours, costs, anomalies, a model, groups; without Spark."""

from collections.abc import Callable
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from usage_platform.adapters.lake.files import LakeFiles, save_meters
from usage_platform.adapters.lake.tables import (
    ANOMALIES,
    READINGS,
    USAGE_COST,
    USAGE_HOURLY,
    Lake,
)
from usage_platform.adapters.stores.group_meters import GroupMeters
from usage_platform.adapters.stores.models import ModelStore
from usage_platform.core.anomalies.anomaly import NUMBERS
from usage_platform.core.detector.baseline.slot_forests import CUT, SlotForests
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform_tests.core.detector.made_models import model

WriteTable = Callable[..., None]
FIRST, LAST = date(2024, 2, 20), date(2024, 3, 25)
_WITH_READINGS = 16
_SUB_METERS, _MAIN = 3, 7
"""The first meters lie below one main meter."""
REST = "rest of block 1"
"""What they leave of it: a group that is a meter too."""
USES = ("office", "lab", "library", "hall", "gym", "depot", "clinic", "plant")


def meter_names(count: int) -> list[str]:
    """So many names, such as `lab-03`."""
    return [f"{USES[n % len(USES)]}-{n // len(USES) + 1:02}" for n in range(count)]


def make_fleet(lake: Lake, write: WriteTable, count: int, per_hour: int = 12) -> list[str]:
    """A lake with five weeks of hours of some meters; the last two have no model.

    The fifth meter falls silent three days before the end, the seventh lacks some hours, and every
    sixth uses more in the last week than is expected. Each day but the last has its costs; plants
    have no tariff. The first meters have their readings of the last week too.
    """
    names = meter_names(count)
    meters = [Meter(name, "Europe/Rome", 60 // per_hour) for name in names]
    assets = LakeFiles(lake.assets)
    save_meters(assets, MeterRegistry(meters[0]).with_meters(meters))
    random = np.random.default_rng(3)
    size = np.round(20 * random.pareto(1.4, count) + 5, 1)
    if count > _MAIN:
        size[_MAIN] = 1.5 * size[:_SUB_METERS].sum()
    days = pd.date_range(FIRST, LAST, freq="D", tz="UTC")
    for day in days:
        is_last_week = day > days[-1] - pd.Timedelta(days=7)
        factor = np.where((np.arange(count) % 6 == 5) & is_last_week, 1.3, 1.0)
        kw = (size * factor)[:, None] * random.normal(1.0, 0.04, (count, 24))
        hours = _without_gaps(_hours(names, kw, day, per_hour), names, days[-1])
        write(lake, USAGE_HOURLY, hours)
        if day < days[-1]:
            write(lake, USAGE_COST, _costs(hours))
        if is_last_week:
            few = hours[hours["meter"].isin(names[:_WITH_READINGS])]
            write(lake, READINGS, _readings(few, per_hour))
    write(lake, ANOMALIES, _anomalies(names, size, days[-1]))
    store = ModelStore(LakeFiles(lake.models))
    known = zip(meters[: count - 2], size, strict=False)
    begin = pd.Timestamp(FIRST, tz="UTC")
    store.save(model("v1", begin, {meter.name: _detector(meter, kw) for meter, kw in known}))
    store.promote(["v1"])
    assets.write_text("groups.yaml", _groups(names[:25]))
    GroupMeters(assets).add([Meter(REST, "Europe/Rome", 60 // per_hour)], 0.0)
    return names


def _profile(hour: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """The load by hour of the local day as a share of the meter's size."""
    return 0.4 + 0.6 * np.exp(-(((hour - 13) / 4.5) ** 2))


def _hours(
    names: list[str], size: npt.NDArray[np.float64], day: pd.Timestamp, per_hour: int
) -> pd.DataFrame:
    """The hours of a UTC day; `size` has the size of each meter in each hour, kW."""
    starts = pd.date_range(day, periods=24, freq="h")
    local = starts.tz_convert("Europe/Rome").hour.to_numpy()
    frame = pd.DataFrame(
        {
            "meter": np.repeat(np.array(names, dtype=object), 24),
            "start": np.tile(starts, len(names)),
            "avg_usage": np.round(size * _profile(local), 3).ravel(),
        }
    )
    return frame.assign(
        end=frame["start"] + pd.Timedelta(hours=1),
        event_date=day.date(),
        n=np.int32(per_hour),
        expected_n=np.int32(per_hour),
        min_usage=frame["avg_usage"] * 0.9,
        max_usage=frame["avg_usage"] * 1.1,
        energy_kwh=frame["avg_usage"],
        is_final=True,
        last_reading=frame["start"] + pd.Timedelta(minutes=60 - 60 // per_hour),
        late_n=np.int32(0),
        rev=np.int32(0),
    )


def _readings(hours: pd.DataFrame, per_hour: int) -> pd.DataFrame:
    """The readings of some hours: each hour's mean, a little less and a little more in turn."""
    rows = hours.loc[hours.index.repeat(per_hour), ["meter", "start", "avg_usage", "event_date"]]
    step = np.tile(np.arange(per_hour), len(hours))
    ripple = 1 + 0.02 * np.where(step % 2 == 0, 1, -1)
    return pd.DataFrame(
        {
            "meter": rows["meter"],
            "event_time": rows["start"] + pd.to_timedelta(step * (60 // per_hour), "min"),
            "value": (rows["avg_usage"] * ripple).round(3),
            "event_date": rows["event_date"],
        }
    )


def _costs(hours: pd.DataFrame) -> pd.DataFrame:
    """The hours at a price of the day and one of the night; those of plants without a price."""
    has_tariff = ~hours["meter"].str.startswith("plant")
    is_day = hours["start"].dt.hour.between(7, 18)
    cost = hours["energy_kwh"] * np.where(is_day, 0.31, 0.19)
    return hours[["meter", "start", "end", "event_date", "rev"]].assign(
        covered_minutes=np.int32(60),
        kwh=hours["energy_kwh"],
        export_kwh=0.0,
        tariff=pd.Series("campus", hours.index).where(has_tariff).astype("string"),
        currency=pd.Series("EUR", hours.index).where(has_tariff).astype("string"),
        cost=cost.where(has_tariff),
        co2_kg=0.3 * hours["energy_kwh"],
    )


def _without_gaps(hours: pd.DataFrame, names: list[str], last: pd.Timestamp) -> pd.DataFrame:
    """All hours but those of the meter that falls silent and of the one that lacks some."""
    is_gone = (hours["meter"] == names[4]) & (hours["start"] > last - pd.Timedelta(days=2))
    is_gap = (hours["meter"] == names[6]) & hours["start"].dt.hour.between(8, 10)
    is_late = hours["start"] > last - pd.Timedelta(days=4)
    return hours[~(is_gone | (is_gap & is_late))]


def _anomalies(names: list[str], size: npt.NDArray[np.float64], last: pd.Timestamp) -> pd.DataFrame:
    rows = []
    for n in range(0, len(names), 3):
        at = last - pd.Timedelta(hours=5 + 7 * (n % 20))
        sign = -1.0 if n % 2 else 1.0
        rows += [
            (names[n], at + pd.Timedelta(minutes=5 * k), f"{at:%Y-%m-%dT%H:%MZ}", sign * size[n])
            for k in range(1 + n % 5)
        ]
    frame = pd.DataFrame(rows, columns=["meter", "event_time", "episode", "excess_kwh"])
    known = frame.assign(
        anomaly_id=[f"{n:012x}" for n in range(len(frame))],
        kind="spike",
        direction=np.where(frame["excess_kwh"] < 0, "below", "above"),
        severity="medium",
        explanation="",
        run=1,
        model_version="v1",
        status="told",
        event_date=frame["event_time"].dt.date,
    )
    return known.assign(**{name: 1.0 for name in NUMBERS if name != "excess_kwh"})


def _detector(meter: Meter, size: float) -> SlotForests:
    """Expects what `_profile` says, in each slot of the week."""
    steps = 24 * meter.readings_per_hour
    hour = np.arange(7 * steps) % steps // meter.readings_per_hour
    kw = size * _profile(hour)
    slots = len(kw)
    return SlotForests(
        meter=meter,
        comparables=np.full(slots, 9),
        low=0.9 * kw,
        high=1.1 * kw,
        starts=3 * np.arange(slots + 1),
        cuts=np.column_stack([0.9 * kw, 1.1 * kw, np.full(slots, np.inf)]).ravel(),
        scores=np.tile([0.9, CUT, 0.7], slots),
    )


def _groups(names: list[str]) -> str:
    lines = ["sites:"]
    for site, first in (("North campus", 0), ("South campus", 12)):
        lines += [f"  - name: {site}", "    buildings:"]
        for at in range(first, first + 12, 4):
            part = names[at : at + 4]
            lines += [
                f"      - name: Block {at // 4 + 1}",
                f"        kind: {USES[at // 4 % len(USES)]}",
                f"        area_m2: {2400 + 150 * at}",
                f"        meters: [{', '.join(part)}]",
            ]
    lines += ["      - name: Annex", "        area_m2: 2000", f"        meters: [{names[24]}]"]
    lines += ["virtual:", f"  - name: {REST}", f"    plus: [{names[_MAIN]}]"]
    lines += [f"    minus: [{', '.join(names[:_SUB_METERS])}]"]
    return "\n".join(lines) + "\n"
