"""The analyst's page: what it asks for over HTTP, and the page itself in `static`.

Belongs here: routes, one concern a file. Not here: calculations (`core`), reading the lake and the
topics (`adapters`), starting the server as a service (`local`).
"""
