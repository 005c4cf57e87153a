"""The Power BI project as far as it can be judged without Power BI: schemas, TMDL, and bindings."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from powerbi_mcp.validation.pbir import validate_pbir_file

from usage_platform.services.powerbi_model import MODEL_TABLES, model_files
from usage_platform.settings.settings import Settings
from usage_platform_tests.repository import ROOT
from usage_platform_tests.services.tmdl_lines import fields_of, findings, lines_of

PROJECT = ROOT / "powerbi"
DEFINITION = PROJECT / "usage.SemanticModel" / "definition"
REPORT = PROJECT / "usage.Report" / "definition"
TMDL = sorted(DEFINITION.rglob("*.tmdl"))
FIELDS = fields_of(DEFINITION)
PAGE = REPORT / "pages" / "overview" / "page.json"


def files_with_a_schema() -> list[Path]:
    endings = {".json", ".pbip", ".pbir", ".pbism"}
    files = [path for path in PROJECT.rglob("*") if path.is_file()]
    return [path for path in files if path.suffix in endings or path.name == ".platform"]


def wrong_by_schema(path: Path) -> list[str]:
    """What Microsoft's schemas say; a file that names no schema is wrong too."""
    return [f"{path.name}: {issue.message}" for issue in validate_pbir_file(path).issues]


def bindings(node: object) -> Iterator[tuple[str, str, str]]:
    """Each field that a visual names: Column or Measure, the table, and the field."""
    if isinstance(node, dict):
        for kind in ("Column", "Measure"):
            if kind in node:
                yield kind, node[kind]["Expression"]["SourceRef"]["Entity"], node[kind]["Property"]
        for child in node.values():
            yield from bindings(child)
    elif isinstance(node, list):
        for child in node:
            yield from bindings(child)


def is_there(kind: str, table: str, name: str) -> bool:
    return name in (FIELDS.columns if kind == "Column" else FIELDS.measures).get(table, ())


def test_the_committed_model_is_what_the_lakes_schemas_make():
    made = model_files(Settings().timezone)
    assert len(made) == 1 + len(MODEL_TABLES)
    assert {name: (DEFINITION / name).read_text("utf-8") for name in made} == made


def test_every_json_file_keeps_to_the_schema_of_microsoft_that_it_names():
    files = files_with_a_schema()
    assert len(files) > 30
    assert [wrong for path in files for wrong in wrong_by_schema(path)] == []


@pytest.mark.parametrize(
    ("good", "bad"),
    [('"FitToPage"', '"FitToWall"'), ('"height"', '"tallness"'), ('"$schema"', '"schema"')],
)
def test_a_slip_in_a_json_file_is_noticed(tmp_path, good, bad):
    slipped = tmp_path / "page.json"
    slipped.write_text(PAGE.read_text("utf-8").replace(good, bad), "utf-8")
    assert wrong_by_schema(slipped)


def test_the_tmdl_files_have_known_words_and_values_at_the_right_depth():
    assert {f"{p.name}:{wrong}" for p in TMDL for wrong in findings(p.read_text("utf-8"))} == set()


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        ("\t\tdataType: string", "\t\tdatatype: string", "datatype in column"),
        ("\t\tdataType: string", "\t\tdataType: text", "dataType is 'text'"),
        ("\t\tmode: import", "\t\tmode: importt", "mode is 'importt'"),
        ("\tcolumn meter", "\t\tcolumn meter", "2 tabs, expected 1"),
        ("\tcolumn meter", "    column meter", "column meter"),
        ("\tpartition meters = m", "\tpartition meters", "without an expression"),
    ],
)
def test_a_slip_in_a_tmdl_file_is_noticed(good, bad, said):
    text = (DEFINITION / "tables" / "meters.tmdl").read_text("utf-8")
    assert good in text
    assert any(said in wrong for wrong in findings(text.replace(good, bad, 1)))


def test_the_model_names_each_table_file_and_no_other():
    lines = lines_of((DEFINITION / "model.tmdl").read_text("utf-8"))
    assert sorted(li.name for li in lines if li.keyword == "ref") == sorted(FIELDS.columns)


def test_columns_that_others_point_to_are_there():
    ends = [
        tuple(line.value.split("."))
        for line in lines_of((DEFINITION / "relationships.tmdl").read_text("utf-8"))
        if line.keyword in {"fromColumn", "toColumn"}
    ]
    sorts = [
        (path.stem, line.value)
        for path in TMDL
        for line in lines_of(path.read_text("utf-8"))
        if line.keyword == "sortByColumn"
    ]
    assert len(ends) == 8
    assert sorts
    assert [end for end in ends + sorts if not is_there("Column", *end)] == []


def test_measures_use_only_columns_and_measures_that_are_there():
    known = {name for measures in FIELDS.measures.values() for name in measures}
    dax = [text for measures in FIELDS.measures.values() for text in measures.values()]
    columns = {found for text in dax for found in re.findall(r"(\w+)\[(\w+)\]", text)}
    measures = {found for text in dax for found in re.findall(r"(?<!\w)\[([^\]]+)\]", text)}
    assert columns
    assert {one for one in columns if not is_there("Column", *one)} == set()
    assert measures
    assert measures - known == set()


def test_every_field_of_a_visual_is_in_the_model():
    used = {
        binding
        for path in REPORT.rglob("visual.json")
        for binding in bindings(json.loads(path.read_text("utf-8")))
    }
    assert len(used) > 20
    assert {binding for binding in used if not is_there(*binding)} == set()


def test_every_visual_lies_on_its_page_under_its_own_name_and_is_named_for_a_screen_reader():
    for page in REPORT.rglob("page.json"):
        size = json.loads(page.read_text("utf-8"))
        for path in page.parent.rglob("visual.json"):
            found = json.loads(path.read_text("utf-8"))
            place = found["position"]
            assert found["name"] == path.parent.name
            assert place["x"] + place["width"] <= size["width"], path
            assert place["y"] + place["height"] <= size["height"], path
            is_card = found["visual"]["visualType"] == "card"
            assert is_card or "altText" in json.dumps(found), path


def test_pages_are_shown_in_an_order_that_leaves_none_out():
    order = json.loads((REPORT / "pages" / "pages.json").read_text("utf-8"))["pageOrder"]
    assert sorted(order) == sorted(path.parent.name for path in REPORT.rglob("page.json"))


def test_the_shortcut_to_the_lakes_folder_is_one_of_power_bis():
    shortcut = json.loads((PROJECT / "lake-folder.pbids").read_text("utf-8"))
    details = shortcut["connections"][0]["details"]
    assert (shortcut["version"], details["protocol"]) == ("0.1", "folder")
    assert details["address"]["path"].endswith("\\deltalake")
