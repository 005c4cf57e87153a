"""Whether a service that became ready still answers: asked now and then, beside all else.

Belongs here: when it is asked, and when too many answers are missing. Not here: how a service is
asked (its own file), or what becomes of one that hangs (supervisor).

Answers are counted, and not the time without one: after a machine has slept, or stood still, one
is missing at most.
"""

import threading
from collections.abc import Callable

ASK_EVERY_S = 10.0
MISSES_OF_ONE_THAT_HANGS = 6


class Asking:
    """Asks one service again and again, each time in a thread of its own, one at a time.

    All methods belong to one thread, which never waits for an answer.
    """

    def __init__(self, ask: Callable[[], bool], clock: Callable[[], float]) -> None:
        """Begin with a service that has just answered.

        Args:
            ask: Asks it once; may hang.
            clock: Seconds that only go forward.
        """
        self._ask = ask
        self._clock = clock
        self._asked = clock()
        self._asker: threading.Thread | None = None
        self._has_answered = True
        self._misses = 0

    def hangs(self) -> bool:
        """Whether too many answers in a row are missing; asks the next time when that is due."""
        if self._clock() - self._asked >= ASK_EVERY_S:
            self._asked = self._clock()
            self._misses = 0 if self._has_answered else self._misses + 1
            self._ask_unless_asking()
        return self._misses >= MISSES_OF_ONE_THAT_HANGS

    def _ask_unless_asking(self) -> None:
        if self._asker is not None and self._asker.is_alive():
            return
        self._has_answered = False
        # Nobody who stops the services waits for an answer.
        self._asker = threading.Thread(target=self._note_answer, daemon=True, name="asking")
        self._asker.start()

    def _note_answer(self) -> None:
        self._has_answered = self._ask()
