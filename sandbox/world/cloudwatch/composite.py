"""The rule of a composite alarm. Source: PutCompositeAlarm, AlarmRule; NOT binds closest, then AND, then OR."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from sandbox.world.kernel.errors import AwsRefusal

CHILDREN_MAX = 100
ELEMENTS_MAX = 500
_TOKEN = re.compile(
    r"\s*(?:(?P<of>(?:ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?:\"(?P<quoted>[^\"]+)\"|(?P<bare>[^()\"\s]+))\s*\))"
    r"|(?P<word>AND|OR|NOT|TRUE|FALSE)\b|(?P<sign>[()]))",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Is:
    """True while the named alarm is in a state."""

    state: str
    alarm: str  # its name


@dataclass(frozen=True, slots=True)
class Fixed:
    """TRUE or FALSE."""

    value: bool


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    of: "Rule"


@dataclass(frozen=True, slots=True)
class Both:
    """AND or OR."""

    operator: str
    left: "Rule"
    right: "Rule"


Rule = Is | Fixed | Not | Both


def parse(text: str) -> Rule:
    """The tree of a rule. Raises AwsRefusal."""
    tokens = _tokens(text)
    if not tokens or len(tokens) > ELEMENTS_MAX:
        raise _invalid(text)
    parser = _Parser(text, tokens)
    rule = parser.either()
    parser.end()
    if len(children(rule)) > CHILDREN_MAX:
        raise AwsRefusal("ValidationError", f"AlarmRule must not contain more than {CHILDREN_MAX} alarms")
    return rule


def children(rule: Rule) -> set[str]:
    """The names of the alarms in a rule."""
    match rule:
        case Is(alarm=alarm):
            return {alarm}
        case Not(of=of):
            return children(of)
        case Both(left=left, right=right):
            return children(left) | children(right)
    return set()


def holds(rule: Rule, state_of: Callable[[str], str]) -> bool:
    """Whether a rule is true. An alarm that is gone is in no state."""
    match rule:
        case Is(state=state, alarm=alarm):
            return state_of(alarm) == state
        case Fixed(value=value):
            return value
        case Not(of=of):
            return not holds(of, state_of)
        case Both(operator="AND", left=left, right=right):
            return holds(left, state_of) and holds(right, state_of)
        case Both(left=left, right=right):
            return holds(left, state_of) or holds(right, state_of)


def name_of(given: str) -> str:
    """An alarm's name, given by name or ARN."""
    return given.partition(":alarm:")[2] if given.startswith("arn:") else given


def _tokens(text: str) -> list[Rule | str]:
    tokens: list[Rule | str] = []
    at, rest = 0, len(text.rstrip())
    while at < rest:
        found = _TOKEN.match(text, at)
        if found is None:
            raise _invalid(text)
        if found["of"]:
            state = found["of"].partition("(")[0].strip().upper()
            tokens.append(Is(state, name_of(found["quoted"] or found["bare"])))
        else:
            tokens.append((found["word"] or found["sign"]).upper())
        at = found.end()
    return tokens


class _Parser:
    def __init__(self, text: str, tokens: list[Rule | str]) -> None:
        self._text = text
        self._tokens = tokens
        self._at = 0

    def either(self) -> Rule:
        rule = self._both()
        while self._next() == "OR":
            self._at += 1
            rule = Both("OR", rule, self._both())
        return rule

    def end(self) -> None:
        if self._next() is not None:
            raise _invalid(self._text)

    def _both(self) -> Rule:
        rule = self._one()
        while self._next() == "AND":
            self._at += 1
            rule = Both("AND", rule, self._one())
        return rule

    def _one(self) -> Rule:
        token = self._next()
        self._at += 1
        match token:
            case Is():
                return token
            case "TRUE" | "FALSE":
                return Fixed(token == "TRUE")
            case "NOT":
                return Not(self._one())
            case "(":
                rule = self.either()
                if self._next() != ")":
                    raise _invalid(self._text)
                self._at += 1
                return rule
        raise _invalid(self._text)

    def _next(self) -> Rule | str | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None


def _invalid(text: str) -> AwsRefusal:
    return AwsRefusal("ValidationError", f"AlarmRule is invalid: {text!r} is not a rule of alarms")
