"""The generated site as a source."""

import pytest

from usage_platform.adapters.sources.generated_site import GeneratedSite
from usage_platform.core.generator.site_plan import site_meters
from usage_platform.core.meter_descriptions.description import MeterDescription
from usage_platform.core.readings.source import SourceError


def test_it_holds_all_meters_by_time_and_then_meter_each_reading_once():
    calls: list[tuple[int, int | None]] = []
    loaded = GeneratedSite(1, {}, days=35).load(lambda *call: calls.append(call))
    frame = loaded.frame
    assert frame.columns.tolist() == ["meter", "ts", "value"]
    assert frame.dtypes.astype(str).tolist() == ["object", "datetime64[ns, UTC]", "float64"]
    assert frame.equals(frame.sort_values(["ts", "meter"], ignore_index=True))
    assert not frame.duplicated(["meter", "ts"]).any()
    assert loaded.meters == site_meters()
    assert set(frame["meter"]) == {meter.name for meter in site_meters()}
    assert (loaded.bad_rows, loaded.repeated_rows) == ((), 0)
    assert calls[-1] == (len(frame), len(frame))
    assert calls == sorted(calls, key=lambda call: call[0])


def test_faults_are_those_of_the_main_meters_by_start():
    faults = GeneratedSite(1, {}).load(lambda *_: None).faults
    assert faults is not None
    assert set(faults["meter"]) == {"central-library", "town-office", "swimming-pool"}
    assert faults["start"].is_monotonic_increasing


def test_a_description_that_contradicts_a_meter_is_refused_in_one_line():
    described = {"town-office": MeterDescription(name="town-office", interval=5)}
    with pytest.raises(SourceError, match=r"meters.yaml describes town-office, .*30 min\): rename"):
        GeneratedSite(1, described)


def test_descriptions_of_other_meters_and_of_nothing_that_matters_are_allowed():
    described = {
        "annex": MeterDescription(name="annex", interval=5),
        "town-office": MeterDescription(name="town-office", interval=30),
    }
    assert GeneratedSite(1, described).name == "generated site, seed 1"
