"""Patterns that users write, within limits: regular expressions, globs and JMESPath.

They are applied to remote text on the event loop. So each has limits of length, depth and size, checked when
it is read (``UsageError``), and each use has a limit of work (``TooSlow``). Remote text becomes part of a
pattern only through ``literal`` or ``literal_glob``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from fnmatch import translate
from functools import cache
from typing import Any

from tavus_cli.errors import NotMet, UsageError, did_you_mean

LONGEST = 2_000  # characters of a regular expression
LONGEST_PLAIN = 200  # of these, characters in a row without a wildcard
LONGEST_GLOB = 200
LONGEST_NAME = 2_000  # characters of the name a glob is compared with; a longer one matches only "*"
LONGEST_EXPRESSION = 2_000  # characters of JMESPath
DEEPEST = 40  # levels of parentheses
DEEPEST_EXPRESSION = 100  # levels of JMESPath, where each || is one
MOST_PARTS = 10_000  # of a regular expression once it is compiled: "(ab){100}" has 200
LONGEST_TEXT = 4_000_000  # characters; within plain steps ``regex`` does not look at the clock

QUICK_SECONDS = 0.0002  # seconds for one text; more counts as slow
SLOW_SECONDS = 0.01  # seconds for one text at most
SLOW_TEXTS = 5  # slow searches allowed …
QUICK_TEXTS = 128  # … and one more after this many quick ones

MOST_STEPS = 100_000  # steps of JMESPath for one value at most, also when saved up
STEPS = 1_000  # steps that each value adds to those saved up
MOST_GROWTH = 1_000  # how many times an expression may multiply its input

_BREAK = r"[.|*+^$]|\\[wWdDsSbB]"  # ends a plain text
_COUNT = r"\s*(?:\+|\{\s*(\d{1,9}))"
_PIECE = 64  # characters of literal text between two pieces that match nothing
_GLOB_SIGN = r"[*?[]"


class TooSlow(NotMet):
    """A pattern takes too long on a text."""


# -- regular expressions -----------------------------------------------------------------------------------


class Pattern:
    """A regular expression in the syntax of the ``regex`` package. Raises UsageError if it is not valid.

    ``search`` is for a single text; ``search_many`` is for one text of many, where the whole batch must not
    hold up the event loop. Both raise TooSlow.
    """

    def __init__(self, text: str, *, ignore_case: bool = False) -> None:
        import regex  # like ``re``, but a search can be given a time limit

        self.text = text
        check_regex(text)
        try:
            self._search = regex.compile(text, regex.IGNORECASE if ignore_case else 0).search
        except regex.error as error:
            raise UsageError(f"{_shown(text)} is not a valid regular expression: {error.msg}") from None
        except (RecursionError, MemoryError, OverflowError, ValueError, KeyError, IndexError):
            raise UsageError(f"{_shown(text)} is not a valid regular expression") from None
        self._credit = SLOW_TEXTS * QUICK_TEXTS

    def search(self, text: str, seconds: float = SLOW_SECONDS) -> Any:
        """The match, as of ``re``, or None."""
        if len(text) > LONGEST_TEXT:
            raise TooSlow(f"a text of {len(text):,} characters is too long for a pattern")
        try:
            return self._search(text, timeout=seconds)
        except (TimeoutError, MemoryError):
            raise TooSlow(
                f"the pattern {_shown(self.text)} takes too long on a text of {len(text):,} characters; "
                "avoid a repetition inside a repetition"
            ) from None

    def search_many(self, text: str) -> Any:
        if len(text) > LONGEST_TEXT:
            return self.search(text)
        try:
            found = self._search(text, timeout=QUICK_SECONDS)
        except TimeoutError:
            self._credit -= QUICK_TEXTS
            return self.search(text, QUICK_SECONDS if self._credit < 0 else SLOW_SECONDS)
        if self._credit < SLOW_TEXTS * QUICK_TEXTS:
            self._credit = max(0, self._credit) + 1
        return found


class OwnPattern(Pattern):
    """A pattern that comes with the program, case ignored. It must be quick on any text.

    So it needs neither a check nor a time limit, and not the import of ``regex``, which takes longer than
    joining a simulation. It is compiled when first used.
    """

    def __init__(self, text: str) -> None:
        self.text = text

    def search(self, text: str, seconds: float = SLOW_SECONDS) -> Any:
        return re.search(self.text, text, re.IGNORECASE)

    search_many = search


def literal(text: str) -> str:
    """A regular expression that matches only this text."""
    return ".{0}".join(re.escape(text[at : at + _PIECE]) for at in range(0, len(text), _PIECE))


def check_regex(text: str) -> None:
    """Raises UsageError for a pattern that would take too long, or too much memory, to compile.

    ``regex`` expands minimum repetitions: "((a{100}){100}){100}" takes 290 MB. For plain text it builds a
    table in time cubic in the length: 2,000 characters take 7 s. This check does not parse parentheses and
    sets, so it may overestimate, but never underestimates.
    """
    if len(text) > LONGEST:
        raise UsageError(f"the pattern is too long: at most {LONGEST:,} characters")
    breaks, counts = re.compile(_BREAK).match, re.compile(_COUNT).match
    sizes, last, at, plain = [0], 0, 0, 0
    while at < len(text):
        plain = 0 if breaks(text, at) else plain + 1
        if plain > LONGEST_PLAIN:
            raise UsageError(f"the pattern has a plain text of over {LONGEST_PLAIN} characters: shorten it")
        sign, at = text[at], at + 1
        if sign == "(":
            sizes.append(0)
            if len(sizes) > DEEPEST + 1:
                raise UsageError(f"the pattern is nested too deep: at most {DEEPEST} levels of parentheses")
        elif sign == ")" and len(sizes) > 1:
            last = sizes.pop() + 1
            sizes[-1] += last
        elif (count := counts(text, at - 1)) is not None:
            at = count.end()
            times = 2 if count[1] is None else max(1, int(count[1]))
            sizes[-1] += last * (times - 1)
            last *= times
        else:
            at += sign == "\\"
            last = 1
            sizes[-1] += 1
        if sum(sizes) > MOST_PARTS:
            raise UsageError("the pattern repeats too much: use smaller counts")


# -- globs -------------------------------------------------------------------------------------------------


def is_glob(text: str) -> bool:
    return re.search(_GLOB_SIGN, text) is not None


def glob(text: str) -> Callable[[str], bool]:
    """A function that says whether a name matches; case counts. Raises UsageError if the glob is too long.

    ``fnmatch`` never backtracks over what a star has matched, so both lengths bound the work.
    """
    if len(text) > LONGEST_GLOB:
        raise UsageError(f"the pattern is too long: at most {LONGEST_GLOB} characters")
    if not is_glob(text):
        return lambda name: name == text
    try:
        match = re.compile(translate(text)).match
    except re.error:  # such as a range that runs backwards
        return lambda name: name == text
    return lambda name: match(name) is not None if len(name) <= LONGEST_NAME else text == "*"


def literal_glob(text: str) -> str:
    """A glob that matches only this text."""
    return re.sub(_GLOB_SIGN, lambda sign: f"[{sign[0]}]", text)


# -- JMESPath ----------------------------------------------------------------------------------------------


class Expression:
    """A JMESPath expression. Raises UsageError, with the place of the mistake."""

    def __init__(self, text: str) -> None:
        if len(text) > LONGEST_EXPRESSION:
            raise UsageError(f"the expression is too long: at most {LONGEST_EXPRESSION:,} characters")
        from jmespath import compile
        from jmespath.exceptions import JMESPathError

        try:
            self._tree = compile(text).parsed
        except JMESPathError as error:
            reason = " ".join(str(error).split()).removesuffix(" ^")  # a caret is useless on one line
            raise UsageError(reason) from None
        except (RecursionError, ValueError, OverflowError):
            raise UsageError(_TOO_DEEP) from None
        _check_tree(self._tree)
        self._interpreter = _interpreter()
        self._credit = MOST_STEPS

    def top_fields(self) -> set[str]:
        """The field names that it looks up at the top of the value."""
        return {node["value"] for node in self._at_the_top() if node["type"] == "field"}

    def comparisons(self) -> list[tuple[str, str, Any]]:
        """Where it compares a field, by its path from the top, with a value.

        ("properties.role", "eq", "user") for "properties.role == 'user'".

        The second is a comparator (eq, ne, lt, …), starts_with, ends_with or contains; for a list that may
        contain the field it is eq, once for each value.
        """
        return [
            (path, how, value)
            for node in self._at_the_top()
            for one, other, how in _compared(node)
            if (path := _path(one)) is not None
            for value in _literals(other)
        ]

    def _at_the_top(self) -> Iterator[dict[str, Any]]:
        """The nodes that are applied to the value itself, not to a part of it."""
        nodes = [self._tree]
        while nodes:
            node = nodes.pop()
            yield node
            children = [one for one in node.get("children", ()) if isinstance(one, dict)]
            nodes += children[:1] if node["type"] in _INTO_PARTS else children

    def search(self, value: Any) -> Any:
        """The selected value. Raises JMESPath's errors, Python's for values that do not fit, and TooSlow."""
        interpreter = self._interpreter
        interpreter.left = min(MOST_STEPS, self._credit + STEPS)
        try:
            return interpreter.visit(self._tree, value)
        except _Spent:
            raise TooSlow("the expression takes too long on these messages; use a simpler one") from None
        finally:
            self._credit = max(0, interpreter.left)


_TOO_DEEP = f"the expression is nested too deep: at most {DEEPEST_EXPRESSION} levels"
_MAKERS = {  # nodes that create their result rather than find it
    *("flatten", "projection", "value_projection", "filter_projection", "slice"),
    *("multi_select_list", "multi_select_dict", "function_expression"),
}


def _compared(node: dict[str, Any]) -> list[tuple[Any, Any, str]]:
    """What may be a field, what may be values, and how they are compared."""
    children = node.get("children", ())
    if len(children) != 2:
        return []
    left, right = children
    if node["type"] == "comparator":
        return [(left, right, node["value"]), (right, left, _TURNED.get(node["value"], node["value"]))]
    if node["type"] == "function_expression" and node["value"] in ("starts_with", "ends_with", "contains"):
        return [(left, right, node["value"]), *([(right, left, "eq")] if node["value"] == "contains" else [])]
    return []


def _path(node: dict[str, Any]) -> str | None:
    if node["type"] == "subexpression":
        parts = [_path(one) for one in node["children"]]
        return None if None in parts else ".".join(map(str, parts))
    return str(node["value"]) if node["type"] == "field" else None


def _literals(node: dict[str, Any]) -> list[Any]:
    """The value of a literal, the values of a list of them."""
    if node["type"] == "multi_select_list":
        return [value for one in node["children"] for value in _literals(one)]
    if node["type"] != "literal":
        return []
    return node["value"] if isinstance(node["value"], list) else [node["value"]]


_TURNED = {"lt": "gt", "gt": "lt", "lte": "gte", "gte": "lte"}  # with the sides exchanged
_INTO_PARTS = {  # nodes that apply only their first child to the value itself
    *("subexpression", "index_expression", "pipe", "projection", "value_projection", "filter_projection"),
    *("flatten", "slice"),
}


class _Spent(BaseException):
    """The steps are used up. Not an Exception, so that no handler in between catches it."""


@cache
def _interpreter_class() -> Any:
    from jmespath.visitor import TreeInterpreter

    class Counting(TreeInterpreter):  # type: ignore[misc]
        """Counts visited nodes and the size of their results; ``left`` is how many steps remain."""

        left = 0

        def visit(self, node: Any, *values: Any, **more: Any) -> Any:
            found = super().visit(node, *values, **more)
            self.left -= 1
            if node["type"] in _MAKERS:
                kind = type(found)
                if kind is list or kind is dict:
                    self.left -= len(found)
                elif kind is str:
                    self.left -= len(found) >> 6
            if self.left < 0:
                raise _Spent
            return found

    return Counting


def _interpreter() -> Any:
    return _interpreter_class()()


def _check_tree(tree: dict[str, Any]) -> None:
    """Raises UsageError for nesting that is too deep, unknown functions, and too much repetition."""
    from jmespath.functions import Functions

    level, depth = [tree], 0
    while level:
        depth += 1
        if depth > DEEPEST_EXPRESSION:
            raise UsageError(_TOO_DEEP)
        for node in level:
            name = node["value"] if node["type"] == "function_expression" else None
            if name is not None and name not in Functions.FUNCTION_TABLE:
                raise UsageError(f"unknown function {name}(){did_you_mean(name, Functions.FUNCTION_TABLE)}")
        level = [child for node in level for child in node.get("children", ()) if isinstance(child, dict)]
    if _growth(tree) > MOST_GROWTH:
        raise UsageError("the expression repeats its input too often; use a simpler one")


def _growth(node: dict[str, Any]) -> int:
    """How many times as large as its input the result can be.

    "[@,@] | [@,@] | …" doubles it each time; Python shares the parts until they are written out.
    """
    growths = [_growth(child) for child in node.get("children", ()) if isinstance(child, dict)] or [1]
    match node["type"]:
        case "literal":
            return 1 + len(str(node["value"])) // 64
        case "multi_select_list" | "multi_select_dict":
            return sum(growths)
        case "or_expression" | "and_expression" | "not_expression" | "comparator":
            return max(growths)
        case kind:
            product = 1
            for one in growths:
                product *= one
            return max(product, sum(growths)) if kind == "function_expression" else product


def _shown(text: str) -> str:
    return f'"{text}"' if len(text) <= 60 else f'"{text[:59]}…"'
