"""What collects and averages samples of live meters, built from the settings.

Belongs here: turning settings into the collector and the descriptions. Not here: what they do
(`services`), reading the environment (`settings`).
"""

from collections.abc import Callable

from usage_platform.adapters.mqtt.subscription import BrokerAddress
from usage_platform.core.alerts.addresses import mqtt_server
from usage_platform.core.meter_descriptions.description import sample_descriptions
from usage_platform.core.meter_descriptions.samples import SampleDescriptions
from usage_platform.core.samples.topic_filter import TopicFilter
from usage_platform.services.collect_samples import Collector
from usage_platform.settings.settings import Settings, SettingsError
from usage_platform.wiring.platform import Platform


def has_collector(settings: Settings) -> bool:
    """Whether the settings name a broker of MQTT to collect from."""
    return bool(settings.collect_mqtt_url.get_secret_value())


def collector(deployment: Platform, on_state: Callable[[str], None]) -> Collector:
    """The collector of the broker that the settings name.

    Args:
        deployment: The platform.
        on_state: As for `Collector`.

    Raises:
        SettingsError: When they name none.
        KafkaUnreachableError: When no broker of Kafka is configured.
    """
    settings = deployment.settings
    if not has_collector(settings):
        raise SettingsError(
            "no MQTT broker to collect from: give --mqtt mqtt://host and --topic tele/+/SENSOR, "
            "or set USAGE_COLLECT_MQTT_URL and USAGE_COLLECT_MQTT_TOPIC"
        )
    server = mqtt_server(settings.collect_mqtt_url.get_secret_value())
    certificate = settings.collect_mqtt_certificate
    broker = BrokerAddress(
        server.host, server.port, server.tls, server.user, server.password, certificate
    )
    topics = TopicFilter(settings.collect_mqtt_topic)
    return Collector(deployment.kafka, broker, topics, settings.event_limits, on_state)


def described_samples(deployment: Platform) -> SampleDescriptions:
    """How samples are read, by the meter's name; empty where no meter has any.

    Raises:
        LakeError: When the descriptions cannot be read, or none apply.
    """
    return sample_descriptions(deployment.meters.applied().descriptions)
