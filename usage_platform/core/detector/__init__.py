"""The detector: what a meter should have read, how odd what it read is, and what that means."""
