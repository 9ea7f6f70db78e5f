"""From the text of an expression to its tree. Source: "Metric math syntax and functions".

From the loosest to the tightest: OR, AND, comparisons, + and -, * and /, a sign, and ^.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

DEPTH_MAX = 40
LENGTH_MAX = 2048  # of MetricExpression in AWS's model


class BadExpression(Exception):
    """An expression that CloudWatch refuses; its text says why."""


@dataclass(frozen=True, slots=True)
class Number:
    """A constant."""

    value: float


@dataclass(frozen=True, slots=True)
class Text:
    """A quoted string, the argument of METRICS."""

    value: str


@dataclass(frozen=True, slots=True)
class Name:
    """The id of another query, or a word such as REPEAT."""

    value: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its arguments."""

    function: str
    arguments: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Negative:
    """A minus sign."""

    of: "Node"


@dataclass(frozen=True, slots=True)
class Binary:
    """An operator between two operands."""

    operator: str
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Array:
    """Several in brackets."""

    items: "tuple[Node, ...]"


Node = Number | Text | Name | Call | Negative | Binary | Array

_TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)
      |(?P<word>[A-Za-z_]\w*)
      |(?P<text>"[^"]*"|'[^']*')
      |(?P<sign>==|!=|<=|>=|&&|\|\||[-+*/^()<>,\[\]]))""",
    re.VERBOSE,
)
_SAME = {"&&": "AND", "||": "OR"}
_LEVELS = (("OR",), ("AND",), ("==", "!=", "<", ">", "<=", ">="), ("+", "-"), ("*", "/"))


def parse(text: str) -> Node:
    """The tree of an expression. Raises BadExpression."""
    if not text.strip() or len(text) > LENGTH_MAX:
        raise BadExpression(f"An expression has 1 to {LENGTH_MAX} characters")
    parser = _Parser(list(_tokens(text)))
    tree = parser.expression(0)
    parser.end()
    return tree


def _tokens(text: str) -> Iterator[tuple[str, str, int]]:
    """(kind, text, position) of every token, and an end."""
    at, rest = 0, len(text.rstrip())
    while at < rest:
        found = _TOKEN.match(text, at)
        if found is None:
            at = rest - len(text[at:rest].lstrip())
            raise BadExpression(f"Invalid syntax: unexpected {text[at]!r} at position {at}")
        kind = str(found.lastgroup)
        yield kind, _SAME.get(found[kind], found[kind]), found.start(kind)
        at = found.end()
    yield "end", "", rest


class _Parser:
    def __init__(self, tokens: list[tuple[str, str, int]]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def expression(self, level: int) -> Node:
        if level == 0:
            self._depth += 1
            if self._depth > DEPTH_MAX:
                raise BadExpression("Invalid syntax: the expression is nested too deeply")
        tree = self._operand(level)
        while self._next()[0] in ("sign", "word") and self._next()[1] in _LEVELS[level]:
            operator = self._take()[1]
            tree = Binary(operator, tree, self._operand(level))
        if level == 0:
            self._depth -= 1
        return tree

    def end(self) -> None:
        if self._next()[0] != "end":
            self._unexpected()

    def _operand(self, level: int) -> Node:
        return self.expression(level + 1) if level + 1 < len(_LEVELS) else self._signed()

    def _signed(self) -> Node:
        minus = False
        while self._next()[1] in ("-", "+") and self._next()[0] == "sign":
            minus ^= self._take()[1] == "-"
        tree = self._power()
        return Negative(tree) if minus else tree

    def _power(self) -> Node:
        base = self._atom()
        if self._next()[1] != "^":
            return base
        self._take()
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise BadExpression("Invalid syntax: the expression is nested too deeply")
        raised = Binary("^", base, self._signed())
        self._depth -= 1
        return raised

    def _atom(self) -> Node:
        kind, text, _ = self._take()
        match kind:
            case "number":
                return Number(float(text))
            case "text":
                return Text(text[1:-1])
            case "word" if text not in ("AND", "OR"):
                if self._next()[1] == "(":
                    self._take()
                    return Call(text, self._items(")"))
                return Name(text)
            case "sign" if text == "(":
                inner = self.expression(0)
                self._expect(")")
                return inner
            case "sign" if text == "[":
                return Array(self._items("]"))
        self._at -= 1
        self._unexpected()
        raise AssertionError  # unreachable: the line before raises

    def _items(self, end: str) -> tuple[Node, ...]:
        items: list[Node] = []
        if self._next()[1] == end:
            self._take()
            return ()
        while True:
            items.append(self.expression(0))
            if self._next()[1] != ",":
                self._expect(end)
                return tuple(items)
            self._take()

    def _next(self) -> tuple[str, str, int]:
        return self._tokens[self._at]

    def _take(self) -> tuple[str, str, int]:
        token = self._tokens[self._at]
        if token[0] != "end":
            self._at += 1
        else:
            self._unexpected()
        return token

    def _expect(self, sign: str) -> None:
        if self._next()[1] != sign:
            self._unexpected()
        self._take()

    def _unexpected(self) -> None:
        kind, text, position = self._next()
        what = "end of the expression" if kind == "end" else repr(text)
        raise BadExpression(f"Invalid syntax: unexpected {what} at position {position}")


def names(tree: Node) -> set[str]:
    """The names in a tree: ids of other queries, and words."""
    match tree:
        case Name(value=value):
            return {value}
        case Call(arguments=inner) | Array(items=inner):
            return {name for each in inner for name in names(each)}
        case Negative(of=inner_one):
            return names(inner_one)
        case Binary(left=left, right=right):
            return names(left) | names(right)
    return set()
