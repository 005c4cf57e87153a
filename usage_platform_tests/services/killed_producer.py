"""A transactional producer whose process ends at a place within a transaction."""

from confluent_kafka import Producer

PLACES = ("before produce", "after produce", "after offsets", "after commit")


class KilledError(Exception):
    """In place of a kill: nothing of the process runs after it."""


def killed_at(place):
    class Killed(Producer):
        def begin_transaction(self):
            super().begin_transaction()
            self._stop_at("before produce")

        def send_offsets_to_transaction(self, *given):
            self.flush(30)
            self._stop_at("after produce")
            super().send_offsets_to_transaction(*given)

        def commit_transaction(self, *given):
            self._stop_at("after offsets")
            super().commit_transaction(*given)
            self._stop_at("after commit")

        def _stop_at(self, here):
            if here == place:
                raise KilledError

    return Killed
