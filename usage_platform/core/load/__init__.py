"""A meter's load over time: figures and series that people look at."""
