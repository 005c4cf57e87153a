"""The readings of samples: equal to the oracle, however the samples come."""

import math
from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_platform.core.measurement import Quantity, Unit
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.samples.parsing import parse_samples
from usage_platform.core.samples.stage import SampleStage
from usage_platform.core.samples.window import MOST_A_MINUTE
from usage_platform_tests.core.samples.oracle import (
    START,
    describe,
    expected_readings,
    message,
    readings_of,
    run_stage,
)

ZONES = ("UTC", "Asia/Kolkata", "Asia/Kathmandu", "America/St_Johns", "America/New_York")
UNITS = {Quantity.POWER: Unit.W, Quantity.ENERGY: Unit.WH, Quantity.REGISTER: Unit.KWH}
SPRING = pd.Timestamp("2024-03-10T06:30Z")  # The clocks of New York go forward at 07:00.
AUTUMN = pd.Timestamp("2024-11-03T05:30Z")


def seconds(count):
    return pd.Timedelta(seconds=count)


@st.composite
def meters(draw):
    minutes = draw(st.sampled_from([1, 5, 15, 30, 60]))
    return Meter("m", draw(st.sampled_from(ZONES)), minutes)


@st.composite
def sample_lists(draw, quantity):
    """Samples in the order of their times; a register only rises."""
    start = draw(st.sampled_from([START, SPRING, AUTUMN]))
    gaps = st.sampled_from([1, 10, 10, 60, 61, 300, 871, 2000])
    numbers = st.floats(0, 5000, allow_subnormal=False)
    rows = draw(st.lists(st.tuples(gaps, numbers), min_size=1, max_size=60))
    samples, total, time = [], 100.0, start + seconds(draw(st.integers(0, 4000)))
    for gap, number in rows:
        time, total = time + seconds(gap), total + number / 1000
        samples.append((time, total if quantity is Quantity.REGISTER else number))
    return samples


@st.composite
def cuts(draw, items):
    places = draw(st.lists(st.integers(1, max(len(items) - 1, 1)), max_size=4))
    edges = [0, *sorted(set(places)), len(items)]
    return [items[a:b] for a, b in pairwise(edges) if a < b]


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        assert math.isclose(found[key], value, rel_tol=1e-9, abs_tol=1e-9), key


def check_however_delayed_and_cut(data, meter, description, in_order):
    delays = data.draw(st.lists(st.integers(0, 1800), min_size=len(in_order), max_size=60))
    order = sorted(range(len(in_order)), key=lambda at: in_order[at][0] + seconds(delays[at]))
    arrived = [in_order[at] for at in order]
    whole, reasons = run_stage([arrived], meter, description)
    accepted = [s for s, reason in zip(arrived, reasons, strict=True) if reason is None]
    assert_same(whole, expected_readings(accepted, meter, description))
    batches = data.draw(cuts(arrived))
    clocks = [max(time for time, _ in batch) + seconds(90) for batch in batches]
    for after in ((), clocks):
        assert run_stage(batches, meter, description, after) == (whole, reasons)


@given(st.data(), meters(), st.sampled_from(list(Quantity)), st.sampled_from([1, 15, 40]))
def test_readings_equal_the_oracle_however_samples_are_delayed_and_cut(data, meter, quantity, gap):
    description = describe(quantity, UNITS[quantity], gap)
    check_however_delayed_and_cut(data, meter, description, data.draw(sample_lists(quantity)))


@given(st.data(), meters())
def test_a_register_that_is_reset_gives_no_energy_across_it(data, meter):
    description = describe(Quantity.REGISTER, Unit.KWH)
    samples = data.draw(sample_lists(Quantity.REGISTER))
    at = data.draw(st.integers(0, len(samples) - 1))
    samples = samples[:at] + [(time, value - 100) for time, value in samples[at:]]
    batches = data.draw(cuts(samples))
    found, _ = run_stage(batches, meter, description)
    assert_same(found, expected_readings(samples, meter, description))
    assert all(value >= 0 for value in found.values())


@given(st.data(), meters(), st.sampled_from([1, 15, 40, 90]))
def test_a_register_that_shows_0_for_a_moment_counts_nothing_from_0(data, meter, gap):
    description = describe(Quantity.REGISTER, Unit.KWH, gap)
    samples = data.draw(sample_lists(Quantity.REGISTER))
    dips, at = set(), 1
    while (at := at + data.draw(st.integers(0, 8))) < len(samples):
        length = data.draw(st.integers(1, 12))
        dips |= set(range(at, at + length))
        at += length + 1
    shown = [(time, 0.0 if at in dips else value) for at, (time, value) in enumerate(samples)]
    check_however_delayed_and_cut(data, meter, description, shown)


def test_a_register_of_known_size_rolls_over():
    meter = Meter("m", "UTC", 5)
    values = [99.5, 99.75, 0.0, 0.25]
    samples = [(START + seconds(100 * n), value) for n, value in enumerate(values)]
    known = run_stage([samples], meter, describe(Quantity.REGISTER, Unit.KWH, size=100))[0]
    assert known == {("m", START): pytest.approx(9.0)}
    unknown = run_stage([samples], meter, describe(Quantity.REGISTER, Unit.KWH))[0]
    assert unknown == {}


