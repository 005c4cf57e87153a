"""How a file of meter readings is understood, and how its rows become readings."""
