"""The address of a Spark Connect service as it may be shown.

Belongs here: what of a URL is no secret. Not here: sessions (`session`).
"""


def without_parameters(url: str) -> str:
    """A Spark Connect URL without its parameters, which may hold a token: `sc://host:port`."""
    address, has_parameters, _ = url.partition(";")
    return address.removesuffix("/") if has_parameters else url
