"""A broker of MQTT in a process of its own, which is killed from outside.

`python -m usage_platform_tests.tools.faults.mqtt_to_kill FOLDER PORT LISTENER_PORT`
"""

import signal
import sys
from pathlib import Path

from usage_platform_tests.adapters.alert_sinks.mqtt_broker import mqtt_broker


def main() -> None:
    """Run the broker."""
    folder, port, listener_port = sys.argv[1:]
    with mqtt_broker(Path(folder), int(port), int(listener_port)):
        signal.pause()


if __name__ == "__main__":
    main()
