"""What peak warnings need, built from the settings.

Belongs here: their inputs, publisher and record. Not here: other services (`platform`).
"""

from usage_platform.adapters.lake.lake_id import lake_id
from usage_platform.adapters.stores.peak_record import PeakRecords
from usage_platform.services.peak_publisher import PeakPublisher
from usage_platform.services.peak_warnings import PeakInputs
from usage_platform.settings.closing_days import chosen_calendar
from usage_platform.wiring.platform import Platform


def peak_inputs(platform: Platform) -> PeakInputs:
    """What warnings are made from.

    Raises:
        LakeError: In one line, when the file of tariffs or meters has a mistake.
        SettingsError: When the file of closing days cannot be read.
    """
    calendar = chosen_calendar(platform.settings)
    return PeakInputs(platform.reader, platform.registry(), calendar, platform.tariff_book())


def peak_publisher(platform: Platform) -> PeakPublisher:
    """Publishes warnings; takes over from whoever did before.

    Raises:
        KafkaUnreachableError: When no broker answers.
        OtherLakeError: When the broker serves another lake.
        PeakFencedError: When somebody else has taken over meanwhile.
    """
    return PeakPublisher(platform.kafka, lake_id(platform.lake))


def peak_records(platform: Platform) -> PeakRecords:
    """What was published and examined."""
    return PeakRecords(platform.assets)
