"""What findings need, built from the settings.

Belongs here: the inputs and stores of findings. Not here: other services (`platform`).
"""

from usage_platform.adapters.stores.finding_states import FindingStates
from usage_platform.adapters.stores.findings_record import FindingsRecord
from usage_platform.services.known_groups import known_groups
from usage_platform.services.meter_findings import HISTORY_DAYS, FindingInputs
from usage_platform.settings.closing_days import chosen_calendar
from usage_platform.wiring.platform import Platform


def finding_inputs(platform: Platform) -> FindingInputs:
    """What the table `usage_findings` is computed from.

    Raises:
        LakeError: In one line, when the file of tariffs or groups has a mistake.
        SettingsError: When the file of closing days cannot be read.
    """
    registry, groups = platform.registry(), platform.groups
    return FindingInputs(
        platform.reader,
        platform.tariff_book(),
        registry,
        chosen_calendar(platform.settings),
        # A meter that has been silent for long is no mistake in the file.
        known_groups(groups.text(), groups.place, platform.reader, registry, HISTORY_DAYS),
    )


def findings_record(platform: Platform) -> FindingsRecord:
    """The last computation of `usage_findings`."""
    return FindingsRecord(platform.assets)


def finding_states(platform: Platform) -> FindingStates:
    """The states of findings that people have set."""
    return FindingStates(platform.assets)
