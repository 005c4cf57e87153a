"""The topics of MQTT on which devices send, and how a topic names its meter.

Belongs here: the form of a filter with one wildcard. Not here: the talk with the broker
(`adapters.mqtt`).
"""

from dataclasses import dataclass

from usage_platform.core.meters import is_meter_name

_LONGEST = 65_535


@dataclass(frozen=True)
class TopicFilter:
    """A filter whose wildcard names the meter.

    Attributes:
        text: As brokers know it, such as `tele/+/SENSOR` or `meters/#`.
    """

    text: str

    def __post_init__(self) -> None:
        levels = self.text.split("/")
        wildcards = [level for level in levels if level in ("+", "#")]
        is_last = "#" not in levels[:-1]
        marks = self.text.count("+") + self.text.count("#")
        fits = self.text.isprintable() and len(self.text.encode()) <= _LONGEST
        if not fits or len(wildcards) != 1 or marks != 1 or not is_last or levels[0][:1] == "$":
            raise ValueError(
                "expected a topic with one wildcard as a whole level, which names the meter, such "
                f"as tele/+/SENSOR or meters/#; got {self.text[:80]!r}"
            )

    def meter_of(self, topic: str) -> str | None:
        """The meter that a topic names; None where it is no name of one, or no such topic."""
        levels, named = self.text.split("/"), topic.split("/")
        at = next(n for n, level in enumerate(levels) if level in ("+", "#"))
        if levels[at] == "+" and len(named) != len(levels):
            return None
        if named[:at] != levels[:at] or named[at + 1 :][: len(levels) - at - 1] != levels[at + 1 :]:
            return None
        name = named[at] if levels[at] == "+" and at < len(named) else "/".join(named[at:])
        return name if is_meter_name(name) else None
