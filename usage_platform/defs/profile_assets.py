"""The profile report: one HTML page a month."""

from datetime import date

import dagster as dg

from usage_platform.core.load.month import Month, Profile
from usage_platform.defs import freshness
from usage_platform.defs.asset_metadata import LAKE, place_metadata
from usage_platform.defs.failures import fails_in_one_line
from usage_platform.defs.metadata import OWNERS, picture
from usage_platform.defs.partitions import MONTHLY
from usage_platform.defs.resources import PlatformResource
from usage_platform.services.month_report import save_report
from usage_platform.services.month_report_meters import ReportSource

_SHOWN = ("The month", "The most unusual days")


@dg.asset(
    group_name="reports",
    kinds={"html"},
    owners=OWNERS,
    deps=["readings", "usage_hourly", "anomalies", "slot_forests"],
    partitions_def=MONTHLY,
    freshness_policy=freshness.REPORT,
    metadata=place_metadata(f"{LAKE.assets}/reports"),
    code_version="1",
)
@fails_in_one_line
def profile_report(
    context: dg.AssetExecutionContext, platform: PlatformResource
) -> dg.MaterializeResult:
    """Each meter's month: profile by weekday and time, seasons, gaps, distribution, unusual days.

    One self-contained HTML file a month under the lake's `assets/reports/`. A month is in local
    time; the current month is reported up to now.
    """
    deployment = platform.deployment
    month = Month(date.fromisoformat(context.partition_key))
    source = ReportSource(
        deployment.reader,
        deployment.models,
        deployment.registry(),
        deployment.training_options().calendar,
    )
    names = source.meters(month)
    sections = list(source.sections(month, names))
    if not sections:
        raise dg.Failure(
            f"{month.label}: no readings in this month; play some, or choose another month",
            allow_retries=False,
        )
    name = save_report(deployment.assets, month, sections, len(names) - len(sections))
    first = sections[0].profile
    metadata: dict[str, dg.MetadataValue | int | float | str] = {
        "page": dg.MetadataValue.path(f"{deployment.lake.assets}/{name}"),
        "meters": len(names),
        "meter": first.meter.name,
        **_figures(first),
        "load_factor": round(first.figures.load_factor, 3),
        "completeness": round(first.figures.completeness, 4),
        "gaps": len(first.gaps),
        "episodes": len(sections[0].episodes),
        "most_unusual_days": ", ".join(str(one.day) for one in first.unusual),
    }
    for shown in sections[0].pictures:
        if shown.title in _SHOWN:
            metadata[shown.title.lower().replace(" ", "_")] = picture(shown.png)
    return dg.MaterializeResult(metadata=metadata)


def _figures(profile: Profile) -> dict[str, float | str]:
    """The figures of a meter; their names hold the unit where it is kW."""
    found, unit = profile.figures, profile.meter.unit
    named = {
        "mean_kw": round(found.mean_kw, 2),
        "base_kw": round(found.base_kw, 2),
        "peak_kw": found.peak_kw,
        "energy_kwh": round(found.energy_kwh, 1),
    }
    if profile.meter.is_power:
        return {**named}
    exact = {"mean": found.mean_kw, "base": found.base_kw, "peak": found.peak_kw}
    return {**exact, unit.amount: found.energy_kwh, "unit": unit.value}
