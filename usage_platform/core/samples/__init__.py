"""Samples of live meters: what devices send at any rate becomes one reading per interval."""
