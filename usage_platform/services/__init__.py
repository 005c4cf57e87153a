"""Use cases, one a file, with plain arguments: no Dagster, no console, no web server."""
