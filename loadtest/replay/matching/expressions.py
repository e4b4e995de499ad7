"""Regular expressions and JSONPaths of rules, bounded: a rule is written by a client and runs on every request.

Expressions run on RE2, in time linear to the text, so nothing can backtrack; look-around and back-references do not
compile there. A JSONPath (RFC 9535) may look at MOST_STEPS nodes, which bounds it the same way on any machine; a
clock stands behind that for steps that are long each. Texts and bodies above their limits are not looked at.
"""

import time
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import re2
from jsonpath import JSONPath, JSONPathEnvironment, JSONPathMatch
from jsonpath.exceptions import JSONPathError
from jsonpath.filter import BaseExpression, FilterQuery
from jsonpath.function_extensions import ExpressionType, FilterFunction
from jsonpath.selectors import Filter as FilterSelector

LONGEST_PATTERN = 1_000  # characters
LONGEST_PATH = 500
LONGEST_TEXT = 64 << 10  # of a header's value
LARGEST_BODY = 1 << 20  # bytes of a body that a JSONPath looks into
MOST_STEPS = 10_000
LONGEST_LOOK_S = 0.5


class Exhausted(Exception):
    """A JSONPath looked at more than it may."""


def _options() -> Any:
    options = re2.Options()
    options.max_mem = 1 << 20
    options.log_errors = False
    return options


OPTIONS = _options()


@lru_cache(maxsize=2_000)
def pattern(text: str) -> Any:
    """The compiled expression. Raises ValueError with a sentence for a person."""
    if len(text) > LONGEST_PATTERN:
        raise ValueError(f"is longer than {LONGEST_PATTERN} characters")
    try:
        return re2.compile(text, OPTIONS)
    except re2.error as error:
        why = error.args[0].decode(errors="replace") if isinstance(error.args[0], bytes) else error.args[0]
        raise ValueError(f"is no regular expression (RE2): {why}") from None
    except UnicodeEncodeError:
        raise ValueError("is no regular expression (RE2): it holds half a character") from None


def found_in(expression: Any, text: str) -> bool:
    """True when the expression is found anywhere in the text."""
    if len(text) > LONGEST_TEXT:
        return False
    try:
        return expression.search(text) is not None
    except UnicodeEncodeError:
        return False


class _Budget:
    """Handed through an evaluation as its filter context, so that every node made can be counted."""

    def __init__(self) -> None:
        self.steps = 0
        self.until = time.monotonic() + LONGEST_LOOK_S

    def spend(self) -> None:
        self.steps += 1
        if self.steps > MOST_STEPS or (not self.steps % 64 and time.monotonic() > self.until):
            raise Exhausted


class _Node(JSONPathMatch):
    """A node that pays for itself, and does without the text of its path, which nobody reads."""

    __slots__ = ()

    def __init__(self, *, filter_context: Any, **members: Any) -> None:
        filter_context.spend()
        super().__init__(filter_context=filter_context, **members)

    def new_child(self, obj: object, key: int | str) -> "_Node":
        budget = self.filter_context()
        return _Node(filter_context=budget, obj=obj, parent=self, parts=(*self.parts, key), path="", root=self.root)


class _Path(JSONPath):
    """A path whose nodes are counted. The library's own would also read a text as JSON."""

    def finditer(self, data: Any, *, filter_context: Any = None) -> Any:
        nodes: Any = [_Node(filter_context=filter_context, obj=data, parent=None, path="", parts=(), root=data)]
        for segment in self.segments:
            nodes = segment.resolve(nodes)
        return nodes


def _counted(path: JSONPath) -> _Path:
    """The path, and each one inside its filters, as one that is counted."""
    for segment in path.segments:
        for selector in segment.selectors:
            if isinstance(selector, FilterSelector):
                _count_inside(selector.expression)
    return _Path(env=ENVIRONMENT, segments=path.segments)


def _count_inside(expression: BaseExpression) -> None:
    if isinstance(expression, FilterQuery):
        expression.path = _counted(expression.path)
        return
    for child in expression.children():
        _count_inside(child)


class _Regex(FilterFunction):
    """`match` and `search` of RFC 9535 on RE2."""

    arg_types = [ExpressionType.VALUE, ExpressionType.VALUE]
    return_type = ExpressionType.LOGICAL

    def __init__(self, form: str) -> None:
        self.form = form

    def __call__(self, value: object, text: object) -> bool:
        if not isinstance(value, str) or not isinstance(text, str):
            return False
        try:
            return found_in(pattern(self.form.format(text)), value)
        except ValueError:
            return False  # RFC 9535: an expression that cannot be read selects nothing


class _Environment(JSONPathEnvironment):
    def setup_function_extensions(self) -> None:
        super().setup_function_extensions()
        self.function_extensions["match"] = _Regex(r"\A(?:{})\z")
        self.function_extensions["search"] = _Regex("{}")


ENVIRONMENT = _Environment(strict=True)


@lru_cache(maxsize=2_000)
def json_path(text: str) -> Any:
    """The compiled path. Raises ValueError with a sentence for a person."""
    if len(text) > LONGEST_PATH:
        raise ValueError(f"is longer than {LONGEST_PATH} characters")
    try:
        path = ENVIRONMENT.compile(text)
    except (JSONPathError, RecursionError, ValueError, OverflowError) as error:
        why = str(error.args[0] if error.args else error).partition("\n")[0]
        raise ValueError(f"is no JSONPath (RFC 9535): {why}") from None
    if not isinstance(path, JSONPath):
        raise ValueError("is no JSONPath (RFC 9535): it joins several")
    return _counted(path)


def selected(path: Any, value: Any) -> Iterator[JSONPathMatch]:
    """The nodes that a path selects, one by one. Raises Exhausted."""
    try:
        yield from path.finditer(value, filter_context=_Budget())
    except (JSONPathError, RecursionError):
        raise Exhausted from None
