"""Kills at exact cuts, and what is lost or doubled by them: `make faults`."""
