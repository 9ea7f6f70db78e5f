"""The rule of a composite alarm: which alarms it names, and what it comes to where the states of some are unknown.

Source: CloudWatch, "Creating a composite alarm", AlarmRule. Logic with unknowns is Kleene's: an unknown state leaves
the whole unknown only where it could decide it.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

STATES = frozenset({"ALARM", "OK", "INSUFFICIENT_DATA"})
NESTED_MAX = (
    50  # parentheses and NOTs within each other; CloudWatch's rules are at most 10,240 characters long
)

# The known state of an alarm by its name; None where it is not known.
StateOf = Callable[[str], str | None]
_Term = Callable[[StateOf], bool | None]

_TOKEN = re.compile(
    r"\s*(?:(?P<sign>[(),])|\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)'|(?P<word>[^\s(),\"']+))"
)


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    is_sign: bool = False
    is_quoted: bool = False


class Unreadable(ValueError):
    """A rule that is not understood."""


def names(rule: str) -> tuple[str, ...]:
    """The alarms that a rule names, each once, in order. Raises Unreadable."""
    reader = _Reader(rule)
    reader.whole()
    return tuple(dict.fromkeys(reader.named))


def evaluate(rule: str, state_of: StateOf) -> bool | None:
    """Whether a rule is in ALARM, given its alarms' states; None where unknown states decide it. Raises Unreadable."""
    return _Reader(rule).whole()(state_of)


def _tokens(rule: str) -> Iterator[_Token]:
    at, end = 0, len(rule.rstrip())
    while at < end:
        found = _TOKEN.match(rule, at)
        if found is None:
            raise Unreadable(f"the rule is not understood at {rule[at : at + 20]!r}")
        at = found.end()
        if found["sign"] is not None:
            yield _Token(found["sign"], is_sign=True)
        elif found["word"] is not None:
            yield _Token(found["word"])
        else:
            yield _Token(found["double"] if found["double"] is not None else found["single"], is_quoted=True)


class _Reader:
    """Reads a rule by descent: OR binds loosest, then AND, then NOT."""

    def __init__(self, rule: str) -> None:
        self._tokens = list(_tokens(rule))
        self._at = 0
        self._depth = 0
        self.named: list[str] = []

    def whole(self) -> _Term:
        term = self._any_of()
        if self._at != len(self._tokens):
            raise Unreadable(f"the rule goes on with {self._tokens[self._at].text!r}")
        return term

    def _any_of(self) -> _Term:
        terms = [self._all_of()]
        while self._word("OR"):
            terms.append(self._all_of())
        return terms[0] if len(terms) == 1 else lambda state_of: _any([term(state_of) for term in terms])

    def _all_of(self) -> _Term:
        terms = [self._negated()]
        while self._word("AND"):
            terms.append(self._negated())
        if len(terms) == 1:
            return terms[0]
        return lambda state_of: _not(_any([_not(term(state_of)) for term in terms]))

    def _negated(self) -> _Term:
        self._depth += 1
        if self._depth > NESTED_MAX:
            raise Unreadable("the rule is nested too deeply")
        try:
            if self._word("NOT"):
                term = self._negated()
                return lambda state_of: _not(term(state_of))
            return self._single()
        finally:
            self._depth -= 1

    def _single(self) -> _Term:
        if self._sign("("):
            term = self._any_of()
            self._must(")")
            return term
        word = self._take().text.upper()
        if word in ("TRUE", "FALSE"):
            return lambda _: word == "TRUE"
        if word == "AT_LEAST":
            return self._at_least()
        if word not in STATES:
            raise Unreadable(f"the rule holds {word!r}")
        self._must("(")
        name = self._name()
        self._must(")")
        return lambda state_of: _is(state_of(name), word)

    def _at_least(self) -> _Term:
        """``AT_LEAST(2, ALARM, (a, b, c))``, or a share of them: ``AT_LEAST(50%, NOT OK, (…))``."""
        self._must("(")
        wanted = self._take().text
        self._must(",")
        is_not = self._word("NOT")
        state = self._take().text.upper()
        if state not in STATES or not re.fullmatch(r"\d+%?", wanted):
            raise Unreadable(f"the rule holds AT_LEAST({wanted}, {state}, …)")
        self._must(",")
        self._must("(")
        listed = [self._name()]
        while self._sign(","):
            listed.append(self._name())
        self._must(")")
        self._must(")")
        least = -(-int(wanted[:-1]) * len(listed) // 100) if wanted.endswith("%") else int(wanted)

        def term(state_of: StateOf) -> bool | None:
            found = [_is(state_of(name), state) for name in listed]
            agreeing = [_not(one) for one in found] if is_not else found
            if agreeing.count(True) >= least:
                return True
            return None if agreeing.count(True) + agreeing.count(None) >= least else False

        return term

    def _name(self) -> str:
        token = self._take()
        if token.is_sign:
            raise Unreadable(f"the rule holds {token.text!r} where an alarm is due")
        name = token.text.partition(":alarm:")[2] if token.text.startswith("arn:") else token.text
        self.named.append(name)
        return name

    def _take(self) -> _Token:
        if self._at >= len(self._tokens):
            raise Unreadable("the rule ends too soon")
        self._at += 1
        return self._tokens[self._at - 1]

    def _word(self, word: str) -> bool:
        return self._passes(
            lambda token: not (token.is_sign or token.is_quoted) and token.text.upper() == word
        )

    def _sign(self, sign: str) -> bool:
        return self._passes(lambda token: token.is_sign and token.text == sign)

    def _must(self, sign: str) -> None:
        if not self._sign(sign):
            raise Unreadable(f"the rule lacks {sign!r}")

    def _passes(self, test: Callable[[_Token], bool]) -> bool:
        if self._at < len(self._tokens) and test(self._tokens[self._at]):
            self._at += 1
            return True
        return False


def _is(state: str | None, wanted: str) -> bool | None:
    return None if state is None else state == wanted


def _not(value: bool | None) -> bool | None:
    return None if value is None else not value


def _any(values: list[bool | None]) -> bool | None:
    if any(values):
        return True
    return None if None in values else False
