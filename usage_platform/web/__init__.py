"""The analyst's page: its HTTP API, and the page itself in `static`.

Belongs here: routes, one concern per file. Not here: calculations (`core`), reading the lake and
the topics (`adapters`), starting the server as a service (`local`).
"""
