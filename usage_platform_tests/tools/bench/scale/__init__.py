"""How the cost of each stage grows with meters and months: `make bench-scale`."""
