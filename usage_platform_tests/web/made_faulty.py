"""A lake whose building wastes energy: a base load that has risen, longer hours, a holiday."""

from collections.abc import Callable
from contextlib import nullcontext
from datetime import date

from usage_platform.adapters.lake.files import LakeFiles, save_meters
from usage_platform.adapters.lake.tables import Lake
from usage_platform.core.generator.lasting_faults import faulty_building
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.services.usage_findings import compute_findings, present_of
from usage_platform.settings.settings import Settings
from usage_platform.wiring.findings import finding_inputs, findings_record
from usage_platform.wiring.platform import Platform
from usage_platform_tests.web.made_lake import write_readings

WriteTable = Callable[..., None]
START, DAYS = date(2023, 1, 2), 537
FAULTS = {
    "base_load_increase": date(2024, 4, 15),
    "late_stop": date(2024, 4, 15),
    "holiday_operation": date(2024, 5, 26),
}


def make_faulty(folder: str, write: WriteTable, meter: Meter, tariff: float) -> None:
    """Fill the lake of a data folder, and compute its findings at a price of a kWh."""
    lake = Lake(f"{folder}/lake")
    save_meters(LakeFiles(lake.assets), MeterRegistry(meter).with_meters([meter]))
    healthy, *faulty = (
        faulty_building(kind, meter, START, DAYS, begin, 0)
        for kind, begin in {"silent": date(2030, 1, 1), **FAULTS}.items()
    )
    # All randomness is the same, so that the faults can be added up.
    value = healthy["value"] + sum(one["value"] - healthy["value"] for one in faulty)
    frame = healthy.assign(value=value, meter=meter.name)
    write_readings(lake, write, frame.rename(columns={"ts": "event_time"}))
    platform = Platform(Settings.from_env({}, data=folder, tariff=tariff))
    as_of = present_of(platform.reader, 0)
    assert as_of is not None
    inputs, record = finding_inputs(platform), findings_record(platform)
    compute_findings(inputs, record, as_of, nullcontext, lambda text: None)
