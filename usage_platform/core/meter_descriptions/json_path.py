"""A path into the JSON that a device sends, such as `$.ENERGY.Total`.

Belongs here: names and positions, one after the other. Not here: searches, filters and slices of
full JSONPath, as a path names one value.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

_LONGEST = 500
_STEP = re.compile(r"""\.([^.\[\]'"\s]+)|\[(\d{1,4})\]|\['([^']+)'\]|\["([^"]+)"\]""")


class Missing:
    """What a path gives where there is nothing at its place."""


MISSING = Missing()


@dataclass(frozen=True)
class JsonPath:
    """A path that was read.

    Attributes:
        steps: Names of fields and positions in lists, from the outermost on; none for all of it.
    """

    steps: tuple[str | int, ...]

    def find(self, value: Any) -> Any:  # noqa: ANN401 - any JSON
        """The value at the path, or `MISSING`."""
        for step in self.steps:
            if isinstance(step, str):
                fields = cast("dict[str, Any]", value) if type(value) is dict else {}
                value = fields.get(step, MISSING)
            else:
                items = cast("list[Any]", value) if type(value) is list else []
                value = items[step] if step < len(items) else MISSING
        return value


@lru_cache(maxsize=1000)
def json_path(text: str) -> JsonPath:
    """Read a path.

    Raises:
        ValueError: When it is none; one line with what is expected.
    """
    steps: list[str | int] = []
    at = 1
    while text.startswith("$") and at < len(text) <= _LONGEST:
        found = _STEP.match(text, at)
        if found is None:
            break
        name, position, *quoted = found.groups()
        steps.append(int(position) if position else name or quoted[0] or quoted[1])
        at = found.end()
    if not text.startswith("$") or at != len(text):
        raise ValueError(
            "expected a path such as $.ENERGY.Total, $['total kWh'] or $.phases[0].power"
        )
    return JsonPath(tuple(steps))
