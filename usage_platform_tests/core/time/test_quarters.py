from datetime import date

import pytest

from usage_platform.core.time.quarters import first_of_quarter, quarter_label


@pytest.mark.parametrize("month", range(1, 13))
def test_each_month_is_in_the_quarter_that_begins_with_one_of_four(month):
    day = date(2024, month, 29)
    number = 1 + [month in (1, 2, 3), month in (4, 5, 6), month in (7, 8, 9), month > 9].index(True)
    assert first_of_quarter(day) == date(2024, (1, 4, 7, 10)[number - 1], 1)
    assert quarter_label(day) == f"2024-Q{number}"
