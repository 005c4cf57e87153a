from datetime import date

import pytest

from usage_platform.core.time.calendar import Calendar, calendar_named


def rests(calendar, day):
    number = day.toordinal() - date(1970, 1, 1).toordinal()
    return calendar.rest_days(number, number).tolist() == [number]


@pytest.mark.parametrize("country", [None, "-"])
def test_no_country_has_no_holidays(country):
    assert calendar_named(country) == Calendar()


def test_a_part_of_a_country_has_holidays_of_its_own():
    patriots_day = date(2024, 4, 15)
    assert rests(calendar_named("US-MA"), patriots_day)
    assert not rests(calendar_named("US"), patriots_day)
    assert rests(calendar_named("US"), date(2024, 7, 4))


def test_closing_days_are_read_without_comments_and_empty_lines():
    lines = ["# moving out", "", "2024-07-05  # day after", " 2024-12-24 "]
    calendar = calendar_named("-", lines)
    assert calendar.closed == (date(2024, 7, 5), date(2024, 12, 24))
    assert rests(calendar, date(2024, 7, 5))


@pytest.mark.parametrize("country", ["XX", "US-XX", "us-ma-x", ""])
def test_a_country_that_is_not_known_is_named_with_what_to_give(country):
    with pytest.raises(ValueError, match=r"holidays: .* is not known; give a country such as US"):
        calendar_named(country)


@pytest.mark.parametrize("text", ["2024-02-30", "5 July", "2024"])
def test_a_day_that_cannot_be_read_is_named_with_its_line(text):
    with pytest.raises(ValueError, match=r"line 2 is .*expected a day like 2024-07-05"):
        calendar_named("-", ["2024-07-05", text])
