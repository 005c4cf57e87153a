"""A client that ticks share is lent to one at a time, and not again after a failure."""

import pytest

from usage_platform.services.kept_client import ClientBusyError, KeptClient


class Client:
    """Fails to close, as a consumer does whose broker is gone."""

    closes = True

    def __init__(self, *made_from):
        self.made_from = made_from
        self.is_closed = False

    def close(self):
        self.is_closed = True
        if not self.closes:
            raise ConnectionError("cannot close")


class Unclosable(Client):
    """A client that always fails to close."""

    closes = False


def fail(kept):
    """A tick that fails; its client is noted."""
    with kept.borrowed("kafka", "reader") as client:
        lent.append(client)
        raise ZeroDivisionError


lent: list[Client] = []


def ask(kept):
    with kept.borrowed("kafka", "reader") as client:
        return client


def test_ticks_share_a_client_until_one_fails():
    kept = KeptClient(Client)
    with kept.borrowed("kafka", "reader") as first, pytest.raises(ClientBusyError):
        ask(kept)
    with pytest.raises(ZeroDivisionError):
        fail(kept)
    assert lent.pop() is first
    assert first.is_closed
    assert ask(kept) is not first


def test_a_client_that_failed_to_close_is_not_lent_again():
    kept = KeptClient(Unclosable)
    with pytest.raises(ConnectionError):
        fail(kept)
    assert not ask(kept).is_closed


def test_other_brokers_get_a_new_client_though_the_old_one_failed_to_close():
    kept = KeptClient(Unclosable)
    with kept.borrowed("kafka", "reader"):
        pass
    with pytest.raises(ConnectionError), kept.borrowed("another", "reader"):
        pass
    with kept.borrowed("another", "reader") as client:
        assert client.made_from == ("another", "reader")
        assert not client.is_closed
