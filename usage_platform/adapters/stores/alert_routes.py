"""The targets and routes of alerts, which people write: `alerts.yaml` in the lake's `assets/`.

Belongs here: reading the file. Not here: its form (`core.alerts.routes_file`).
"""

from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.stores.plain_yaml import written_text, yaml_texts
from usage_platform.core.alerts.routes import Routes
from usage_platform.core.alerts.routes_file import parse_routes

ALERTS_FILE = "alerts.yaml"
_APPLIED = "alerts/applied.yaml"


class RouteStore:
    """The targets and routes of one lake, as they are in the file at each call."""

    def __init__(self, assets: LakeFiles) -> None:
        self._assets = assets

    @property
    def place(self) -> str:
        """Where the file is, for errors."""
        return f"{self._assets.root}/{ALERTS_FILE}"

    def read(self) -> Routes | None:
        """The targets and routes; None where there is no file.

        Raises:
            LakeError: In one line that names the file, the target or route and the field.
        """
        text = written_text(self._assets, ALERTS_FILE)
        return None if text is None else routes_in(text, self.place)

    def apply(self) -> Routes | None:
        """As `read`; keeps a copy of the file, which applies while the file has a mistake.

        Raises:
            LakeError: As `read`.
        """
        text = written_text(self._assets, ALERTS_FILE)
        routes = None if text is None else routes_in(text, self.place)
        if (text or "") != (self._assets.read_text(_APPLIED) or ""):
            self._assets.write_text(_APPLIED, text or "")
        return routes

    def applied(self) -> Routes:
        """The targets and routes that applied last; none before the first file without a mistake.

        Raises:
            LakeError: When the copy cannot be read.
        """
        text = written_text(self._assets, _APPLIED) or ""
        return routes_in(text, f"{self._assets.root}/{_APPLIED}")


def routes_in(text: str, place: str) -> Routes:
    """The targets and routes that a text describes.

    Args:
        text: YAML.
        place: Where it is from.

    Raises:
        LakeError: In one line that names the place, when something in the text is wrong.
    """
    try:
        return parse_routes(yaml_texts(text))
    except ValueError as error:
        raise LakeError(f"{place}: {error}") from None
