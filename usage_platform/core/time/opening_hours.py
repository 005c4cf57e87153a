"""When a building is open, and the shape that its hours give to a day's load.

Belongs here: opening hours and the calibrated curve of a day. Not here: how large
the load is and what disturbs it (`building`).
"""

from dataclasses import dataclass, replace

MINUTES_A_DAY = 1440


@dataclass(frozen=True)
class OpenHours:
    """When a kind of day has its plant on and its doors open, in minutes of the local day.

    Attributes:
        plant_on: Ventilation and half of the lights start.
        doors: Everything is on.
        close: Everything is off.
        level: The day's rise above the base load, as a share of a full weekday's.

    Raises:
        ValueError: If the three times leave no room for a day's shape.
    """

    plant_on: int
    doors: int
    close: int
    level: float

    def __post_init__(self) -> None:
        fits = self.plant_on >= 75 and self.doors >= self.plant_on + 40
        if not (fits and self.doors + 240 <= self.close <= MINUTES_A_DAY - 65):
            raise ValueError(
                f"opening hours {self.plant_on}, {self.doors}, {self.close}: expected the plant on "
                "after minute 75, doors 40 min later or more, 4 h open or more, closed by 22:55"
            )

    def later(self, minutes: int) -> "OpenHours":
        """The same day, shifted by `minutes`."""
        return replace(
            self,
            plant_on=self.plant_on + minutes,
            doors=self.doors + minutes,
            close=self.close + minutes,
        )


def day_curve(hours: OpenHours) -> tuple[list[float], list[float]]:
    """The course of a day above the base load, read off the seven Tuesdays' median.

    Returns:
        Knots, joined by straight lines: minutes of the local day, ascending, and shares of the
        rise of a full weekday.
    """
    on, doors, close = hours.plant_on, hours.doors, hours.close
    span = close - doors
    knots = [
        *((0, 0.04), (60, 0.02), (on - 10, 0.025), (on - 5, 0.055)),
        *((on, 0.325), (on + 5, 0.385), (on + 30, 0.43), (doors - 5, 0.55)),
        *((doors, 0.925), (doors + 5, 0.97), (doors + 0.15 * span, 1.0)),
        *((doors + 0.5 * span, 1.015), (doors + 0.6 * span, 0.98), (doors + 0.72 * span, 0.895)),
        *((close - 65, 0.845), (close - 60, 0.795), (close - 10, 0.775), (close - 5, 0.70)),
        *((close, 0.11), (close + 60, 0.075), (MINUTES_A_DAY, 0.04)),
    ]
    return [float(x) for x, _ in knots], [y for _, y in knots]
