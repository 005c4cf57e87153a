"""A process without YAML, as jobs on EMR are."""

import builtins
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def no_yaml() -> Iterator[None]:
    """No YAML can be imported."""
    real = builtins.__import__

    def without(name: str, *args: object, **kwargs: object) -> object:
        if name == "yaml" or name.endswith("plain_yaml"):
            raise ImportError(name)
        return real(name, *args, **kwargs)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(builtins, "__import__", without)
        yield
