"""The reviews of people, a file each in the lake's `assets/reviews/`: only ever added to.

Belongs here: reading and adding. Not here: how an episode stands after them
(`core.feedback.reviews`).

A file a review: two people at two pages never write over each other, on a disk or on S3.
"""

from typing import Self

import pandas as pd
from pydantic import AwareDatetime, BaseModel

from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.core.feedback.labels import Verdict
from usage_platform.core.feedback.reviews import Act, Review

_FOLDER = "reviews"


class _Kept(BaseModel):
    """A review as it is kept."""

    at: AwareDatetime
    meter: str
    episode: str
    act: Act
    says: Verdict | None
    note: str

    @classmethod
    def of(cls, review: Review) -> Self:
        return cls(
            at=review.at.to_pydatetime(),
            meter=review.meter,
            episode=review.episode,
            act=review.act,
            says=review.says,
            note=review.note,
        )

    def as_review(self, review_id: str) -> Review:
        at = pd.Timestamp(self.at).tz_convert("UTC")
        return Review(review_id, at, self.meter, self.episode, self.act, self.says, self.note)


class ReviewStore:
    """The reviews of one lake. A review that was read once is not read again."""

    def __init__(self, assets: LakeFiles) -> None:
        self._assets = assets
        self._known: dict[str, Review] = {}

    def read(self) -> list[Review]:
        """All reviews, the oldest first.

        Raises:
            LakeError: When a file holds no review.
        """
        names = self._assets.names(_FOLDER)
        names = [name for name in names if name.endswith(".json")]
        self._known = {name: self._known.get(name) or self._read(name) for name in names}
        return list(self._known.values())

    def add(self, review: Review) -> None:
        """Keep a review. Its name begins with its time, so that names sort by time."""
        name = f"{_FOLDER}/{review.at:%Y%m%dT%H%M%S.%f}-{review.review_id}.json"
        self._assets.write_text(name, _Kept.of(review).model_dump_json(indent=1))

    def _read(self, name: str) -> Review:
        where = f"{_FOLDER}/{name}"
        try:
            kept = _Kept.model_validate(self._assets.read_json(where))
            return kept.as_review(name.removesuffix(".json").partition("-")[2])
        except ValueError as error:  # Of pydantic too.
            raise self._assets.damaged(where, ValueError(str(error).splitlines()[0])) from None
