"""What training cannot use is told in one line."""

import pytest

from usage_platform_tests.defs.model_assets.trained import why_not


def test_before_there_are_readings_training_is_one_line(train):
    assert why_not(train).startswith("readings: the table is empty")
    assert why_not(train, until="2024-02-05").startswith("readings: no such table yet")


@pytest.mark.parametrize(
    ("config", "line"),
    [
        ({"until": "yesterday"}, "until: expected a day like 2024-03-05, got 'yesterday'"),
        ({"method": "magic"}, "method: expected one of forest, robust_z, blog, got 'magic'"),
        ({"false_alarms_per_week": 9.0}, "expected false alarms a week above 0 and below 7"),
        ({"meters": ["m", "n"]}, "readings: nothing of n in the history"),
    ],
)
def test_a_config_that_cannot_be_used_is_one_line(train, fill, store, config, line):
    fill("m", days=3)
    assert line in why_not(train, **config)
    assert store.candidates() == []


def test_closing_days_that_cannot_be_read_are_one_line(train, fill, tmp_path, monkeypatch):
    closed = tmp_path / "closed.txt"
    closed.write_text("2024-07-05\nthe fifth of July\n")
    monkeypatch.setenv("USAGE_CLOSED_DAYS", str(closed))
    fill("m", days=3)
    line = why_not(train)
    assert line.startswith("USAGE_CLOSED_DAYS=")
    assert "line 2 is 'the fifth of July'" in line
