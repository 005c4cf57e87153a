"""The record of the last computation of findings: kept, refused when damaged."""

from datetime import UTC, datetime

import pytest

from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.stores.findings_record import FindingsRecord, FindingsRun

RUN = FindingsRun(
    as_of=datetime(2024, 6, 20, 8, 33, tzinfo=UTC), digest="a", meters=2, failed={"b": "why"}
)


def test_the_last_computation_is_kept(tmp_path):
    record = FindingsRecord(LakeFiles(str(tmp_path)))
    assert record.read() is None
    record.write(RUN.model_copy(update={"digest": "b"}))
    record.write(RUN)
    assert FindingsRecord(LakeFiles(str(tmp_path))).read() == RUN


@pytest.mark.parametrize("text", ["[1]", '{"as_of": "2024-06-20T08:33"}', "{"])
def test_a_damaged_file_is_one_line(tmp_path, text):
    assets = LakeFiles(str(tmp_path))
    assets.write_text("usage_findings.json", text)
    with pytest.raises(LakeError, match=r"usage_findings.json: damaged \("):
        FindingsRecord(assets).read()
