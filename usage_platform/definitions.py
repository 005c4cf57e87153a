"""The platform's Dagster definitions: whatever the modules of `usage_platform.defs` define.

An asset, check, job, sensor or schedule at the top of a module there needs no entry elsewhere.
"""

import warnings

import dagster as dg

import usage_platform.defs
from usage_platform.defs.resources import PlatformResource

with warnings.catch_warnings():
    # Dagster is pinned to one version: what is a preview in it cannot change unnoticed.
    warnings.simplefilter("ignore", dg.PreviewWarning)
    # Not `load_from_defs_folder`: it imports every installed component library, boto3 among them,
    # which costs each run's process 0.7 s of a processor, and it needs a pyproject.toml above the
    # package, which a wheel does not have.
    defs = dg.load_definitions_from_package_module(
        usage_platform.defs,
        resources={"platform": PlatformResource()},
        # Most steps take seconds: a process for each would take longer to start than to run.
        executor=dg.in_process_executor,
    )
