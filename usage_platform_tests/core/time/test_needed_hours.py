"""When a building is needed, as it is written."""

from usage_platform.core.time.needed_hours import NeededHours, written_schedule


def test_a_schedule_leaves_out_the_days_on_which_it_is_closed():
    hours = NeededHours(480, 1440)
    assert written_schedule((hours, None, hours)) == "weekdays 08:00-24:00, sundays 08:00-24:00"
