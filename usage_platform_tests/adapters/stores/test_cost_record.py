"""From what the months of `usage_cost` were computed: kept by month, refused when damaged."""

import pytest

from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.stores.cost_record import CostRecord


@pytest.fixture
def assets(tmp_path):
    return LakeFiles(str(tmp_path))


def test_each_month_has_its_last_digest(assets):
    record = CostRecord(assets)
    assert record.read() == {}
    for month, digest in (("2024-03", "a"), ("2024-04", "b"), ("2024-03", "c")):
        record.write(month, digest)
    assert CostRecord(assets).read() == {"2024-03": "c", "2024-04": "b"}


@pytest.mark.parametrize("text", ["[1]", '{"2024-03": 1}', "{"])
def test_a_damaged_file_is_one_line_and_is_not_overwritten(assets, text):
    assets.write_text("usage_cost.json", text)
    record = CostRecord(assets)
    with pytest.raises(LakeError, match=r"usage_cost.json: damaged \("):
        record.read()
    with pytest.raises(LakeError, match=r"usage_cost.json: damaged \("):
        record.write("2024-03", "a")
    assert assets.read_text("usage_cost.json") == text
