"""What people look at: a meter's power over time, and what follows from it. Pure."""
