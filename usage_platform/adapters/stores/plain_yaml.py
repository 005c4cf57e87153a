"""YAML files that people write, as plain values, or one line that says what is wrong.

Belongs here: YAML. Not here: the text of a file (`written_text`), what it means (`core`).
"""

from collections import Counter
from typing import Any

import yaml
from yaml.composer import Composer
from yaml.constructor import BaseConstructor
from yaml.parser import Parser


def plain_yaml(text: str) -> Any:  # noqa: ANN401 - any YAML
    """The content of a YAML text: dictionaries, lists, texts, numbers, dates; None if it is empty.

    Raises:
        ValueError: In one line with the line's number: text that is no YAML, a key given twice, a
            reference, a tag that names a type.
    """
    return _content(text, _Values)


def yaml_texts(text: str) -> Any:  # noqa: ANN401 - any YAML
    """The content of a YAML text as dictionaries, lists and texts.

    Numbers stay texts: a price must not pass through a binary fraction, and YAML 1.1 reads 22:00 as
    1,320 and NO as false.

    Raises:
        ValueError: As for `plain_yaml`.
    """
    return _content(text, _Texts)


class _Strict(Parser, Composer, BaseConstructor):
    """Plain values alone: no key twice, no references, which could grow without bound."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise _at(self.peek_event().start_mark, "expected no reference (*)")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = Counter(self.construct_object(key) for key, _ in node.value)
        twice = [key for key, count in keys.items() if count > 1]
        if twice:
            raise _at(node.start_mark, f"{twice[0]!r} is given twice; give it once")
        return super().construct_mapping(node, deep)


class _Values(_Strict, yaml.SafeLoader):
    """YAML's own types."""


class _Texts(_Strict, yaml.BaseLoader):
    """Every scalar as it is written."""


def _content(text: str, loader: type[_Values | _Texts]) -> Any:  # noqa: ANN401 - any YAML
    try:
        return yaml.load(text, loader)  # noqa: S506 - none of them makes objects
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = "" if mark is None else f"line {mark.line + 1}: "
        raise ValueError(f"{where}expected YAML ({error.problem})") from None
    except (yaml.YAMLError, RecursionError, TypeError) as error:
        reason = next(iter(str(error).splitlines()), "")
        raise ValueError(f"expected YAML ({reason})") from None


def _at(mark: yaml.Mark, problem: str) -> ValueError:
    return ValueError(f"line {mark.line + 1}: {problem}")
