"""What goes back to the page: JSON without NaN, and nothing at all where nothing has changed.

Belongs here: the form of answers, errors among them. Not here: what they say.
"""

import dataclasses
import json
import math
from collections.abc import Callable
from datetime import date
from enum import Enum
from typing import Any

import numpy as np
import pandas as pd
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from usage_platform.adapters.lake.errors import LakeError

_S = 10**9
_NO_CONTENT_CHANGED = 304


def plain(value: object) -> Any:  # noqa: ANN401 - JSON
    """A value as JSON has it: instants as whole seconds since 1970 UTC, unknown numbers as null."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    return _plain_scalar(value)


def _plain_scalar(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, pd.Timestamp):
        return value.value // _S
    if isinstance(value, Enum):
        return value.value
    return value.isoformat() if isinstance(value, date) else value


def seconds(instant: int | None) -> int | None:
    """Nanoseconds since 1970 as whole seconds."""
    return None if instant is None else instant // _S


def answer(content: object, status: int = 200) -> JSONResponse:
    """JSON."""
    return JSONResponse(plain(content), status)


def unless_known(
    request: Request, version: str, body: Callable[[], bytes | str], media_type: str
) -> Response:
    """The body, or nothing but a 304 when the page has this version already.

    Args:
        request: Its `If-None-Match` names what the page has.
        version: Changes whenever the body does.
        body: Makes the body.
        media_type: Its type.
    """
    tag = f'W/"{version}"'
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=_NO_CONTENT_CHANGED, headers={"ETag": tag})
    return Response(body(), media_type=media_type, headers={"ETag": tag})


def as_json(content: object) -> str:
    """A body of JSON."""
    return json.dumps(plain(content), separators=(",", ":"), allow_nan=False)


def refused(request: Request, error: Exception) -> Response:
    """One line on what was wrong with a request."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it alone
    return answer({"error": error.detail}, error.status_code)


def lake_fault(request: Request, error: Exception) -> Response:
    """One line on what is wrong with the lake."""
    assert isinstance(error, LakeError)  # noqa: S101 - registered for it alone
    return answer({"error": str(error)}, 503)
