"""The file of people's descriptions of meters: reading it, and editing it beside others."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.stores.meters import METERS_FILE, MetersStore
from usage_platform.adapters.stores.meters_text import whole_text, with_entry
from usage_platform.adapters.stores.plain_yaml import yaml_texts
from usage_platform.adapters.stores.written_text import MistakeError
from usage_platform.core.measurement import Unit
from usage_platform.core.meter_descriptions.description import Descriptions, MeterDescription
from usage_platform.core.meter_descriptions.parsing import parse_descriptions
from usage_platform_tests.core.meter_descriptions.made_descriptions import descriptions
from usage_platform_tests.without_yaml import no_yaml

FILE = """\
# Who to ask: facilities.
meters:
  # The hall.
  - name: hall
    unit: kWh  # per interval
    versions: []

  - {name: pump, unit: kW}
  # The end.
"""
EAST = MeterDescription(name="east", unit=Unit.KWH)


def store_in(folder: Path, text: str | None = None) -> MetersStore:
    if text is not None:
        (folder / METERS_FILE).write_text(text)
    return MetersStore(LakeFiles(str(folder)))


def test_without_a_file_nothing_is_said(tmp_path):
    assert store_in(tmp_path).read() == {}


WRONG = [
    FILE.replace("kWh", "kwh").encode(),
    b"meters: [",
    b"meters: 3",
    b"meters: [{name: a}, {name: a}]",
    b"\xff",
]
VALID = [FILE.encode(), b"meters: [{name: east, unit: kWh}]", b"meters: []", b""]


def applied(store: MetersStore) -> tuple[Descriptions, bool] | str:
    """The descriptions and whether there is a notice; or the mistake that refuses the file."""
    try:
        found = store.applied()
    except MistakeError as mistake:
        return str(mistake)
    return found.descriptions, bool(found.notice)


@given(
    st.lists(
        st.tuples(
            st.none()
            | st.sampled_from([*VALID, *WRONG])
            | descriptions().map(lambda one: whole_text({one.name: one}).encode()),
            st.booleans(),
        ),
        max_size=8,
    )
)
def test_the_last_content_without_a_mistake_applies_in_each_process(tmp_path_factory, steps):
    folder = tmp_path_factory.mktemp("assets")
    file, long_lived = folder / METERS_FILE, store_in(folder)
    last: Descriptions | None = None
    for content, is_seen_by_another in steps:
        if content is None:
            file.unlink(missing_ok=True)
        else:
            file.write_bytes(content)
        is_wrong = content in WRONG
        if not is_wrong:
            last = None if content is None else parse_descriptions(yaml_texts(content.decode()))
        if is_seen_by_another:
            applied(store_in(folder))
        found = applied(long_lived)
        if is_wrong and last is None:
            assert str(found).startswith(f"{file}: ")
        else:
            assert found == (last or {}, is_wrong)
        assert applied(store_in(folder)) == found
        with no_yaml():
            assert applied(store_in(folder)) == found


def test_a_mistake_is_read_as_one_and_said_with_what_applies(tmp_path):
    store_in(tmp_path, FILE).read()
    store = store_in(tmp_path, FILE.replace("kWh", "kwh"))
    line = f"{tmp_path}/meters.yaml: meter hall: unit: expected"
    with pytest.raises(MistakeError, match=f"^{line}"):
        store.read()
    notice = store.applied().notice
    assert notice.startswith(f"the last descriptions of meters without a mistake apply: {line}")


def test_a_file_that_cannot_be_read_is_no_mistake_in_it(tmp_path, monkeypatch):
    store_in(tmp_path, FILE).read()

    def broken(*args):
        raise LakeError("cannot be reached")

    monkeypatch.setattr(LakeFiles, "read_text", broken)
    with pytest.raises(LakeError, match="cannot be reached"):
        store_in(tmp_path).applied()


def test_a_change_of_the_file_is_read(tmp_path):
    store = store_in(tmp_path, FILE)
    assert list(store.read()) == ["hall", "pump"]
    store_in(tmp_path, "meters: [{name: east, unit: kWh}]")
    assert store.read() == {"east": EAST}


def test_what_is_wrong_names_the_file(tmp_path):
    store = store_in(tmp_path, FILE.replace("kWh", "kwh"))
    with pytest.raises(LakeError, match=f"^{tmp_path}/meters.yaml: meter hall: unit: expected"):
        store.read()
    store_in(tmp_path, "meters: [")
    with pytest.raises(LakeError, match=rf"^{tmp_path}/meters.yaml: line 1: expected YAML"):
        store.read()
    (tmp_path / METERS_FILE).write_bytes(b"\xff")
    with pytest.raises(LakeError, match="expected text in UTF-8"):
        store.read()
    with pytest.raises(LakeError, match="expected text in UTF-8"):
        store.change(lambda found: EAST)


@pytest.mark.parametrize("text", [FILE, "# nothing yet\n"])
def test_jobs_without_yaml_read_what_the_platform_has_read(tmp_path, text):
    expected = store_in(tmp_path, text).read()
    with no_yaml():
        assert store_in(tmp_path).read() == expected


def test_jobs_without_yaml_refuse_a_file_that_changed_since(tmp_path):
    store_in(tmp_path, FILE).read()
    job = store_in(tmp_path, FILE.replace("kW}", "MW}"))
    expected = r"meters\.yaml: changed since .* 'usage-platform meters l"
    with no_yaml(), pytest.raises(LakeError, match=expected):
        job.read()


def test_a_damaged_copy_is_made_again(tmp_path):
    store_in(tmp_path, FILE).read()
    (tmp_path / "meters_read.json").write_text("{")
    assert list(store_in(tmp_path).read()) == ["hall", "pump"]


def test_a_file_that_can_only_be_read_is_read(tmp_path, monkeypatch):
    def full(*args):
        raise LakeError("no space left")

    monkeypatch.setattr(LakeFiles, "write_text", full)
    assert list(store_in(tmp_path, FILE).read()) == ["hall", "pump"]


def test_an_entry_is_replaced_and_all_other_lines_stay():
    new = with_entry(FILE, MeterDescription(name="hall", unit=Unit.WH))
    expected = FILE.replace("    unit: kWh  # per interval\n    versions: []\n", "    unit: Wh\n")
    assert new == expected


def test_an_entry_in_one_line_is_replaced():
    new = with_entry(FILE, MeterDescription(name="pump", unit=Unit.WH))
    assert new == FILE.replace("- {name: pump, unit: kW}", "- name: pump\n    unit: Wh")


def test_an_entry_is_added_at_the_end_of_the_list():
    new = with_entry(FILE, EAST)
    added = "unit: kW}\n  - name: east\n    unit: kWh\n"
    assert new == FILE.replace("unit: kW}\n", added)
    assert with_entry(FILE.removesuffix("\n  # The end.\n"), EAST).endswith(added)


@pytest.mark.parametrize("end", ["", "\n", "\n\n"])
def test_comments_without_a_list_stay(end):
    assert with_entry(f"# Ask first.{end}", EAST) == "# Ask first.\n" + whole_text({"east": EAST})


@pytest.mark.parametrize(
    "text", ["", "# nothing\n", "meters:\n", "meters: []\n", "meters: [{name: a}]\n"]
)
def test_a_list_that_has_no_lines_is_written_anew(text):
    before = parse_descriptions(yaml_texts(text.replace("meters:\n", "")))
    after = parse_descriptions(yaml_texts(with_entry(text, EAST)))
    assert after == {**before, "east": EAST}


@given(st.lists(descriptions(), max_size=3, unique_by=lambda one: one.name), descriptions())
def test_any_edit_gives_the_same_as_writing_all(before, new):
    wanted = {**{one.name: one for one in before}, new.name: new}
    text = with_entry(whole_text({one.name: one for one in before}), new)
    assert parse_descriptions(yaml_texts(text)) == wanted


def test_a_change_made_meanwhile_is_kept(tmp_path):
    store, calls = store_in(tmp_path, FILE), []

    def changed(found):
        calls.append(list(found))
        if len(calls) == 1:
            store_in(tmp_path, FILE.replace("pump", "fan"))
        return EAST

    store.change(changed)
    assert calls == [["hall", "pump"], ["hall", "fan"]]
    assert list(store.read()) == ["hall", "fan", "east"]


def test_an_invalid_file_is_not_edited(tmp_path):
    store = store_in(tmp_path, "meters: [{name: a, unit: V}]")
    with pytest.raises(LakeError, match="meter a: unit"):
        store.change(lambda found: EAST)
