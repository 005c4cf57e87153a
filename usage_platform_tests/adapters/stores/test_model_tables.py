from usage_platform.adapters.stores.model_tables import from_tables, to_tables
from usage_platform.core.detector.options import TrainingOptions
from usage_platform.core.detector.train import train
from usage_platform_tests.core.detector.series import DAY, HOURLY, MONDAY, NO_CALENDAR, library


def test_the_names_of_what_is_stored_do_not_follow_the_names_of_fields():
    model = train(*library(70), HOURLY, TrainingOptions(NO_CALENDAR), MONDAY + 70 * DAY)
    described, tables = to_tables({"m": model})
    assert set(described[0]) >= {
        *("meter", "method", "country", "subdivision", "closed", "until", "days_learned"),
        *("days_left", "bar", "stuck_after", "until_day", "weights", "long_calm", "short_calm"),
        "levels",
    }
    assert set(described[0]["weights"]) == {
        *("slow", "daily", "quick", "slow_spread", "daily_spread"),
    }
    assert set(tables["arrays"]["name"].to_pylist()) == {
        *("zeros_are_usual", "expected", "spread", "long_spread", "short_spread", "week_spread"),
        "roots",
    }
    assert tables["nodes"].column_names == [
        *("meter", "feature", "threshold", "left", "right", "share"),
    ]
    read = from_tables(described, tables)["m"]
    assert (read.threshold, read.flatline_after) == (model.threshold, model.flatline_after)
