"""The summary at the end of a demo: counts, checks and injected faults.

Belongs here: the tables. Not here: waiting until the pipeline is finished (`demo`).
"""

from collections.abc import Sequence

import pandas as pd
from rich.table import Table

from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import READINGS, USAGE_HOURLY
from usage_platform.console.screen import Screen, table
from usage_platform.core.anomalies.anomaly import find_anomalies
from usage_platform.core.detector.manifest import Manifest
from usage_platform.core.generator.fault_verdicts import FaultVerdicts, evaluate_faults
from usage_platform.core.readings.quality import compare_anomalies, compare_hours
from usage_platform.services.event_counts import event_counts, reject_counts
from usage_platform.services.rescore import standing
from usage_platform.wiring.platform import Platform


def summarize(deployment: Platform, screen: Screen, lasting: pd.DataFrame | None = None) -> bool:
    """Print the counts of each stage and whether they are as expected.

    Args:
        deployment: The services.
        screen: Where to print.
        lasting: Faults that findings are to show, as for `evaluate_faults`.

    Returns:
        Whether every check passed.
    """
    reader, registry = deployment.reader, deployment.registry()
    summary = deployment.source_cache.summary()
    assert summary is not None  # noqa: S101 - the flow has finished
    played = deployment.playback_plan().readings()
    readings = reader.rows(READINGS, ["meter", "event_time", "value"])
    # The tables may hold more: readings of other sources or events sent by hand.
    own = played.merge(readings.rename(columns={"event_time": "ts"}))
    hours = reader.rows(USAGE_HOURLY)
    compared = compare_hours(hours, readings, registry)
    timeline = deployment.timeline()
    manifests = timeline.manifests
    anomalies = standing(reader)
    scored = find_anomalies(readings, timeline, registry)
    told = compare_anomalies(anomalies, scored.anomalies)

    rows = table("Summary", "", "count", "check", numbers=("count",))
    right = [
        _row(rows, "readings played", len(played), None),
        _row(rows, "unreadable rows of the source", summary.bad_rows, None),
        _row(rows, "in readings", len(own), len(own) == len(played)),
        *_accounts(rows, reader),
        _row(rows, "hours in usage_hourly", len(hours), compared.wrong == 0),
        _row(rows, "slots trained", sum(m.slots_trained for m in manifests[-1:]), None),
        _row(rows, "slots with too little data", sum(m.slots_thin for m in manifests[-1:]), None),
        _row(rows, "events scored", scored.scored, None),
        _row(rows, "events with too little history", scored.learning, None),
        _row(rows, "models trained", len(manifests), None),
        _row(rows, "anomalies", len(anomalies), told.wrong == 0),
        _row(rows, "episodes of anomalies", _episodes(anomalies), None),
    ]
    screen.console.print(rows)
    faults = deployment.source_cache.faults()
    if len(faults) and manifests:
        known_from = _judged_by_more_than_rules(manifests)
        verdicts = evaluate_faults(faults, anomalies, known_from, lasting)
        _print_faults(screen, faults, verdicts, scored.scored)
    return all(right)


def _accounts(rows: Table, reader: LakeReader) -> list[bool]:
    """Where the ingested events are: each is a reading, superseded or a reject."""
    counts = event_counts(reader, reject_counts(reader))
    return [
        _row(rows, "events ingested", counts.events, None),
        _row(rows, "  of them readings", counts.readings, None),
        _row(
            rows, "  superseded, or transaction markers", counts.superseded, counts.superseded >= 0
        ),
        _row(rows, "  rejects", counts.rejects, None),
    ]


def _judged_by_more_than_rules(manifests: Sequence[Manifest]) -> pd.Timestamp:
    """When the first model with enough history took over; the maximum timestamp if none did."""
    knowing = (m.begin for m in manifests if m.meters_learning < m.meters)
    return next(knowing, pd.Timestamp.max.tz_localize("UTC"))


def _episodes(anomalies: pd.DataFrame) -> int:
    return len(anomalies[["meter", "episode"]].drop_duplicates())


def _row(rows: Table, what: str, count: int, is_right: bool | None) -> bool:
    verdict = {None: "", True: "ok", False: "FAILED"}[is_right]
    rows.add_row(what, f"{count:,}", verdict)
    return is_right is not False


def _print_faults(
    screen: Screen, faults: pd.DataFrame, evaluated: FaultVerdicts, scored: int
) -> None:
    # Leave out a constant column: the others need the width.
    only = faults["meter"].iloc[0] if faults["meter"].nunique() == 1 else None
    title = "Injected faults" if only is None else f"Injected faults of {only}"
    columns = ("fault", *(["meter"] if only is None else []), "start (UTC)", "size", "", "delay")
    rows = table(title, *columns, numbers=("size", "delay"))
    rows_of_faults = zip(
        faults.to_dict("records"), evaluated.verdicts, evaluated.delays, strict=True
    )
    for fault, verdict, delay in rows_of_faults:
        after = "" if pd.isna(delay) else f"{delay / pd.Timedelta(minutes=1):,.0f} min"
        start = f"{fault['start']:%Y-%m-%d %H:%M}"
        meter = [fault["meter"]] if only is None else []
        rows.add_row(fault["kind"], *meter, start, fault["detail"], verdict, after)
    screen.console.print(rows, markup=False)
    share = evaluated.outside / max(scored, 1)
    screen.say(
        f"{evaluated.found} of {evaluated.evaluated} detectable faults found; "
        f"{evaluated.outside:,} anomalies lie outside every fault "
        f"({share:.1%} of the readings scored)"
    )
