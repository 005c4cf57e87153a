"""Attacks on a running platform, as docs/security.md lists them: `make abuse`."""
