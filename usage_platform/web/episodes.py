"""Episodes of anomalies and their reviews.

Belongs here: `/api/episodes` and `/api/reviews`. Not here: which readings form an episode
(`core.anomalies.episodes`), an episode's state after its reviews (`core.feedback.reviews`).
"""

import threading
from datetime import UTC, datetime
from typing import cast
from uuid import uuid4

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from usage_platform.core.anomalies.episode_summary import Episode
from usage_platform.core.feedback.labels import Verdict
from usage_platform.core.feedback.reviews import LONGEST_NOTE, NO_REVIEWS, Act, Review, states
from usage_platform.core.form_errors import first_mistake
from usage_platform.core.meters import LONGEST_NAME
from usage_platform.services.page_data import Year
from usage_platform.web.answers import answer, as_json, unless_known
from usage_platform.web.parameters import known_year, source_of, year_of
from usage_platform.web.source import PageSource

_JSON = "application/json"
# Adding a label is a read-modify-write of one file: one thread of this server at a time.
_LABELLING = threading.Lock()


class _Given(BaseModel):
    """The body of a review."""

    model_config = ConfigDict(extra="forbid", strict=True)

    meter: str = Field(max_length=LONGEST_NAME)
    episode: str = Field(max_length=40)
    act: str
    says: str | None = None
    note: str = Field("", max_length=LONGEST_NOTE)


def episodes(request: Request) -> Response:
    """The current episodes of a meter's year, newest first, with their reviews."""
    year, source = year_of(request), source_of(request)
    reviewed = source.reviews.read()
    last = reviewed[-1].review_id if reviewed else ""
    version = f"{year.version}-{len(reviewed)}-{last}"
    return unless_known(request, version, lambda: as_json(_listed(year, reviewed)), _JSON)


def _listed(year: Year, reviewed: list[Review]) -> dict[str, object]:
    known = states(reviewed)
    rows = [
        {**vars(one), "review": known.get((one.meter, one.name), NO_REVIEWS)}
        for one in year.episodes
    ]
    anomalies = [
        {"at": row["event_time"], "kw": row["usage"], "episode": row["episode"]}
        for row in year.anomalies.to_dict("records")
    ]
    return {"episodes": rows, "anomalies": anomalies}


async def review(request: Request) -> Response:
    """Save a review of an episode."""
    try:
        given = _Given.model_validate_json(await request.body())
        kept = Review(
            review_id=uuid4().hex[:12],
            at=cast("pd.Timestamp", pd.Timestamp(datetime.now(UTC))),
            meter=given.meter,
            episode=given.episode,
            act=Act(given.act),
            says=None if given.says is None else Verdict(given.says),
            note=given.note.strip(),
        )
    except ValidationError as error:
        raise HTTPException(400, f"review: {first_mistake(error, 'body')}") from None
    except ValueError as error:
        raise HTTPException(400, f"{error}".splitlines()[0]) from None
    await run_in_threadpool(_keep, source_of(request), kept)
    return answer(kept, 201)


def _keep(source: PageSource, kept: Review) -> None:
    """Save a review; a label also labels the episode's time span, as `usage-platform label` does.

    Raises:
        HTTPException: When the episode does not exist.
    """
    found = _episode(source, kept.meter, kept.episode)
    source.reviews.add(kept)
    if kept.says is not None:
        with _LABELLING:
            source.labels.add(kept.meter, found.start, found.end, kept.says, kept.note)


def _episode(source: PageSource, meter: str, name: str) -> Episode:
    missing = HTTPException(404, f"no episode {name!r} of meter {meter!r}")
    try:
        year = known_year(name[:4])
        known = source.registry().get(meter)
    except (ValueError, HTTPException):
        raise missing from None
    for one in (None, year):
        for episode in source.years.year(known, one).episodes:
            if episode.name == name:
                return episode
    raise missing


ROUTES = (
    Route("/api/episodes", episodes),
    Route("/api/reviews", review, methods=["POST"]),
)
