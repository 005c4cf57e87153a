"""Processes that change one file at once lose none of their changes."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest

from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.lake.shared_json import SharedJson
from usage_platform.adapters.stores.labels import LabelStore
from usage_platform.core.feedback.labels import Verdict

EACH = 25
_LABELLING = f"""
import sys
import pandas as pd
from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.stores.labels import LabelStore
from usage_platform.core.feedback.labels import Verdict

store = LabelStore(LakeFiles(sys.argv[1]))
start = pd.Timestamp("2024-03-05T12:00Z")
for number in range({EACH}):
    end = start + pd.Timedelta(minutes=number + 1)
    store.add(sys.argv[2], start, end, Verdict.TRUE, str(number))
"""


def test_processes_that_label_at_once_keep_each_others_labels(tmp_path):
    command = (sys.executable, "-c", _LABELLING, str(tmp_path))
    processes = [subprocess.Popen((*command, meter)) for meter in "abcd"]
    assert [process.wait() for process in processes] == [0] * 4
    kept = LabelStore(LakeFiles(str(tmp_path))).read()
    assert kept.groupby("meter").size().to_dict() == dict.fromkeys("abcd", EACH)


@pytest.mark.aws
def test_labels_given_at_once_on_s3_are_all_kept(s3_lake):
    start = pd.Timestamp("2024-03-05T12:00Z")

    def label(meter):
        store = LabelStore(LakeFiles(s3_lake.assets))
        for number in range(5):
            end = start + pd.Timedelta(minutes=number + 1)
            store.add(meter, start, end, Verdict.TRUE, "")

    with ThreadPoolExecutor() as threads:
        list(threads.map(label, "abc"))
    kept = LabelStore(LakeFiles(s3_lake.assets)).read()
    assert kept.groupby("meter").size().to_dict() == dict.fromkeys("abc", 5)


def test_a_change_starts_from_nothing_where_the_file_is_missing_and_refuses_a_damaged_one(tmp_path):
    files = LakeFiles(str(tmp_path))
    SharedJson(files, "some").change(lambda found: [found])
    assert files.read_json("some.json") == [None]
    files.write_text("some.json", "{")
    with pytest.raises(LakeError, match=r"some\.json: damaged"):
        SharedJson(files, "some").change(lambda found: [found])
    assert files.read_text("some.json") == "{"
