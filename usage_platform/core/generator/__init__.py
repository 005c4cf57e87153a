"""The generator: a synthetic building, faults with known times, and which of them were found."""
