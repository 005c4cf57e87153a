import pandas as pd
import pytest

from usage_platform.core.feedback.labels import Verdict
from usage_platform.core.feedback.reviews import LONGEST_NOTE, Act, Review, states

NOON = pd.Timestamp("2024-03-05T12:00:00Z")
MINUTE = pd.Timedelta(minutes=1)


def review(minute: int, act: Act, says: Verdict | None = None, note: str = "") -> Review:
    return Review(f"r{minute}", NOON + minute * MINUTE, "m", "e", act, says, note)


def test_an_episode_stands_as_the_last_label_says_and_was_seen_at_the_first_act():
    given = [
        review(3, Act.LABEL, Verdict.PLANNED, "the donors' evening"),
        review(1, Act.COMMENT, note="who is there?"),
        review(2, Act.ACKNOWLEDGE),
        review(4, Act.LABEL, Verdict.TRUE),
    ]
    state = states(given)["m", "e"]
    assert state.acknowledged_at == NOON + 2 * MINUTE
    assert state.says is Verdict.TRUE
    assert [one.review_id for one in state.reviews] == ["r1", "r2", "r3", "r4"]


def test_a_comment_alone_neither_acknowledges_nor_labels():
    state = states([review(1, Act.COMMENT, note="hm")])["m", "e"]
    assert (state.acknowledged_at, state.says) == (None, None)


@pytest.mark.parametrize(
    ("act", "says", "note", "told"),
    [
        (Act.LABEL, None, "", "expected says"),
        (Act.ACKNOWLEDGE, Verdict.TRUE, "", "expected says"),
        (Act.COMMENT, None, "  ", "at least one word"),
        (Act.COMMENT, None, "x" * (LONGEST_NOTE + 1), "at most 1000"),
    ],
)
def test_a_review_that_says_nothing_or_too_much_is_refused_in_one_line(act, says, note, told):
    with pytest.raises(ValueError, match=told) as caught:
        review(1, act, says, note)
    assert "\n" not in str(caught.value)
