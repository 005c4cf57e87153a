"""Meters whose description changes from a day on: each row is read by the version of its time."""

from datetime import date
from functools import partial

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_platform.adapters.sources.csv_file import CsvSource
from usage_platform.core.measurement import Quantity, Sign, Stamp, Unit
from usage_platform.core.meter_descriptions.description import MeterDescription, Version
from usage_platform.core.meter_files.options import FileOptions
from usage_platform.core.readings.source import SourceError
from usage_platform_tests.adapters.sources.described_files import METER, kw, rows, understood

REGISTER = MeterDescription(name="east", quantity=Quantity.REGISTER, unit=Unit.KWH)


@pytest.fixture
def understand(tmp_path):
    return partial(understood, tmp_path / "f.csv")


VERSIONS = MeterDescription(
    name="east",
    quantity=Quantity.POWER,
    unit=Unit.KW,
    stamp=Stamp.START,
    versions=(Version(valid_from=date(2024, 3, 6), quantity=Quantity.ENERGY, unit=Unit.KWH),),
)


@pytest.mark.parametrize("header", ["time", "time_utc"])
def test_a_version_holds_from_local_midnight_on(understand, header):
    first = "2024-03-05 23:30" if header == "time" else "2024-03-05 22:30"
    text = f"meter,{header},value\n" + rows(first, [1, 1, 1, 1], "east")
    assert kw(understand(text, VERSIONS), "east") == [1, 1, 4, 4]


def test_with_end_stamps_the_row_at_midnight_is_of_the_version_before(understand):
    said = VERSIONS.model_copy(update={"stamp": Stamp.END})
    text = "meter,time,value\n" + rows("2024-03-05 23:45", [1, 1, 1], "east")
    found = understand(text, said)
    assert kw(found, "east") == [1, 1, 4]
    assert found.readings.frame["ts"].iloc[0] == pd.Timestamp("2024-03-05T22:30Z")


def version_of(first: dict, second: dict) -> MeterDescription:
    """A meter in kW that is another way from 2024-03-06 on."""
    version = Version(valid_from=date(2024, 3, 6), **second)
    fields = {"unit": Unit.KW, "stamp": Stamp.START} | first
    return MeterDescription(name="east", quantity=Quantity.POWER, versions=(version,), **fields)


def test_the_sign_of_a_version_holds_for_its_rows(understand):
    text = "meter,time,value\n" + rows("2024-03-05 23:30", [-1, 2, -3, 4], "east")
    found = understand(text, version_of({}, {"sign": Sign.NET})).readings
    assert found.frame["value"].tolist() == [2, -3, 4]
    (bad,) = found.bad_rows
    assert (bad.row, bad.reason.partition(";")[0]) == (2, "is below 0")
    assert [(meter.name, meter.is_net) for meter in found.meters] == [("east", True)]


END_THEN_START = version_of({"stamp": Stamp.END}, {"stamp": Stamp.START})
EVENING, MORNING = "2024-03-05 23:45", "2024-03-06 00:15"


def texts_of(*parts: str) -> str:
    return "meter,time,value\n" + "".join(parts)


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ([("2024-03-05 23:45", 1), ("2024-03-06 00:00", 2)], {"22:30": 1, "22:45": 2}),
        ([("2024-03-06 00:00", 3), ("2024-03-06 00:15", 4)], {"23:00": 3, "23:15": 4}),
        (
            [("2024-03-05 23:45", 1), ("2024-03-06", 2), ("2024-03-06", 3), (MORNING, 4)],
            {"22:30": 1, "22:45": 2, "23:00": 3, "23:15": 4},
        ),
        ([(EVENING, 1), (MORNING, 4)], {"22:30": 1, "23:15": 4}),
    ],
)
@pytest.mark.parametrize("newest_first", [False, True])
def test_from_end_to_start_a_row_at_midnight_is_of_one_version(
    understand, cells, expected, newest_first
):
    order = -1 if newest_first else 1
    lines = [f"east,{pd.Timestamp(at):%Y-%m-%d %H:%M},{kw}\n" for at, kw in cells][::order]
    frame = understand(texts_of(*lines), END_THEN_START).readings.frame
    times = frame["ts"].dt.strftime("%H:%M")
    assert dict(zip(times, frame["value"], strict=True)) == expected


@pytest.mark.parametrize(("count", "said"), [(1, "got it once"), (3, "got it 3 times")])
def test_from_end_to_start_a_row_that_may_be_of_both_is_refused(understand, count, said):
    midnights = [rows("2024-03-06", [2], "east")] * count
    text = texts_of(rows(EVENING, [1], "east"), *midnights, rows(MORNING, [4], "east"))
    with pytest.raises(SourceError, match=rf"f\.csv:3: has the midnight of 2024-03-06.*{said}"):
        understand(text, END_THEN_START)


def test_a_midnight_of_one_meter_says_nothing_of_another(understand):
    said = [END_THEN_START.model_copy(update={"name": name}) for name in ("east", "west")]
    text = texts_of(
        *(rows(f"2024-03-05 23:{at}", [1], "east") for at in (30, 45)),
        *(rows(at, [2], meter) for at in ("2024-03-06",) for meter in ("east", "west")),
        rows(MORNING, [3], "west"),
    )
    frame = understand(text, *said).readings.frame
    assert frame.loc[frame["meter"] == "east", "ts"].dt.strftime("%H:%M").tolist() == [
        *("22:15", "22:30", "22:45")
    ]
    assert frame.loc[frame["meter"] == "west", "ts"].dt.strftime("%H:%M").tolist() == [
        *("23:00", "23:15")
    ]


FINER = MeterDescription(
    name="east",
    interval=15,
    quantity=Quantity.ENERGY,
    unit=Unit.KWH,
    stamp=Stamp.START,
    versions=(Version(valid_from=date(2024, 3, 6), interval=5),),
)


