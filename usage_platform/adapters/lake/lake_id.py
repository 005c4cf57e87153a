"""The id of a lake: made once, kept in its root, so that others can tell whose progress they see.

Belongs here: making and reading it. Not here: what is marked with it (`services.score_position`).
"""

import json
from uuid import uuid4

from usage_platform.adapters.lake.errors import LakeError, lake_errors_in_one_line
from usage_platform.adapters.lake.lease_store import FolderStore, ObjectStore
from usage_platform.adapters.lake.tables import Lake

STORED_AS = "lake"
"""The name of its file in the root of the lake, without the ending."""
_TRIES = 5


def lake_id(lake: Lake) -> str:
    """The id of a lake; the first call makes it, and of several at once one does.

    Raises:
        LakeError: When the lake cannot be read or written, or its `lake.json` is damaged.
    """
    store = (
        ObjectStore(lake.root, STORED_AS)
        if "://" in lake.root
        else FolderStore(lake.root, STORED_AS)
    )
    for _ in range(_TRIES):
        with lake_errors_in_one_line(lake.root):
            text = store.read()
            if text is None:
                store.replace(None, json.dumps({"id": uuid4().hex}))
                continue
        try:
            return str(json.loads(text)["id"])
        except (KeyError, TypeError, ValueError):
            raise LakeError(
                f"{lake.root}/{STORED_AS}.json: damaged; restore an intact copy, or remove it to "
                "give the lake a new id"
            ) from None
    raise LakeError(f"{lake.root}/{STORED_AS}.json: cannot be made; try again")
