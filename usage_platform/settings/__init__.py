"""Settings: environment variables `USAGE_*`, typed and validated."""
