"""The platform's Dagster definitions, assembled."""

import dagster as dg

from usage_platform.defs.alert_sensor import alerts
from usage_platform.defs.checks import CHECKS
from usage_platform.defs.jobs import ASSETS, JOBS
from usage_platform.defs.resources import PlatformResource
from usage_platform.defs.schedules import SCHEDULES
from usage_platform.defs.sensors import SENSORS

defs = dg.Definitions(
    assets=ASSETS,
    asset_checks=CHECKS,
    jobs=JOBS,
    schedules=SCHEDULES,
    sensors=[*SENSORS, alerts],
    resources={"platform": PlatformResource()},
)
