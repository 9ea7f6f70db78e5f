"""The condition operators of IAM, as far as this World's policies use them.

Sources: IAM User Guide, "Condition operators", "Multivalued context keys". A key that a request does not have matches
no operator but the negated ones, those that end in ``IfExists``, ``Null``, and ``ForAllValues``, which an empty set
satisfies.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

Keys = Mapping[str, tuple[str, ...]]
"""A request's context: names in lower case, for IAM compares them so."""
Match = Callable[[str, str], bool]  # (pattern, value)

FOR_ALL, FOR_ANY, IF_EXISTS = "ForAllValues:", "ForAnyValue:", "IfExists"


@cache
def wild(pattern: str) -> re.Pattern[str]:
    """IAM's wildcards: ``*`` for any characters, ``?`` for one."""
    return re.compile(
        "".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern), re.DOTALL
    )


def is_like(pattern: str, value: str) -> bool:
    """StringLike, and how resources are matched."""
    return wild(pattern).fullmatch(value) is not None


def _is_same(pattern: str, value: str) -> bool:
    return pattern == value


def _is_arn_like(pattern: str, value: str) -> bool:
    """Each of an ARN's six parts by itself: a wildcard does not reach over a colon but in the last."""
    parts, values = pattern.split(":", 5), value.split(":", 5)
    return len(parts) == len(values) == 6 and all(map(is_like, parts, values))


_POSITIVE: Mapping[str, Match] = {
    "StringEquals": _is_same,
    "StringLike": is_like,
    "ArnEquals": _is_arn_like,
    "ArnLike": _is_arn_like,
    "Bool": lambda pattern, value: pattern.lower() == value.lower(),
}
_NEGATIVE: Mapping[str, Match] = {
    "StringNotEquals": _is_same,
    "StringNotLike": is_like,
    "ArnNotEquals": _is_arn_like,
    "ArnNotLike": _is_arn_like,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """One line of a condition: an operator, a key, and the values that it may have."""

    operator: str
    key: str  # as written
    values: tuple[str, ...]

    def holds(self, keys: Keys) -> bool:
        """True if a request with these keys satisfies it."""
        found = keys.get(self.key.lower())
        operator = self.operator
        if operator == "Null":
            return (found is None) == (self.values[0].lower() == "true")
        if operator.startswith(FOR_ALL):
            one = operator.removeprefix(FOR_ALL).removesuffix(IF_EXISTS)
            return all(self._matches(one, value) for value in found or ())
        if operator.startswith(FOR_ANY):
            one = operator.removeprefix(FOR_ANY)
            if found is None:
                return one.endswith(IF_EXISTS)
            return any(self._matches(one.removesuffix(IF_EXISTS), value) for value in found)
        plain = operator.removesuffix(IF_EXISTS)
        if found is None:
            return plain in _NEGATIVE or plain != operator
        matched = [self._matches(plain, value) for value in found]
        return all(matched) if plain in _NEGATIVE else any(matched)

    def _matches(self, operator: str, value: str) -> bool:
        if operator in _NEGATIVE:
            return not any(_NEGATIVE[operator](one, value) for one in self.values)
        return any(_POSITIVE[operator](one, value) for one in self.values)


def is_known(operator: str) -> bool:
    """True for an operator that this World evaluates."""
    plain = operator.removeprefix(FOR_ALL).removeprefix(FOR_ANY).removesuffix(IF_EXISTS)
    return plain in _POSITIVE or plain in _NEGATIVE or operator == "Null"


def tests_of(condition: Mapping[str, Mapping[str, str | Sequence[str]]]) -> tuple[Test, ...]:
    """The lines of a Condition element, all of which must hold."""
    return tuple(
        Test(operator=operator, key=key, values=(given,) if isinstance(given, str) else tuple(given))
        for operator, lines in condition.items()
        for key, given in lines.items()
    )