def test_rows_of_an_exchanged_meter_may_be_finer(understand):
    before = rows("2024-03-05 23:15", [1, 2, 3], "east")
    after = rows("2024-03-06", [1, 1, 1, 2, 2, 5], "east", minutes=5)
    found = understand(texts_of(before, after), FINER)
    assert kw(found, "east") == [4, 8, 12, 12, 36]
    assert found.notes == ("6 rows finer than the interval averaged to 2 readings of 15 minutes",)


def test_a_single_row_is_as_long_as_its_version_says(understand):
    text = texts_of(rows("2024-03-05 23:15", [1, 2, 3], "east"), rows("2024-03-06", [1], "east"))
    found = understand(text, FINER)
    # A third of the interval alone makes no reading.
    assert kw(found, "east") == [4, 8, 12]
    assert found.notes[0].endswith("1 intervals are covered too little")


def test_rows_of_another_step_than_their_version_says_are_refused(understand):
    found = understand(texts_of(rows("2024-03-06", [1, 2, 3, 4], "east")), FINER)
    [one] = found.uncertain
    assert one.reason == (
        "f.csv: rows of meter 'east' are 15 minutes apart, and assets/meters.yaml says 5 of this "
        "version; correct its interval or its day"
    )


def test_from_start_to_end_no_row_may_have_the_midnight(understand):
    said = version_of({"stamp": Stamp.START}, {"stamp": Stamp.END})
    before, after = rows("2024-03-05 23:30", [1, 2], "east"), rows("2024-03-06 00:15", [3], "east")
    frame = understand(f"meter,time,value\n{before}{after}", said).readings.frame
    assert frame["ts"].dt.strftime("%H:%M").tolist() == ["22:30", "22:45", "23:00"]
    text = "meter,time,value\n" + rows("2024-03-05 23:30", [1, 2, 3], "east")
    with pytest.raises(SourceError, match=r"f\.csv:4: has the midnight of 2024-03-06, up to wh"):
        understand(text, said)


def test_a_version_without_a_row_says_nothing(understand):
    text = "meter,time,value\n" + rows("2024-03-07", [1, 1], "east")
    assert kw(understand(text, VERSIONS), "east") == [4, 4]


def test_registers_are_not_differenced_over_a_new_version(understand):
    said = REGISTER.model_copy(
        update={"versions": (Version(valid_from=date(2024, 3, 6), factor=10),)}
    )
    text = "meter,time,value\n" + rows("2024-03-05 23:15", [500, 501, 502, 0, 1], "east")
    assert kw(understand(text, said), "east") == [4, 4, 40]


@st.composite
def ways(draw) -> dict:
    """What a meter's rows are during a version."""
    quantity = draw(st.sampled_from([Quantity.POWER, Quantity.ENERGY]))
    return {
        "quantity": quantity,
        "unit": draw(st.sampled_from([u for u in Unit if u.fits(quantity) and not u.is_volume])),
        "stamp": draw(st.sampled_from(Stamp)),
        "factor": draw(st.sampled_from([1.0, 80.0])),
        "sign": draw(st.sampled_from(Sign)),
    }


# 2024-03-31: the clocks go forward at 02:00.
@given(
    ways(),
    ways(),
    st.sampled_from([date(2024, 3, 6), date(2024, 3, 31)]),
    st.lists(st.integers(-1000, 1000), min_size=4, max_size=12),
    st.lists(st.integers(-1000, 1000), min_size=4, max_size=12),
    st.sampled_from([(15, 15), (15, 5), (5, 15), (5, 5)]),
    st.booleans(),
)
def test_a_series_whose_rows_change_from_a_day_on_is_read_as_it_is(
    tmp_path_factory, before, after, day, first, second, steps, in_utc
):
    interval = pd.Timedelta(minutes=15)
    midnight = pd.Timestamp(day).tz_localize(METER.timezone).tz_convert("UTC")
    expected, lines = {}, ["meter,time_utc,value" if in_utc else "meter,time,value"]
    for way, minutes, values, start in (
        (before, steps[0], first, midnight - len(first) * interval),
        (after, steps[1], second, midnight),
    ):
        unit, is_net, step = way["unit"], way["sign"] is Sign.NET, pd.Timedelta(minutes=minutes)
        hours = minutes / 60 if way["quantity"] is Quantity.ENERGY else 1.0
        for at, value in enumerate(values):
            kw = value if is_net else abs(value)
            expected[start + at * interval] = float(kw)
            for begins in pd.date_range(
                start + at * interval, periods=15 // minutes, freq=f"{minutes}min"
            ):
                stamp = begins + step if way["stamp"] is Stamp.END else begins
                shown = stamp if in_utc else stamp.tz_convert(METER.timezone)
                cell = f"{kw * hours / unit.scale(way['factor']):.12g}"
                lines.append(f"east,{shown:%Y-%m-%d %H:%M},{cell}")
    path = tmp_path_factory.mktemp("files") / "f.csv"
    path.write_text("\n".join(lines))
    versions = (Version(valid_from=day, interval=steps[1], **after),)
    said = {"east": MeterDescription(name="east", interval=15, versions=versions, **before)}
    source = CsvSource((path,), METER, options=FileOptions(meters=said))
    found = source.understand(lambda done, of: None)
    assert (found.uncertain, found.readings.bad_rows) == ((), ())
    frame = found.readings.frame
    assert list(frame["ts"]) == list(expected)
    np.testing.assert_allclose(frame["value"], list(expected.values()), rtol=1e-9, atol=1e-9)
    assert [meter.is_net for meter in found.readings.meters] == [
        Sign.NET in (before["sign"], after["sign"])
    ]
