"""What a run of the streams reports: materializations of the tables, and of each changed day.

Belongs here: their metadata. Not here: the ingestion (`services.ingest`).
"""

from collections.abc import Iterator, Mapping
from typing import TypeAlias

import dagster as dg

from usage_platform.adapters.kafka.topics import ANOMALY, USAGE
from usage_platform.adapters.lake.commit_dates import dates_since
from usage_platform.adapters.lake.tables import (
    ANOMALIES,
    READINGS,
    REJECTS,
    USAGE_HOURLY,
    LakeTable,
)
from usage_platform.core.meters import MeterRegistry
from usage_platform.defs.metadata import events_metadata, lag_metadata, rejects_table
from usage_platform.defs.partitions import partition_keys
from usage_platform.services.ingest import DrainResult
from usage_platform.services.progress import lag_into_lake
from usage_platform.services.redrive import reject_summary
from usage_platform.wiring.platform import Platform

Metadata: TypeAlias = dict[str, dg.MetadataValue | int | float | str]

_DAYS_OF = {USAGE: USAGE_HOURLY, ANOMALY: ANOMALIES}


class IngestReport:
    """Reports of one run.

    Args:
        context: The run.
        deployment: The services.
        registry: The known meters.
    """

    def __init__(
        self, context: dg.AssetExecutionContext, deployment: Platform, registry: MeterRegistry
    ) -> None:
        self._context = context
        self._deployment = deployment
        self._registry = registry
        reader = deployment.reader
        self._versions = {table: reader.state(table).version for table in _DAYS_OF.values()}

    def report(self, drained: Mapping[str, DrainResult]) -> None:
        """Report what the run has ingested until now, while it continues."""
        about = self._report_days(drained)
        for table in (READINGS, REJECTS):
            self._context.log_event(
                dg.AssetMaterialization(table.name, metadata=self._of_table(table, about))
            )

    def results(self, drained: Mapping[str, DrainResult]) -> Iterator[dg.MaterializeResult]:
        """The run's results."""
        for notice in filter(None, (one.notice for one in drained.values())):
            self._context.log.warning(notice)
        about = self._report_days(drained)
        reader = self._deployment.reader
        own: dict[LakeTable, Metadata] = {
            READINGS: {**events_metadata(reader)},
            REJECTS: {"by_reason": rejects_table(reject_summary(reader))},
        }
        for table in (READINGS, REJECTS):
            metadata = self._of_table(table, about) | own[table]
            yield dg.MaterializeResult(asset_key=table.name, metadata=metadata)

    def _report_days(self, drained: Mapping[str, DrainResult]) -> Metadata:
        """Report the days that changed since the last report; returns what describes `usage`."""
        about = {topic: self._about(topic, drained[topic]) for topic in _DAYS_OF}
        for topic, table in _DAYS_OF.items():
            since, now = self._versions[table], self._deployment.reader.state(table).version
            if now > since:
                report_days(self._context, self._deployment, table, since, about[topic])
            self._versions[table] = now
        return about[USAGE]

    def _about(self, topic: str, drained: DrainResult) -> Metadata:
        deployment = self._deployment
        lag = lag_into_lake(deployment.reader, deployment.kafka, topic, self._registry)
        notice: Metadata = {"notice": drained.notice} if drained.notice else {}
        return {
            **notice,
            "events": drained.events,
            "batches": drained.batches,
            "offsets": dg.MetadataValue.json(drained.offsets),
            "seconds": round(drained.seconds, 2),
            "seconds_per_batch": round(drained.batch_seconds / max(drained.batches, 1), 2),
            **lag_metadata(lag),
        }

    def _of_table(self, table: LakeTable, about: Metadata) -> Metadata:
        state = self._deployment.reader.state(table)
        return {
            "dagster/row_count": state.rows,
            "table_version": state.version,
            "files": state.files,
            **about,
        }


def report_days(
    context: dg.AssetExecutionContext,
    deployment: Platform,
    table: LakeTable,
    since_version: int,
    metadata: Mapping[str, dg.MetadataValue | int | float | str],
) -> None:
    """Report the days of a table that changed as materializations of its asset.

    Args:
        context: The run that changed them.
        deployment: The services.
        table: A table whose asset is partitioned by day.
        since_version: The table's version before; -1 before there was a table.
        metadata: Of each of these materializations.
    """
    state = deployment.reader.state(table)
    for key in partition_keys(dates_since(deployment.reader, table, max(since_version, 0))):
        context.log_event(
            dg.AssetMaterialization(
                table.name,
                partition=key,
                metadata={
                    "dagster/row_count": state.rows,
                    "table_version": state.version,
                    **metadata,
                },
            )
        )
