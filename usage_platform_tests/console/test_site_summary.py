"""The demo's summary of the generated site, from readings in a lake to what is printed."""

import re

import pandas as pd
import pytest

from usage_platform.adapters.lake.files import save_meters
from usage_platform.adapters.lake.tables import READINGS
from usage_platform.adapters.sources.generated_site import GeneratedSite
from usage_platform.adapters.stores.plain_yaml import yaml_texts
from usage_platform.console import site_summary
from usage_platform.console.screen import Screen
from usage_platform.console.site_files import site_files, write_site_files
from usage_platform.console.site_summary import summarize_site
from usage_platform.core.generator.site_plan import BUILDINGS
from usage_platform.core.meters import MeterRegistry
from usage_platform.core.tariffs.parsing import parse_tariffs
from usage_platform.services.usage_findings import compute_findings, present_of
from usage_platform.settings.settings import Settings
from usage_platform.wiring.findings import finding_inputs, findings_record
from usage_platform.wiring.platform import Platform
from usage_platform_tests.conftest import table_writer

LATER = pd.Timestamp("2026-01-01T00:00Z").value


@pytest.fixture(scope="module")
def loaded():
    return GeneratedSite(1, {}).load(lambda *progress: None)


@pytest.fixture(scope="module")
def platform(tmp_path_factory, loaded):
    """A lake with the site's readings and files, and its findings as a night would make them."""
    folder = tmp_path_factory.mktemp("site")
    made = Platform(Settings.from_env({}, data=folder, source="generated-site"))
    rows = loaded.frame.rename(columns={"ts": "event_time"})
    table_writer(made.lake, READINGS, rows.assign(event_date=rows["event_time"].dt.date))
    default = made.settings.default_meter
    save_meters(made.assets, MeterRegistry(default).with_meters(loaded.meters))
    write_site_files(made.assets, lambda line: None)
    as_of = present_of(made.reader, LATER)
    assert as_of is not None
    turn = made.lake_writer.turn
    compute_findings(finding_inputs(made), findings_record(made), as_of, turn, lambda line: None)
    return made


def row_of(printed, *cells):
    [line] = [one for one in printed.splitlines() if one.split()[: len(cells)] == [*cells]]
    return line


def numbers(line):
    return [float(one.replace(",", "")) for one in re.findall(r"[\d,]+\.?\d*", line)]


def test_it_shows_findings_beside_their_truth_bills_and_the_errors_of_forecasts(
    platform, loaded, capsys
):
    summarize_site(platform, Screen(width=140))
    printed = capsys.readouterr().out
    findings, rest = printed.split("planted findings found;")
    assert findings.rstrip().endswith("7 of 7")
    truth, found = numbers(row_of(findings, "base_load_increase", "central-library-server-room"))
    assert found == pytest.approx(truth, rel=0.05)
    assert "none" in row_of(findings, "flatline", "town-office-canteen")
    truth, found = numbers(row_of(findings, "sub_meters", "swimming-pool"))
    # Of days that lack a reading, the finding knows no energy.
    assert found == pytest.approx(truth, rel=0.25)
    bills, forecasts = rest.split("Day-ahead forecasts")
    assert "Bills of 2024-05" in bills
    local = loaded.frame["ts"].dt.tz_convert("America/New_York")
    may = loaded.frame[(local >= "2024-05-01") & (local < "2024-06-01")]
    for one in BUILDINGS:
        own = may.loc[may["meter"] == one.name, "value"]
        kwh, _, demand, _, total, missing = numbers(row_of(bills, one.name))
        assert kwh == pytest.approx(own.sum() / 2, abs=1)
        # The highest half of an hour may lie outside the hours of the demand charge.
        assert 0 < demand <= own.max()
        assert total > 0
        assert missing == pytest.approx((31 * 48 - len(own)) / 2, abs=0.05)
        error, share, week, _, mean = numbers(row_of(forecasts, one.name))
        assert 0 < error < week
        assert share == pytest.approx(100 * error / mean, abs=0.2)


@pytest.mark.parametrize(
    ("tariffs", "says"),
    [
        ("tariffs: []", "no tariff"),
        (site_files()["tariffs.yaml"].replace("minutes: 30", "minutes: 5"), "its demand charge"),
    ],
)
def test_without_a_tariff_that_fits_it_says_so_in_place_of_a_bill(
    platform, capsys, monkeypatch, tariffs, says
):
    book = parse_tariffs(yaml_texts(tariffs), "tariffs.yaml")
    monkeypatch.setattr(platform, "tariff_book", lambda: book)
    monkeypatch.setattr(site_summary, "planted_findings", lambda seed, days: [])
    monkeypatch.setattr(site_summary, "healthy_findings", lambda *args: set())
    summarize_site(platform, Screen(width=140))
    printed = capsys.readouterr().out
    assert printed.count(says) == len(BUILDINGS)
