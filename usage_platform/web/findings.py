"""The findings of a meter with their states, and the costliest ones of all meters.

Belongs here: `/api/findings` and `/api/fleet/findings`. Not here: which findings there are
(`services.finding_list`, `services.fleet_findings`).
"""

from datetime import UTC, datetime
from functools import partial

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from usage_platform.core.findings.states import FindingState, StateChange
from usage_platform.core.form_errors import first_mistake
from usage_platform.services.finding_list import UnknownFindingError, list_findings, set_state
from usage_platform.web.answers import answer, as_json, unless_known, unless_same
from usage_platform.web.parameters import meter_of, source_of
from usage_platform.web.source import PageSource

_JSON = "application/json"


class _Given(BaseModel):
    """The body of a change of a state."""

    model_config = ConfigDict(extra="forbid", strict=True)

    finding: str = Field(max_length=40)
    state: str


def findings(request: Request) -> Response:
    """A meter's current findings, the costliest first; of when they are, why newer ones failed."""
    source, meter = source_of(request), meter_of(request).name
    run = source.findings_record.read()
    content = {
        "as_of": None if run is None else pd.Timestamp(run.as_of),
        "failed": None if run is None else run.failed.get(meter),
        "findings": list_findings(source.reader, source.finding_states, [meter]),
    }
    return unless_same(request, content)


def fleet_findings(request: Request) -> Response:
    """The findings of all meters that are not done: how many, and the costliest."""
    found = source_of(request).fleet_findings.findings()
    return unless_known(request, found.version, lambda: as_json(found), _JSON)


async def change(request: Request) -> Response:
    """Set the state of a finding."""
    try:
        given = _Given.model_validate_json(await request.body())
        state = FindingState(given.state)
    except ValidationError as error:
        raise HTTPException(400, f"finding: {first_mistake(error, 'body')}") from None
    except ValueError:
        known = ", ".join(one.value for one in FindingState)
        raise HTTPException(400, f"state: expected one of {known}") from None
    made = StateChange(state, pd.Timestamp(datetime.now(UTC)))
    try:
        await run_in_threadpool(partial(_set, source_of(request), given.finding, made))
    except UnknownFindingError as error:
        raise HTTPException(404, str(error)) from None
    return answer(made, 201)


def _set(source: PageSource, finding: str, made: StateChange) -> None:
    set_state(source.reader, source.finding_states, finding, made)


ROUTES = (
    Route("/api/findings", findings, methods=["GET"]),
    Route("/api/findings", change, methods=["POST"]),
    Route("/api/fleet/findings", fleet_findings),
)
