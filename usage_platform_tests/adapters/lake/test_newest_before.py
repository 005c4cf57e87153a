"""Which hours a batch closes is known from the rows of its own meters only."""

import pandas as pd

from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import USAGE_HOURLY
from usage_platform.adapters.lake.usage_events import newest_before

NOW = pd.Timestamp("2024-03-05T12:00:00Z")
LAST = {
    "in the batch": NOW - pd.Timedelta(hours=2),
    "silent for months": NOW - pd.Timedelta(days=100),
    **{f"other {number}": NOW - pd.Timedelta(hours=1) for number in range(20)},
}


def test_rows_of_other_meters_are_not_read_whoever_is_new_or_comes_back(
    lake, write_table, monkeypatch
):
    hours = pd.DataFrame(
        [(name, last - pd.Timedelta(hours=back)) for name, last in LAST.items() for back in (1, 0)],
        columns=["meter", "last_reading"],
    )
    start = hours["last_reading"]
    write_table(
        lake,
        USAGE_HOURLY,
        hours.assign(start=start, event_date=start.dt.date, expected_n=12, unit="m3/h"),
    )
    read, scan = [], LakeReader.scan

    def counted(*args, **named):
        for batch in scan(*args, **named):
            read.append(batch.num_rows)
            yield batch

    monkeypatch.setattr(LakeReader, "scan", counted)
    newest = pd.Series(NOW, index=["in the batch", "silent for months", "new"])
    before = newest_before(lake, newest)
    assert before.to_dict() == {name: LAST[name] for name in newest.index if name in LAST}
    assert sum(read) == 4
