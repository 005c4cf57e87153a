"""Alerts: which messages become one, in which words, and where they can go."""
