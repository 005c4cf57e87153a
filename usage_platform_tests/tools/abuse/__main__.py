"""Starts a platform, attacks it, and prints a line for each attack: `make abuse`.

Ends with 1 where an attack works and docs/security.md does not say so, or could not be tried.
"""

import sys
import time
from collections.abc import Iterator
from itertools import count

import click
import requests

from usage_platform_tests.e2e.conftest import Platform
from usage_platform_tests.repository import ROOT
from usage_platform_tests.tools.abuse import connection_attacks, other_user, web_attacks
from usage_platform_tests.tools.abuse.attack import (
    Attempt,
    Verdict,
    exit_code,
    line_of,
    tried,
    verdict_of,
)
from usage_platform_tests.tools.abuse.good_readings import GoodReadings
from usage_platform_tests.tools.abuse.target import Target, attacked_platform
from usage_platform_tests.tools.abuse.web_attacks import Site

_SECURITY = ROOT / "docs" / "security.md"
_numbers = count(1)
_FAILING_QUERY = '{ runsFeedOrError(limit: 1, cursor: "none", view: RUNS) { __typename } }'


@click.command()
@click.option("--only", "word", default="", help="Only attacks whose name holds this.")
def main(word: str) -> None:
    """Attack a platform in a temporary folder, on the loopback interface only."""
    began = time.monotonic()
    docs = _SECURITY.read_text("utf-8")
    with attacked_platform() as (platform, target):
        print(f"the platform runs after {time.monotonic() - began:.0f} s", flush=True)
        verdicts = [
            _told(attempt, docs)
            for attempt in _attempts(platform, target)
            if word in attempt.attack.name
        ]
    counts = {verdict: verdicts.count(verdict) for verdict in Verdict if verdict in verdicts}
    print(", ".join(f"{count} {verdict}" for verdict, count in counts.items()) or "no attack")
    print(f"took {time.monotonic() - began:.0f} s")
    sys.exit(exit_code(verdicts))


def _told(attempt: Attempt, docs: str) -> Verdict:
    """Try an attack, and print its result."""
    result = tried(attempt.run)
    verdict = verdict_of(attempt.attack, result.outcome, docs)
    print(line_of(attempt.attack, attempt.on, verdict, result.seen), flush=True)
    return verdict


def _attempts(platform: Platform, target: Target) -> Iterator[Attempt]:
    good = GoodReadings(platform, target.page)
    # Before any attack, so that a failure later on is the attack's; the last one is an anomaly.
    if missing := good.come_through():
        sys.exit(f"before any attack a good reading is not in {missing}")
    found = other_user.outcomes(target)
    yield from (
        Attempt(attack, "the machine", lambda result=result: result)
        for attack, result in found.items()
    )
    page, dagster = _page(platform, target), _dagster(target)
    for site in (page, dagster):
        yield from web_attacks.attempts(site)
        yield from connection_attacks.attempts(site)
    yield from connection_attacks.attempts_on_page(page, "api/stream")
    yield connection_attacks.attempt_on_graphql(dagster, _FAILING_QUERY)
    yield from good.attempts()


def _page(platform: Platform, target: Target) -> Site:
    deployment = platform.deployment()

    def review() -> dict[str, str]:
        episodes = requests.get(f"{target.page}/api/episodes", timeout=60).json()["episodes"]
        newest = {"meter": episodes[0]["meter"], "episode": episodes[0]["name"]}
        return {**newest, "act": "acknowledge"}

    return Site(
        name="the page",
        url=target.page,
        reads=("api/meters", "api/overview", "api/series", "api/episodes", "api/export?what=hours"),
        changes="api/reviews",
        change=review,
        state=lambda: len(deployment.reviews.read()),
        websocket="api/stream",
    )


def _dagster(target: Target) -> Site:
    def limits() -> object:
        query = {"query": "{ instance { concurrencyLimits { concurrencyKey } } }"}
        return requests.post(f"{target.ui}/graphql", json=query, timeout=60).json()

    def limit() -> dict[str, str]:
        key = f"key{next(_numbers)}"
        return {"query": f'mutation {{ setConcurrencyLimit(concurrencyKey: "{key}", limit: 1) }}'}

    return Site(
        name="Dagster's pages",
        url=target.ui,
        reads=("server_info",),
        changes="graphql",
        change=limit,
        state=limits,
        websocket="graphql",
    )


if __name__ == "__main__":
    main()
