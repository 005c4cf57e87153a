"""What people did about an episode: acknowledged it, said a word on it, labelled it.

Belongs here: a review as a value, and how an episode stands after all of its reviews. Not here:
where they are kept (adapters); what a label does to training and telling (`labels`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import pandas as pd

from usage_platform.core.feedback.labels import Verdict

LONGEST_NOTE = 1000


class Act(StrEnum):
    """What a person did."""

    ACKNOWLEDGE = "acknowledge"
    COMMENT = "comment"
    LABEL = "label"


@dataclass(frozen=True)
class Review:
    """One act; never changed once it is kept.

    Attributes:
        review_id: Its name.
        at: When, UTC.
        meter: Name of the meter.
        episode: Name of the episode.
        act: What was done.
        says: What a label says; None for other acts.
        note: A few words, as they were typed.

    Raises:
        ValueError: In one line, for a label that says nothing, a comment without words, a verdict
            on what is no label, or too long a note.
    """

    review_id: str
    at: pd.Timestamp
    meter: str
    episode: str
    act: Act
    says: Verdict | None
    note: str

    def __post_init__(self) -> None:
        if (self.act is Act.LABEL) != (self.says is not None):
            raise ValueError("review: expected says=true, false or planned with a label only")
        if self.act is Act.COMMENT and not self.note.strip():
            raise ValueError("review: expected a comment of at least one word")
        if len(self.note) > LONGEST_NOTE:
            raise ValueError(
                f"review: expected a note of at most {LONGEST_NOTE} characters, "
                f"got {len(self.note)}"
            )


@dataclass(frozen=True)
class ReviewState:
    """How an episode stands after its reviews.

    Attributes:
        acknowledged_at: When it was first acknowledged or labelled; None when it was not.
        says: What the last label says; None without one.
        reviews: All of them, the oldest first.
    """

    acknowledged_at: pd.Timestamp | None
    says: Verdict | None
    reviews: tuple[Review, ...]


NO_REVIEWS = ReviewState(None, None, ())


def states(reviews: Iterable[Review]) -> dict[tuple[str, str], ReviewState]:
    """How each reviewed episode stands, by meter and episode; reviews in any order."""
    by_episode: dict[tuple[str, str], list[Review]] = {}
    for review in sorted(reviews, key=lambda review: (review.at, review.review_id)):
        by_episode.setdefault((review.meter, review.episode), []).append(review)
    return {key: _state(own) for key, own in by_episode.items()}


def _state(own: list[Review]) -> ReviewState:
    seen = [review.at for review in own if review.act is not Act.COMMENT]
    labels = [review.says for review in own if review.says is not None]
    return ReviewState(seen[0] if seen else None, labels[-1] if labels else None, tuple(own))
