"""Meters of water and gas: descriptions, events, hours, anomalies, groups and charts."""

import json

import numpy as np
import pandas as pd
import pytest

from usage_platform.core.alerts.alert import AlertState, Standing
from usage_platform.core.alerts.alert_texts import episode_alert
from usage_platform.core.anomalies.anomaly import explanation
from usage_platform.core.anomalies.episode_messages import EpisodeStatus, episode_event
from usage_platform.core.anomalies.episode_summary import running_summary
from usage_platform.core.fleet.groups_file import check_units, parse_groups
from usage_platform.core.load.overlay import OverlayUnit, UnitError, factors
from usage_platform.core.measurement import Quantity, ReadingUnit, Unit, few_digits
from usage_platform.core.meter_descriptions.parsing import parse_descriptions
from usage_platform.core.meter_descriptions.registry import with_descriptions
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.readings.hourly import hourly_from_readings
from usage_platform.core.readings.messages import parse_usage
from usage_platform.core.readings.written_intervals import unit_mismatch

WATER = Meter("water", "Europe/Rome", 15, unit=ReadingUnit.M3_H)
POWER = Meter("power", "Europe/Rome", 15)
REGISTRY = MeterRegistry(POWER).with_meters([WATER, POWER])
START = pd.Timestamp("2024-03-05T13:00Z")


def described(text: str) -> MeterRegistry:
    fields = dict(part.split(": ") for part in text.split(", "))
    return with_descriptions(REGISTRY, parse_descriptions({"meters": [{"name": "g", **fields}]}))


@pytest.mark.parametrize("unit", Unit)
@pytest.mark.parametrize("factor", [1.0, 10.5])
def test_a_value_has_one_unit_and_one_scale(unit, factor):
    reading = unit.reading_unit(factor)
    assert (reading is ReadingUnit.M3_H) == (unit.value[0] in "ml" and factor == 1)
    if unit.is_volume and factor != 1:
        assert unit.scale(factor) == factor
    else:
        assert unit.scale(factor) == unit.scale() * factor


@pytest.mark.parametrize(
    ("said", "unit"),
    [
        ("quantity: register, unit: m3", ReadingUnit.M3_H),
        ("quantity: energy, unit: l", ReadingUnit.M3_H),
        ("quantity: power, unit: l/h", ReadingUnit.M3_H),
        ("quantity: register, unit: m3, factor: 10.5", ReadingUnit.KW),
        ("quantity: register, unit: kWh, factor: 80", ReadingUnit.KW),
    ],
)
def test_the_description_says_the_unit_of_the_readings(said, unit):
    assert described(said).get("g").unit is unit


def test_a_meter_is_stored_with_its_unit_and_as_before_in_kw():
    # As it is kept: JSON.
    assert Meter(**json.loads(json.dumps(WATER.as_stored()))) == WATER
    assert "unit" not in POWER.as_stored()


def test_versions_of_one_meter_that_differ_in_the_unit_of_readings_are_refused():
    entry = {"name": "g", "quantity": "register", "unit": "m3", "stamp": "start"}
    versions = [{"valid_from": "2024-03-01", "factor": "10.5"}]
    with pytest.raises(ValueError, match=r"^meter g: unit: its values would be read in m3/h and"):
        parse_descriptions({"meters": [{**entry, "versions": versions}]})


def test_samples_in_another_unit_of_readings_are_refused():
    samples = {"path": "$.v", "quantity": "register", "unit": "kWh"}
    entry = {"name": "g", "quantity": "register", "unit": "m3", "samples": samples}
    with pytest.raises(ValueError, match="its values would be read in m3/h and in kW"):
        parse_descriptions({"meters": [entry]})


@pytest.mark.parametrize(
    ("meter", "unit", "value"),
    [
        ("water", None, 3.5),
        ("water", "m3/h", 3.5),
        ("water", "l/h", 0.0035),
        ("water", "kW", None),
        ("water", "m3", None),
        ("power", "m3/h", None),
        ("power", "l/h", None),
        ("power", "MW", 3500.0),
        ("power", 7, None),
    ],
)
def test_a_unit_in_an_event_is_honoured_or_the_event_rejected(meter, unit, value):
    said = {} if unit is None else {"unit": unit}
    event = {"meter": meter, "ts": "2024-03-05T13:00:00Z", "value": 3.5, **said}
    received = pd.Series([START + pd.Timedelta(hours=1)])
    [row] = parse_usage([json.dumps(event).encode()], [None], received, REGISTRY).to_dict("records")
    if value is None:
        assert row["reason"].startswith("unknown_unit: unit must be ")
        assert f"readings are in {REGISTRY.get(meter).unit};" in row["reason"]
    else:
        assert (row["value"], row["reason"]) == (value, None)


