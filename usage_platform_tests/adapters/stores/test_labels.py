"""Labels come back as they were given; a second opinion on a stretch replaces the first."""

import pandas as pd
import pytest

from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.stores.labels import LabelStore
from usage_platform.core.feedback.labels import LABEL_COLUMNS, NO_LABELS, Verdict

NOON = pd.Timestamp("2024-03-05T12:00:00Z")
HOUR = pd.Timedelta(hours=1)


@pytest.fixture
def store(lake) -> LabelStore:
    return LabelStore(LakeFiles(lake.assets))


def test_without_labels_there_is_an_empty_table_of_the_same_types(store):
    empty = store.read()
    pd.testing.assert_frame_equal(empty, NO_LABELS)
    store.add("a", NOON, NOON + HOUR, Verdict.TRUE, "")
    assert store.read().dtypes.equals(empty.dtypes)


def test_labels_come_back_in_the_order_in_which_they_were_given(lake, store):
    store.add("b", NOON + HOUR, NOON + 2 * HOUR, Verdict.PLANNED, "Umbau ä \n")
    store.add("a", NOON, NOON + HOUR, Verdict.FALSE, "")
    expected = pd.DataFrame(
        [
            ("b", NOON + HOUR, NOON + 2 * HOUR, "planned", "Umbau ä \n"),
            ("a", NOON, NOON + HOUR, "false", ""),
        ],
        columns=LABEL_COLUMNS,
    ).astype(NO_LABELS.dtypes.to_dict())
    pd.testing.assert_frame_equal(LabelStore(LakeFiles(lake.assets)).read(), expected)


def test_a_label_of_the_same_stretch_is_replaced_and_of_another_or_another_meter_is_not(store):
    store.add("a", NOON, NOON + HOUR, Verdict.TRUE, "first")
    store.add("a", NOON, NOON + 2 * HOUR, Verdict.TRUE, "longer")
    store.add("b", NOON, NOON + HOUR, Verdict.TRUE, "other meter")
    store.add("a", NOON, NOON + HOUR, Verdict.FALSE, "second")
    found = store.read()
    assert found["note"].tolist() == ["longer", "other meter", "second"]
    assert found["says"].tolist() == ["true", "true", "false"]


def test_stretches_may_begin_on_whole_seconds_and_in_between(store):
    half = NOON + pd.Timedelta(milliseconds=500)
    store.add("a", NOON, NOON + HOUR, Verdict.TRUE, "")
    store.add("a", half, NOON + HOUR, Verdict.TRUE, "")
    assert store.read()["start"].tolist() == [NOON, half]


@pytest.mark.parametrize("end", [NOON, NOON - HOUR])
def test_a_stretch_that_ends_before_it_begins_is_one_line_and_nothing_is_kept(store, end):
    with pytest.raises(ValueError, match=r"^label: expected an end after 2024-03-05") as caught:
        store.add("a", NOON, end, Verdict.TRUE, "")
    assert "\n" not in str(caught.value)
    assert store.read().empty


@pytest.mark.parametrize(
    "text",
    ["{half", '{"meter": "a"}', '[{"meter": "a"}]', '[{"meter": "a", "start": "x", "end": "x"}]'],
)
def test_damaged_labels_are_told_with_their_file_and_are_not_written_over(lake, store, text):
    files = LakeFiles(lake.assets)
    files.write_text("labels.json", text)
    for what in (store.read, lambda: store.add("a", NOON, NOON + HOUR, Verdict.TRUE, "")):
        with pytest.raises(LakeError, match=r"labels\.json: damaged \(") as caught:
            what()
        assert "\n" not in str(caught.value)
    assert files.read_text("labels.json") == text
