"""Forecast: the next 24 hours of a meter's power, its month's energy and its peak."""
