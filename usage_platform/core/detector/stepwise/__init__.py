"""The stepwise scorer: one reading at a time, with the same result as scoring a series."""
