"""When an attack counts as held, and that docs/security.md lists the attacks that are tried."""

import json
import re

import pytest

from usage_platform_tests.repository import ROOT
from usage_platform_tests.tools.abuse import connection_attacks, other_user, web_attacks
from usage_platform_tests.tools.abuse.attack import (
    Attack,
    By,
    Outcome,
    Tried,
    Verdict,
    exit_code,
    line_of,
    one_line,
    tried,
    verdict_of,
    worked,
)
from usage_platform_tests.tools.abuse.connection_attacks import has_trace
from usage_platform_tests.tools.abuse.good_readings import RESTART
from usage_platform_tests.tools.abuse.hostile_messages import ALL_TOPICS, KINDS
from usage_platform_tests.tools.abuse.target import Target

DOCS = (ROOT / "docs" / "security.md").read_text("utf-8")
REFUSED = Attack("a form", By.PAGE)
STATED = Attack("publishing", By.USER, "every user can publish")
_COLUMN = re.compile(r"^\| .* \| `([^`]+)` \| `[^|]*\|$", re.MULTILINE)


def _attacks() -> list[Attack]:
    modules = (web_attacks, connection_attacks, other_user)
    found = [one for module in modules for one in vars(module).values() if type(one) is Attack]
    return [*found, RESTART, *(Attack(kind.name, By.WRITER) for kind in KINDS)]


@pytest.mark.parametrize(
    ("attack", "outcome", "docs", "verdict"),
    [
        (REFUSED, Outcome.REFUSED, "", Verdict.HELD),
        (REFUSED, Outcome.WORKED, "", Verdict.WORKS),
        (STATED, Outcome.WORKED, "So every user\ncan publish.", Verdict.KNOWN_LIMIT),
        (STATED, Outcome.WORKED, "Nothing is said of it.", Verdict.WORKS),
        (STATED, Outcome.REFUSED, "every user can publish", Verdict.DOCS_ARE_WRONG),
        (STATED, Outcome.REFUSED, "", Verdict.HELD),
        (REFUSED, Outcome.NOT_TRIED, "", Verdict.NOT_TRIED),
        (STATED, Outcome.NOT_TRIED, "every user can publish", Verdict.NOT_TRIED),
        (REFUSED, Outcome.LEFT_OUT, "", Verdict.LEFT_OUT),
    ],
)
def test_an_attack_that_works_is_fine_only_where_the_docs_say_so(attack, outcome, docs, verdict):
    assert verdict_of(attack, outcome, docs) is verdict


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [
        ([Verdict.HELD, Verdict.KNOWN_LIMIT, Verdict.LEFT_OUT], 0),
        ([Verdict.HELD, Verdict.WORKS], 1),
        ([Verdict.HELD, Verdict.NOT_TRIED], 1),
        ([Verdict.HELD, Verdict.DOCS_ARE_WRONG], 1),
        ([], 1),
    ],
)
def test_the_exit_code_is_0_only_where_all_was_tried_and_is_as_documented(verdicts, code):
    assert exit_code(verdicts) == code


def test_an_attack_that_fails_by_itself_shows_nothing_and_is_not_held():
    def breaks() -> Tried:
        raise ConnectionResetError("two\nlines")

    result = tried(breaks)
    assert result.outcome is Outcome.NOT_TRIED
    line = line_of(REFUSED, "the page", Verdict.NOT_TRIED, result.seen)
    assert line == (
        "NOT TRIED: a form, a foreign web page, on the page (ConnectionResetError: two lines)"
    )


def test_what_only_root_can_try_is_left_out_for_others(monkeypatch):
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    nowhere = Target("", "", "", "", "", "", 0, 0, (), "", "")
    found = other_user.outcomes(nowhere)
    assert set(found) == set(other_user.ATTACKS)
    assert {result.outcome for result in found.values()} == {Outcome.LEFT_OUT}


def test_a_try_either_worked_or_was_refused():
    assert worked(True, 200) == Tried(Outcome.WORKED, "200")
    assert worked(False, 403) == Tried(Outcome.REFUSED, "403")


def test_a_stack_trace_is_recognised():
    try:
        raise ValueError
    except ValueError:
        import traceback

        assert has_trace(traceback.format_exc())
        assert has_trace(json.dumps({"stack": traceback.format_exc().splitlines()[1:]}))
    assert not has_trace('{"error": "the request failed; the page\'s log has the reason"}')


def test_the_security_page_lists_each_attack_that_is_tried_and_no_other():
    names = {attack.name for attack in _attacks()}
    assert len(names) == len(_attacks())
    assert [name for name in sorted(names) if f"`{name}`" not in DOCS] == []
    assert {*_COLUMN.findall(DOCS)} - {"make abuse"} <= names
    assert len(_COLUMN.findall(DOCS)) > 20


def test_each_limit_that_is_expected_is_stated():
    limits = [attack.limit for attack in _attacks() if attack.limit]
    assert len(limits) >= 2
    assert [limit for limit in limits if one_line(limit) not in one_line(DOCS)] == []


def test_each_kind_of_message_has_messages_for_each_of_its_topics():
    for kind in KINDS:
        for topic in kind.topics:
            assert topic in ALL_TOPICS
            if "MB" not in kind.name and "large" not in kind.name:
                assert [*kind.of_topic(topic)], (kind.name, topic)
