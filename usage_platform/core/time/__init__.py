"""Time: units, the local clock and its changes, opening hours, calendars of rest days."""
