"""The data behind the page; created once per server.

Belongs here: the dependencies that all routes share. Not here: routes.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.stores.finding_states import FindingStates
from usage_platform.adapters.stores.findings_record import FindingsRecord
from usage_platform.adapters.stores.labels import LabelStore
from usage_platform.adapters.stores.reviews import ReviewStore
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.services.fleet import FleetCache
from usage_platform.services.fleet_findings import FleetFindingsCache
from usage_platform.services.meter_forecast import ForecastCache, ForecastSource
from usage_platform.services.page_data import YearCache
from usage_platform.services.peak_list import PeakList
from usage_platform.settings.closing_days import chosen_calendar
from usage_platform.wiring.findings import finding_states, findings_record
from usage_platform.wiring.fleet import fleet_of
from usage_platform.wiring.peaks import peak_records
from usage_platform.wiring.platform import Platform


@dataclass(frozen=True, eq=False)
class PageSource:
    """Everything the page reads and writes.

    Attributes:
        reader: The lake's tables.
        years: The cached years.
        fleet: All meters side by side.
        forecasts: The forecasts of meters.
        registry: Returns the known meters.
        notice: Returns what is wrong with their descriptions, in one line; else empty.
        default_meter: The meter shown first.
        reviews: Reviews of episodes.
        labels: Labels of time spans.
        fleet_findings: The findings of all meters.
        finding_states: States of findings.
        findings_record: When findings were computed.
        peak_warnings: The newest peak warning of each meter.
        tariff: Price of a kWh; None without one.
        currency: Its currency, as in ISO 4217.
    """

    reader: LakeReader
    years: YearCache
    fleet: FleetCache
    forecasts: ForecastCache
    registry: Callable[[], MeterRegistry]
    notice: Callable[[], str]
    default_meter: Meter
    reviews: ReviewStore
    labels: LabelStore
    fleet_findings: FleetFindingsCache
    finding_states: FindingStates
    findings_record: FindingsRecord
    peak_warnings: PeakList
    tariff: float | None
    currency: str

    @property
    def has_several_meters(self) -> bool:
        """Whether more than one meter is known.

        Raises:
            LakeError: When the lake cannot be read.
        """
        known = self.registry().known
        # Producers may send readings of meters that no source describes.
        return len(known) > 1 or len({*known, *self.years.meters()}) > 1

    @classmethod
    def of(cls, deployment: Platform) -> Self:
        """The data sources that the settings name."""
        years = YearCache(deployment.reader, deployment.timeline, time.monotonic)
        return cls(
            reader=deployment.reader,
            years=years,
            forecasts=ForecastCache(
                ForecastSource(
                    reader=deployment.reader,
                    years=years,
                    calendar=lambda: chosen_calendar(deployment.settings),
                    book=deployment.tariff_book,
                )
            ),
            fleet=fleet_of(deployment),
            registry=deployment.registry,
            notice=deployment.meters_notice,
            default_meter=deployment.settings.default_meter,
            reviews=deployment.reviews,
            labels=deployment.labels,
            fleet_findings=FleetFindingsCache(
                deployment.reader, finding_states(deployment), deployment.registry
            ),
            finding_states=finding_states(deployment),
            findings_record=findings_record(deployment),
            peak_warnings=PeakList(peak_records(deployment), time.monotonic),
            tariff=deployment.settings.tariff,
            currency=deployment.settings.currency,
        )
