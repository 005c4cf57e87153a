"""Reviews come back as they were given, and none is lost to another one's writing."""

import pandas as pd
import pytest

from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.stores.reviews import ReviewStore
from usage_platform.core.feedback.labels import Verdict
from usage_platform.core.feedback.reviews import Act, Review

NOON = pd.Timestamp("2024-03-05T12:00:00.5Z")


def given(name: str, at: pd.Timestamp = NOON) -> Review:
    return Review(name, at, "m/ü <b>", "2024-03-05T11:00Z", Act.LABEL, Verdict.PLANNED, 'a "b" \n')


def test_reviews_come_back_in_the_order_of_their_times(lake):
    files = LakeFiles(lake.assets)
    later, first = given("b", NOON + pd.Timedelta(seconds=1)), given("a-1")
    ReviewStore(files).add(later)
    ReviewStore(files).add(first)
    assert ReviewStore(files).read() == [first, later]


def test_two_stores_add_beside_each_other_and_each_sees_both(lake):
    one, other = (ReviewStore(LakeFiles(lake.assets)) for _ in range(2))
    assert one.read() == other.read() == []
    one.add(given("a"))
    other.add(given("b"))
    assert [review.review_id for review in one.read()] == ["a", "b"]
    assert one.read() == other.read()


@pytest.mark.parametrize("text", ["{half", '{"at": "2024-03-05T12:00:00Z"}', "[]"])
def test_a_damaged_review_is_told_with_its_file(lake, text):
    files = LakeFiles(lake.assets)
    files.write_text("reviews/20240305T120000.000000-a.json", text)
    with pytest.raises(LakeError, match=r"reviews/20240305.*damaged") as caught:
        ReviewStore(files).read()
    assert "\n" not in str(caught.value)
