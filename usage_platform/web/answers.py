"""HTTP responses: JSON without NaN, 304 for unchanged content, one-line errors.

Belongs here: the format of responses. Not here: their content.
"""

import dataclasses
import json
import math
from collections.abc import Callable
from datetime import date
from enum import Enum
from hashlib import sha256
from typing import Any

import numpy as np
import pandas as pd
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from usage_platform.adapters.lake.errors import LakeError
from usage_platform.core.arrays import Floats

_S = 10**9
_NO_CONTENT_CHANGED = 304


def plain(value: object) -> Any:  # noqa: ANN401 - JSON
    """Convert a value for JSON: instants to whole seconds since 1970 UTC, NaN to null."""
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
    """A JSON response."""
    return JSONResponse(plain(content), status)


def unless_known(
    request: Request, version: str, body: Callable[[], bytes | str], media_type: str
) -> Response:
    """The body, or a 304 if the client already has this version from this server.

    Another server, after a restart, may have other settings or make another body of the same data.

    Args:
        request: Its `If-None-Match` names the client's version.
        version: Changes whenever the body does.
        body: Builds the body.
        media_type: Its media type.
    """
    tag = f'W/"{request.app.state.started}-{version}"'
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=_NO_CONTENT_CHANGED, headers={"ETag": tag})
    return Response(body(), media_type=media_type, headers={"ETag": tag})


def as_json(content: object) -> str:
    """A value as a JSON text."""
    return json.dumps(plain(content), separators=(",", ":"), allow_nan=False)


def unless_same(request: Request, content: object) -> Response:
    """A value as JSON, or a 304 if the client already has the same one.

    For what is cheap to make, and whose parts have no version of their own.
    """
    body = as_json(content)
    version = sha256(body.encode()).hexdigest()[:16]
    return unless_known(request, version, lambda: body, "application/json")


def rounded(values: Floats, digits: int = 3) -> list[float]:
    """Numbers with few decimal digits: the text is shorter."""
    return np.round(values, digits).tolist()


def refused(request: Request, error: Exception) -> Response:
    """A one-line error for a request that was refused."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it alone
    return answer({"error": error.detail}, error.status_code)


def lake_fault(request: Request, error: Exception) -> Response:
    """A one-line error for a lake that cannot be read (503)."""
    assert isinstance(error, LakeError)  # noqa: S101 - registered for it alone
    return answer({"error": str(error)}, 503)


def failed(request: Request, error: Exception) -> Response:
    """A one-line error for a request that failed; the server logs the exception (500)."""
    return answer({"error": "the request failed; the page's log has the reason"}, 500)