def test_an_interval_closes_with_the_next_sample_or_a_minute_after_its_end():
    meter, book = Meter("m", "UTC", 5), {"m": describe(Quantity.POWER, Unit.W)}
    registry, stage = MeterRegistry(known={"m": meter}), SampleStage()

    def take(offset, time, value):
        parsed = parse_samples([message("m", time, value)], book, registry)
        assert stage.take(parsed, [(0, offset)], book, registry).samples == 1

    take(0, START, 1000.0)
    assert readings_of(stage, START + seconds(359)) == {}
    assert readings_of(stage, START + seconds(360)) == {("m", START): 1.0}
    take(1, START + seconds(610), 2000.0)
    assert readings_of(stage) == {("m", START + seconds(300)): 1.0}
    # It arrives late: the reading is corrected, once.
    take(2, START + seconds(450), 3000.0)
    assert readings_of(stage) == {("m", START + seconds(300)): 2.0}
    assert readings_of(stage, START + seconds(650)) == {}
    # On change: the value holds for its longest gap, in intervals without a sample too.
    last = readings_of(stage, START + seconds(3000))
    assert [ts for _, ts in last] == [START + seconds(600 + 300 * n) for n in range(3)]


def test_what_is_covered_too_little_is_no_reading():
    meter = Meter("m", "UTC", 60)
    description = describe(Quantity.POWER, Unit.KW, gap=40)
    enough = [(START, 1.0), (START + seconds(2880), 1.0)]
    assert run_stage([enough], meter, describe(Quantity.POWER, Unit.KW, gap=48))[0] != {}
    assert run_stage([enough[:1]], meter, description)[0] == {}


def test_what_is_settled_and_what_is_too_much_is_refused():
    meter, description = Meter("m", "UTC", 5), describe(Quantity.POWER, Unit.KW)
    hour = [(START + seconds(60 * n), 1.0) for n in range(70)]
    late = [(START + seconds(30), 9.0), (START + seconds(3000.5), 9.0)]
    found, reasons = run_stage([hour, late], meter, description)
    assert [reason and reason.partition(":")[0] for reason in reasons[70:]] == ["too_late", None]
    assert found["m", START] == 1.0
    assert found["m", START + seconds(3000)] > 1.0
    many = [(START + seconds(n / 4), 1.0) for n in range(5 * MOST_A_MINUTE + 2)]
    _, reasons = run_stage([many], meter, description)
    assert reasons[-3] is None
    assert [reason.partition(":")[0] for reason in reasons[-2:]] == ["too_many"] * 2


def test_the_state_is_rebuilt_from_the_first_offsets_and_the_clock():
    meter = Meter("m", "UTC", 5)
    book = {name: describe(Quantity.POWER, Unit.KW) for name in "abm"}
    registry = MeterRegistry(known={"m": meter})
    times = [START + seconds(50 * n) for n in range(200)]
    sent = [message("m", time, float(n % 7)) for n, time in enumerate(times)]
    stage = SampleStage()
    stage.take(parse_samples(sent, book, registry), [(0, n) for n in range(200)], book, registry)
    published = readings_of(stage, times[-1] + seconds(400))
    assert stage.first_offsets()[0] > 100
    first = stage.first_offsets()[0]
    again = SampleStage()
    kept = range(first, 200)
    parsed = parse_samples(sent[first:], book, registry)
    again.take(parsed, [(0, n) for n in kept], book, registry)
    assert published.items() >= set(
        list(readings_of(again, times[-1] + seconds(400)).items())[-10:]
    )
    assert again.first_offsets() == stage.first_offsets()
    late = parse_samples([message("m", times[-30] + seconds(10), 99.0)], book, registry)
    corrected = []
    for one in (stage, again):
        one.take(late, [(0, 200)], book, registry)
        corrected.append(readings_of(one))
    assert corrected[0] == corrected[1] != {}


def test_meters_are_forgotten_after_a_day():
    book = {name: describe(Quantity.POWER, Unit.KW) for name in "ab"}
    registry, stage = MeterRegistry(), SampleStage()

    def take(offset, meter, time):
        parsed = parse_samples([message(meter, time, 1.0)], book, registry)
        assert stage.take(parsed, [(0, offset)], book, registry).reasons == [None]

    take(0, "a", START)
    take(1, "b", START + pd.Timedelta(days=1))
    assert stage.first_offsets() == {0: 0}
    readings_of(stage, START + pd.Timedelta(days=1, hours=2))
    assert stage.first_offsets() == {0: 1}


def test_a_meter_whose_description_changes_begins_again():
    registry, stage = MeterRegistry(known={"m": Meter("m", "UTC", 5)}), SampleStage()
    for unit in (Unit.W, Unit.KW):
        book = {"m": describe(Quantity.POWER, unit)}
        parsed = parse_samples([message("m", START, 1.0)], book, registry)
        stage.take(parsed, [(0, 0)], book, registry)
    assert readings_of(stage, START + seconds(360)) == {("m", START): 1.0}
