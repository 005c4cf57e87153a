"""The groups that have readings of their own, as meters: `group_meters.json` in `assets/`.

Belongs here: reading the record and adding to it. Not here: the file that people write (`groups`),
which meter a group is (`core.fleet.summed_groups`).

A group stays on the record when it is no longer in the file: its readings stay in the tables, and
are no meter's.
"""

from collections.abc import Iterable, Mapping

from pydantic import BaseModel, TypeAdapter, ValidationError

from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.lake.shared_json import SharedJson
from usage_platform.core.measurement import Sign
from usage_platform.core.meters import Meter

_NAME = "group_meters"


class _Kept(BaseModel):
    """A group as it is kept.

    Attributes:
        timezone: As of `Meter`.
        interval_minutes: As of `Meter`.
        sign: As of `Meter`.
        at: When it was written, s since 1970.
    """

    timezone: str
    interval_minutes: int
    sign: Sign
    at: float


_GROUPS = TypeAdapter(dict[str, _Kept])


class GroupMeters:
    """The groups with readings of one lake."""

    def __init__(self, assets: LakeFiles) -> None:
        self._assets = assets
        self._file = SharedJson(assets, _NAME)

    def read(self) -> dict[str, Meter]:
        """The groups as meters, by name.

        Raises:
            LakeError: When the file is damaged or cannot be read.
        """
        return {name: meter for name, (meter, _) in self.with_times().items()}

    def with_times(self) -> Mapping[str, tuple[Meter, float]]:
        """The same, with the time at which each was written, s since 1970.

        Raises:
            LakeError: As for `read`.
        """
        kept = self._checked(self._assets.read_json(f"{_NAME}.json"))
        try:
            return {
                name: (Meter(name, one.timezone, one.interval_minutes, one.sign), one.at)
                for name, one in kept.items()
            }
        except ValueError as error:
            raise self._assets.damaged(f"{_NAME}.json", error) from None

    def add(self, meters: Iterable[Meter], now: float) -> None:
        """Write groups; those that other processes wrote are kept.

        Args:
            meters: The groups as meters.
            now: The current time, s since 1970.

        Raises:
            LakeError: When the file is damaged, or cannot be read or written.
        """
        added = {
            one.name: {
                "timezone": one.timezone,
                "interval_minutes": one.interval_minutes,
                "sign": one.sign.value,
                "at": now,
            }
            for one in meters
        }

        def with_added(found: object) -> dict[str, object]:
            return {**_GROUPS.dump_python(self._checked(found), mode="json"), **added}

        self._file.change(with_added)

    def _checked(self, found: object) -> dict[str, _Kept]:
        try:
            return _GROUPS.validate_python(found or {})
        except ValidationError as error:
            raise self._assets.damaged(f"{_NAME}.json", error) from None
