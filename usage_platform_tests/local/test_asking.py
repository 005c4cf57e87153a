"""A service is asked beside the supervisor, so that an answer that never comes holds nobody up."""

import threading

from usage_platform.local.asking import ASK_EVERY_S, MISSES_OF_ONE_THAT_HANGS, Asking
from usage_platform_tests.local.supervised import Clock


def test_an_ask_that_never_returns_holds_nobody_up_and_is_not_repeated(python_service):
    asked, never = [], threading.Event()

    def ask():
        asked.append(1)
        never.wait()
        return True

    clock = Clock()
    asking = Asking(ask, clock)
    found = []
    for _ in range(MISSES_OF_ONE_THAT_HANGS + 1):
        clock.now += ASK_EVERY_S
        found.append(asking.hangs())
    never.set()
    assert found == [False] * MISSES_OF_ONE_THAT_HANGS + [True]
    assert asked == [1]
