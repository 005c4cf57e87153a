"""Three simulated devices at a broker of MQTT: a plug, a clamp and a P1 telegram.

Belongs here: what they measure and publish, how they are described, the readings that they give.
Not here: brokers, and who collects.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pandas as pd
from paho.mqtt.client import Client, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion

from usage_platform.core.meter_descriptions.description import sample_descriptions
from usage_platform.core.meter_descriptions.parsing import parse_descriptions
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform_tests.core.samples.oracle import Sample, expected_readings

TOPICS = "tele/+/SENSOR"
Publish = Callable[[Sequence[tuple[str, str]]], None]

BEGIN = pd.Timestamp.now(tz="UTC").floor("h") - pd.Timedelta(hours=3)
MINUTES = 60
_DESCRIBED = parse_descriptions(
    {
        "meters": [
            {
                "name": "plug",
                "samples": {
                    "path": "$.ENERGY.Total",
                    "time_path": "$.Time",
                    "quantity": "register",
                    "unit": "kWh",
                },
            },
            {
                "name": "clamp",
                "samples": {
                    "path": "$.apower",
                    "time_path": "$.ts",
                    "quantity": "power",
                    "unit": "W",
                    "max_gap": 30,
                },
            },
            {
                "name": "p1",
                "samples": {
                    "path": ["$.total_power_import_t1_kwh", "$.total_power_import_t2_kwh"],
                    "time_path": "$.timestamp",
                    "quantity": "register",
                    "unit": "kWh",
                },
            },
        ]
    }
)
METERS = sample_descriptions(_DESCRIBED)
REGISTRY = MeterRegistry(known={name: Meter(name, "Asia/Kolkata", 5) for name in METERS})


def samples() -> dict[str, list[Sample]]:
    """What the three devices measure: every 10 seconds, on change, and every half minute."""
    second = pd.Timedelta(seconds=1)
    plug = [(BEGIN + 10 * n * second, round(20 + 0.003 * n, 3)) for n in range(6 * MINUTES)]
    clamp = [(BEGIN + 411 * n * second, 250.0 * (n % 4)) for n in range(60 * MINUTES // 411)]
    telegrams = [(BEGIN + 30 * n * second, 900.0 + 0.0625 * n) for n in range(2 * MINUTES)]
    return {"plug": plug, "clamp": clamp, "p1": telegrams}


def payload(name: str, time: pd.Timestamp, value: float) -> dict[str, object]:
    """A message as the device writes it."""
    if name == "plug":
        return {"Time": time.isoformat(), "ENERGY": {"Total": value, "Power": 1}}
    if name == "clamp":
        return {"id": 0, "apower": value, "ts": time.timestamp()}
    tariffs = {"total_power_import_t1_kwh": f"{value - 300:.4f}", "total_power_import_t2_kwh": 300}
    return {"unique_id": "5c2faf", "timestamp": time.isoformat(), **tariffs}


def expected() -> dict[tuple[str, pd.Timestamp], float]:
    """The readings that pandas computes from the samples: kW by meter and start."""
    found: dict[tuple[str, pd.Timestamp], float] = {}
    for name, own in samples().items():
        found |= expected_readings(own, REGISTRY.get(name), METERS[name])
    return found


def measured() -> list[tuple[pd.Timestamp, str, float]]:
    """All samples in the order in which they are measured: time, device, value."""
    return sorted((time, name, value) for name, own in samples().items() for time, value in own)


def device_messages() -> list[tuple[str, str]]:
    """The topic and text of all messages, in that order."""
    return [(f"tele/{name}/SENSOR", json.dumps(payload(name, t, v))) for t, name, v in measured()]


@contextmanager
def publisher(port: int, patience: float = 30.0) -> Iterator[Publish]:
    """Publishes messages one after the other, each once the broker has the one before.

    Args:
        port: The broker's.
        patience: For how long to wait for that, in seconds.
    """
    client = Client(CallbackAPIVersion.VERSION2, client_id="devices", protocol=MQTTv311)
    client.connect("127.0.0.1", port)
    client.loop_start()

    def publish(messages: Sequence[tuple[str, str]]) -> None:
        for topic, text in messages:
            client.publish(topic, text, qos=1).wait_for_publish(patience)

    try:
        yield publish
    finally:
        client.disconnect()
        client.loop_stop()
