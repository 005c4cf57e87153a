"""What names of columns say: units, other quantities, and channels of one meter."""

import pytest

from usage_platform.core.measurement import Unit
from usage_platform.core.meter_files.channels import is_channel
from usage_platform.core.meter_files.units import foreign_unit_of, is_other_quantity, unit_of


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("Consumption (kWh)", Unit.KWH),
        ("Energie / kWh", Unit.KWH),
        ("Leistung/kW", Unit.KW),
        ("Mains (kWhs)", Unit.KWH),
        ("House-Mains_A (kWatts)", Unit.KW),
        ("Verbrauch kWh/h", Unit.KW),
        ("Load [MWh/h]", Unit.MW),
        ("kWh per half hour", Unit.KWH),
        ("usage_kwh", Unit.KWH),
        ("KWH 60 Forbruk", Unit.KWH),
        ("Wh", Unit.WH),
        ("Production kWh (g)", Unit.KWH),
        ("Meter 10 kWh", Unit.KWH),
        ("Total Consumption kWh", Unit.KWH),
    ],
)
def test_a_unit_in_a_name(name, unit):
    assert unit_of(name) is unit
    assert not is_other_quantity(name)


@pytest.mark.parametrize(
    "name",
    [
        "Price (EUR/kWh)",
        "Preis ct/kWh",
        "p/kWh",
        "€ / MWh",
        "Price (cents/kWh)",
        "Cost per kWh",
        "Carbon intensity (gCO2/kWh)",
        "g CO2eq/kWh",
        "kWh/day",
        "kWh per month",
        "kWh/m2",
        "Irradiance (W/m²)",
        "Reactive energy (kWh)",
        "Blindarbeit [kWh]",
        "Energía reactiva (kWh)",
        "Énergie réactive (kWh)",
        "kVArh",
        "kVA",
        "Load (GW)",
        "Total (GWh)",
        "実績(万kW)",
        "Energy (1000 kWh)",
        "Energy [x10 kWh]",
        "Verbrauch (Tsd. kWh)",
    ],
)
def test_what_is_no_energy_or_power_has_no_unit_that_is_read(name):
    assert unit_of(name) is None
    assert foreign_unit_of(name)
    assert is_other_quantity(name)


@pytest.mark.parametrize(
    "name",
    [
        "Bezug (kWh)",
        "Netzeinspeisung (kWh)",
        "Soutirage (kWh)",
        "Injection (kWh)",
        "Vertido (kWh)",
        "Energia immessa (kWh)",
        "Teruglevering (kWh)",
        "gridImport kWh",
        "Returned energy Wh",
        "kWh delivered",
        "Reverse kWh",
        "To Grid (kWh)",
        "net_kw",
        "Max (W)",
        "Avg W",
        "Forecast (kWh)",
        "1-0:2.8.0 [kWh]",
        "2023 (kWh)",
    ],
)
def test_a_channel_of_one_meter(name):
    assert is_channel(name)


@pytest.mark.parametrize(
    "name",
    ["North (kW)", "Feeder 1 (kW)", "Cabinet 7 kW", "Maxwell Hall (kWh)", "Load 15 min (kW)",
     "EV Charger (kW)", "Room 2010 (kWh)", "Total (kWh)"],
)  # fmt: skip
def test_a_meter_is_no_channel(name):
    assert not is_channel(name)
