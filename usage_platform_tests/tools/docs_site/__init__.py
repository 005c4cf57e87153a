"""The documentation site of `make docs`."""
