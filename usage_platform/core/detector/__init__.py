"""The detector: expected values, deviations and anomaly scores of a meter's readings."""