def test_an_hour_of_water_has_means_and_its_unit_and_no_energy():
    times = pd.date_range(START, periods=4, freq="15min")
    rows = [pd.DataFrame({"meter": m, "event_time": times, "value": 2.0}) for m in REGISTRY.known]
    hours = hourly_from_readings(pd.concat(rows, ignore_index=True), REGISTRY).set_index("meter")
    water, power = hours.loc["water"], hours.loc["power"]
    assert (water["avg_usage"], water["unit"]) == (2.0, "m3/h")
    assert np.isnan(water["energy_kwh"])
    assert (power["energy_kwh"], power["unit"]) == (2.0, None)


def test_hours_of_another_unit_are_not_written_over():
    assert unit_mismatch({"water": {"m3/h"}, "power": {"kW"}}, REGISTRY) == ""
    said = unit_mismatch({"water": {"m3/h", "kW"}}, REGISTRY)
    assert said.startswith("meter water: its hours in the lake are in kW, and")
    assert "\n" not in said


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.05234, "0.0523"), (12.345, "12.3"), (99.99, "100"), (1234.5, "1,234"), (0.0, "0")],
)
def test_flows_have_three_digits_and_large_ones_all_of_theirs(value, shown):
    assert few_digits(value) == shown
    assert few_digits(value, "+") == f"+{shown}"


ODD = {"usage": 3.25, "kind": "spike", "expected": 0.4, "expected_low": 0.0213, "run": 1}


def test_what_is_said_of_an_anomaly_names_the_unit_and_no_energy():
    row = {**ODD, "expected_high": 1.5, "excess_kwh": float("nan")}
    said = explanation(row, WATER)
    assert said == "spike: 3.25 m3/h where 0.0213 to 1.5 m3/h are expected, +0.713 m3"
    for kind, expected in (("stuck", 1.0), ("gross", float("nan"))):
        text = explanation({**row, "kind": kind, "expected": expected}, WATER)
        assert "3.25 m3/h" in text
        assert "kW" not in text


def test_an_alert_on_water_names_m3_and_no_kwh():
    anomalous = pd.DataFrame(
        {"episode": "2024-03-05T13:00Z", "event_time": [START], "kind": "spike", "score": 2.0}
    ).assign(usage=3.25, expected=0.4)
    summary = running_summary(anomalous, np.array([1]), WATER).drop(columns="peak")
    content = {**summary.to_dict("records")[0], "explanation": "3.25 m3/h"}
    event = json.loads(episode_event(content, EpisodeStatus.OPENED, START, WATER).value)
    assert (event["unit"], event["excess_kwh"]) == ("m3/h", None)
    alert = episode_alert(event, Standing(AlertState.OPENED), WATER)
    assert "m3/h" in alert.text
    assert "kW" not in alert.text
    plain = json.loads(episode_event(content, EpisodeStatus.OPENED, START, POWER).value)
    assert "unit" not in plain


def test_a_group_with_water_in_its_sum_is_refused_in_one_line():
    site = {"name": "s", "buildings": [{"name": "b", "meters": ["power", "water"]}]}
    groups = parse_groups({"sites": [site]}, {"power", "water"})
    units = {meter.name: meter.unit for meter in REGISTRY.known.values()}
    with pytest.raises(ValueError, match="meter 'water' is read in m3/h, and groups add up kWh"):
        check_units(groups, units)
    check_units(groups, {**units, "water": ReadingUnit.KW})


def test_meters_of_two_units_have_no_axis_in_common():
    with pytest.raises(UnitError, match="'power' is read in kW and 'water' in m3/h"):
        factors([POWER, WATER], OverlayUnit.KW, {})
    with pytest.raises(UnitError, match="cannot be shown in W/m2"):
        factors([WATER], OverlayUnit.W_PER_M2, {"water": 10.0})
    assert factors([WATER, WATER], OverlayUnit.KW, {}) == [1.0, 1.0]


def test_values_of_a_quantity_have_a_unit_of_their_kind():
    assert {unit for unit in Unit if unit.fits(Quantity.POWER)} == {
        *(Unit.W, Unit.KW, Unit.MW, Unit.M3_H, Unit.L_H)
    }
