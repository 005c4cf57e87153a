"""The series that `make eval` evaluates, with their faults.

Belongs here: which series with which faults. Not here: their tables (`evaluate`).
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from usage_platform.adapters.sources.csv_file import CsvSource
from usage_platform.adapters.sources.generated import GeneratedSource
from usage_platform.core.generator.building import BuildingProfile
from usage_platform.core.generator.fault_kinds import SHORT_KINDS
from usage_platform.core.generator.faults import inject_faults
from usage_platform.core.generator.net_faults import net_proposals
from usage_platform.core.generator.solar import SolarArray, net_readings
from usage_platform.core.measurement import Sign
from usage_platform.core.meter_files.options import CsvColumns
from usage_platform.core.meters import Meter
from usage_platform.core.time.calendar import Calendar

_START, _DAYS = date(2023, 1, 2), 546
_FAULTS_A_WEEK = 1.2
_CLEAN_DAYS = 56
_TORINO_STEP_KW = 0.4
_NET_INTERVAL_MINUTES = 15


@dataclass(frozen=True, eq=False)
class Labelled:
    """One series with its faults, and as it was without them."""

    name: str
    meter: Meter
    calendar: Calendar
    readings: pd.DataFrame
    faults: pd.DataFrame
    clean: pd.DataFrame


def generated(seed: int) -> Labelled:
    """The generated library with nine kinds of short faults, 18 months."""
    meter = Meter()
    source = GeneratedSource(
        (meter,), _START, _DAYS, seed, _FAULTS_A_WEEK, _CLEAN_DAYS, SHORT_KINDS
    )
    loaded = source.load(lambda done, of: None)
    faults = loaded.faults if loaded.faults is not None else pd.DataFrame()
    clean = GeneratedSource((meter,), _START, _DAYS, seed, 0.0).load(lambda done, of: None).frame
    return Labelled(source.name, meter, Calendar("US", "MA"), loaded.frame, faults, clean)


def torino_campus(path: Path, seed: int) -> Labelled:
    """The campus with injected faults; its real glitches are unlabelled."""
    meter = Meter("torino", "Etc/GMT-1", 15)
    columns = CsvColumns(time="ts", end=None, value="kw")
    clean = CsvSource((path,), meter, columns).load(lambda done, of: None).frame
    begin = clean["ts"].iloc[0] + pd.Timedelta(days=_CLEAN_DAYS)
    rng = np.random.default_rng(seed)
    faulty, faults = inject_faults(
        clean, meter, rng, _FAULTS_A_WEEK, begin, SHORT_KINDS, _TORINO_STEP_KW
    )
    return Labelled(f"Torino, faults {seed}", meter, Calendar("IT"), faulty, faults, clean)


def net_building(seed: int) -> Labelled:
    """The generated library with a solar array behind a net meter, with the faults of such."""
    meter = Meter("net", interval_minutes=_NET_INTERVAL_MINUTES, sign=Sign.NET)
    rng, fault_rng = np.random.default_rng(seed).spawn(2)
    profile = BuildingProfile()
    net = net_readings(meter, _START, _DAYS, profile, SolarArray(), rng)
    begin = net.frame["ts"].iloc[0] + pd.Timedelta(days=_CLEAN_DAYS)
    faulty, faults = inject_faults(
        net.frame,
        meter,
        fault_rng,
        _FAULTS_A_WEEK,
        begin,
        step_kw=profile.step_kw,
        proposals=net_proposals(net),
    )
    return Labelled(
        f"net meter, seed {seed}", meter, Calendar("US", "MA"), faulty, faults, net.frame
    )
