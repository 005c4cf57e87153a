"""For any series and any dialect: what is written is read."""

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from usage_platform.adapters.sources.csv_file import CsvSource
from usage_platform.core.measurement import Quantity, Stamp, Unit
from usage_platform.core.meter_files.options import FileOptions
from usage_platform.core.meters import Meter
from usage_platform_tests.fixtures.green_button_writer import Series, green_button
from usage_platform_tests.fixtures.meter_file_kinds import zipped
from usage_platform_tests.fixtures.workbook_writer import workbook

FORMS = ["%Y-%m-%d %H:%M:%S", "%d.%m.%Y %H:%M", "%Y/%m/%d %H:%M", "%d-%b-%Y %H:%M"]
# The clocks change in all of them but Kolkata and Kathmandu, in Lord Howe by half an hour.
ZONES = [
    "Europe/Rome",
    "America/New_York",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "America/St_Johns",
]


@st.composite
def written(draw):
    """A series with the text of a file of it, and the options that say what is not certain."""
    meter = Meter("m", draw(st.sampled_from(ZONES)), draw(st.sampled_from([5, 15, 30])))
    first = draw(st.sampled_from(["2024-03-09", "2024-03-30", "2024-10-26", "2024-11-02"]))
    count = draw(st.integers(60, 200))
    start = pd.Timestamp(first).tz_localize(meter.timezone)
    starts = pd.date_range(start, periods=count, freq=f"{meter.interval_minutes}min")
    numbers = np.random.default_rng(draw(st.integers(0, 99))).integers(1, 9000, count)
    kw = numbers / 8
    quantity = draw(st.sampled_from([Quantity.POWER, Quantity.ENERGY]))
    unit = draw(st.sampled_from([u for u in Unit if u.fits(quantity)]))
    hours = meter.interval_minutes / 60 if quantity is Quantity.ENERGY else 1.0
    values = kw * hours / unit.scale()
    stamp = draw(st.sampled_from([*Stamp]))
    # Local ends of the hours at a clock change are written in ways that differ; instants are not.
    stamps = starts if stamp is Stamp.START else starts.tz_convert("UTC") + starts.freq
    in_utc = stamp is Stamp.END or draw(st.booleans())
    form = draw(st.sampled_from(FORMS))
    shown = (stamps.tz_convert("UTC") if in_utc else stamps).strftime(form)
    delimiter, decimal = draw(st.sampled_from([(",", "."), (";", ","), ("\t", "."), ("|", ",")]))
    above = draw(st.sampled_from(["", "A report\n\n"]))
    name = "time_utc" if in_utc else "time"
    lines = [
        f"{at}{delimiter}{repr(float(value)).replace('.', decimal)}"
        for at, value in zip(shown, values, strict=True)
    ]
    text = f"{above}{name}{delimiter}value_{unit}\n" + "\n".join(lines) + "\n"
    options = FileOptions(quantity=quantity, stamp=stamp, decimal=decimal)
    return text, meter, options, starts.tz_convert("UTC"), kw


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(written())
def test_a_series_is_read_as_it_was_written(tmp_path, case):
    text, meter, options, starts, kw = case
    found = _read(tmp_path, text.encode(), meter, options)
    assert_is_the_series(found, starts, kw)
    lines = text.splitlines()
    middle = len(lines) // 2
    header = next(line for line in lines if line.startswith("time"))
    parts = [lines[:middle], [header, *lines[middle:]]]
    packed = {f"part{at}.csv": "\n".join(part).encode() for at, part in enumerate(parts)}
    assert_is_the_series(_read(tmp_path, zipped(packed), meter, options), starts, kw)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(written(), st.booleans(), st.integers(-4, 4))
def test_a_workbook_is_read_as_it_was_written(tmp_path, case, is_1904, off_by_ms):
    text, meter, options, starts, kw = case
    delimiter = next(sign for sign in ",;\t|" if f"{sign}value_" in text)
    rows = [line.split(delimiter) for line in text.splitlines()]
    form = next(form for form in FORMS if _fits(rows[-1][0], form))
    for row in rows[[row[0].startswith("time") for row in rows].index(True) + 1 :]:
        at = datetime.strptime(row[0], form)  # noqa: DTZ007 - a local time
        row[:] = [at, float(row[1].replace(",", "."))]
    content = workbook({"S": rows}, is_1904=is_1904, off_by=timedelta(milliseconds=off_by_ms))
    assert_is_the_series(_read(tmp_path, content, meter, replace(options, decimal="")), starts, kw)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(written(), st.sampled_from(["", "e:"]), st.sampled_from([-1, 0]), st.integers(1, 4))
def test_a_green_button_file_is_read_as_it_was_written(tmp_path, case, prefix, power, blocks):
    _, meter, _, starts, kw = case
    seconds = meter.interval_minutes * 60
    values = np.round(kw * 1000 * seconds / 3600 / 10.0**power).astype(int).tolist()
    series = Series(
        "m",
        values,
        (starts.asi8 // 10**9).tolist(),
        duration=seconds,
        power_of_ten=power,
        blocks=blocks,
    )
    content = green_button([series], prefix=prefix)
    written_kw = np.array(values) * 10.0**power * 3600 / seconds / 1000
    assert_is_the_series(_read(tmp_path, content, meter, FileOptions()), starts, written_kw)


def _fits(text, form):
    try:
        datetime.strptime(text, form)  # noqa: DTZ007 - a local time
    except ValueError:
        return False
    return True


def _read(tmp_path, content, meter, options):
    path = tmp_path / "f"
    path.write_bytes(content)
    return CsvSource((path,), meter, options=options).load(lambda _done, _total: None)


def assert_is_the_series(found, starts, kw):
    assert found.bad_rows == ()
    assert list(found.frame["ts"]) == list(starts)
    np.testing.assert_allclose(found.frame["value"], kw, rtol=1e-9)
