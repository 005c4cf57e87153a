"""The tariff file of a lake: read as it is at each call, its mistakes in one line."""

import pytest

from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.stores.tariffs import TariffStore

FILE = """
tariffs:
  - name: campus
    meters: all
    unit: EUR
    versions:
      - valid_from: 2024-01-01
        energy: [{name: energy, price: 0.25}]
"""


@pytest.fixture
def assets(tmp_path):
    return LakeFiles(str(tmp_path))


def test_a_file_that_changes_is_read_again(assets):
    store = TariffStore(assets)
    assert store.read() is None
    assets.write_text("tariffs.yaml", FILE)
    assert store.read().money("m").name == "campus"
    assets.write_text("tariffs.yaml", FILE.replace("campus", "annex"))
    assert store.read().money("m").name == "annex"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (FILE.replace("0.25", "x"), "tariff campus: version 2024-01-01: energy energy: price: "),
        (FILE.replace("EUR", "EUR\n    unit: USD"), "line 3: 'unit' is given twice; give it once"),
        (
            "tariffs: [",
            "line 1: expected YAML (expected the node content, but found '<stream end>')",
        ),
        ("tariffs: &a [*a]", "line 1: expected no reference (*)"),
        ("\0", "expected YAML ("),
        ("", "expected"),
    ],
)
def test_a_mistake_is_one_line_that_names_the_file(assets, text, line):
    assets.write_text("tariffs.yaml", text)
    with pytest.raises(LakeError) as caught:
        TariffStore(assets).read()
    message = str(caught.value)
    assert message.startswith(f"{assets.root}/tariffs.yaml: ")
    assert line in message
    assert "\n" not in message


def test_what_is_not_text_is_one_line(assets):
    with assets.open_output("tariffs.yaml") as out:
        out.write(b"\xff\xfe\x00")
    with pytest.raises(LakeError, match=r"tariffs.yaml: expected text in UTF-8"):
        TariffStore(assets).read()
