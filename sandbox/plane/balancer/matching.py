"""Rule conditions as an Application Load Balancer matches them.

Source: "Condition types for listener rules" of the Elastic Load Balancing guide. All conditions of a rule must
match, any value of a condition suffices. ``*`` stands for any number of characters and ``?`` for exactly one.
Paths are compared with case, hosts, headers and query strings without; methods exactly. A regular expression is looked
for anywhere in the text: AWS's examples are anchored, and its pages do not say what one without anchors matches.
"""

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass

from sandbox.http1.messages import RequestHead
from sandbox.ports import ConditionView, RuleView

Matcher = Callable[["Asked"], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request as conditions see it."""

    method: str
    path: str
    query: str
    host: str  # without its port
    headers: dict[bytes, bytes]
    client: str  # the client's address

    @classmethod
    def of(cls, head: RequestHead, client: str) -> "Asked":
        """The request with this head from this address."""
        target = head.target.decode("latin-1")
        if "://" in target:  # absolute form: what follows the authority
            target = "/" + target.split("://", 1)[1].partition("/")[2]
        path, _, query = target.partition("?")
        host = head.headers.get(b"host", b"").decode("latin-1")
        name = host if host.endswith("]") else host.rpartition(":")[0] or host
        return cls(
            method=head.method.decode("latin-1"),
            path=path,
            query=query,
            host=name.lower(),
            headers=head.headers,
            client=client,
        )


def rule_matcher(rule: RuleView) -> Matcher | None:
    """Whether a request meets all conditions of a rule; None when it has none and so takes every request.

    Raises ValueError for a condition this proxy does not know: better no rule than one that matches wrongly.
    """
    matchers = tuple(condition_matcher(condition) for condition in rule.conditions)
    if not matchers:
        return None
    if len(matchers) == 1:
        return matchers[0]
    return lambda asked: all(matches(asked) for matches in matchers)


def condition_matcher(condition: ConditionView) -> Matcher:
    """Whether a request meets one condition. Raises ValueError for an unknown field."""
    match condition.field:
        case "path-pattern":
            path = _pattern(condition)
            return lambda asked: path.search(asked.path) is not None
        case "host-header":
            host = _pattern(condition, ignore_case=True)
            return lambda asked: host.search(asked.host) is not None
        case "http-request-method":
            methods = frozenset(condition.values)
            return lambda asked: asked.method in methods
        case "http-header":
            return _header_matcher(condition)
        case "query-string":
            return _query_matcher(condition.values)
        case "source-ip":
            networks = tuple(ipaddress.ip_network(value, strict=False) for value in condition.values)
            return lambda asked: any(ipaddress.ip_address(asked.client) in network for network in networks)
        case unknown:
            raise ValueError(f"condition field {unknown!r} is not in this sandbox")


def _pattern(condition: ConditionView, *, ignore_case: bool = False) -> re.Pattern[str]:
    """What is searched for in the text that a condition is about; wildcards stand for the whole of it."""
    if condition.is_regex:
        either = "|".join(f"(?:{value})" for value in condition.values)
        return re.compile(either, re.IGNORECASE if ignore_case else 0)
    whole = wildcards(condition.values, ignore_case=ignore_case)
    return re.compile(rf"\A(?:{whole.pattern})\Z", whole.flags)


def wildcards(patterns: tuple[str, ...], *, ignore_case: bool = False) -> re.Pattern[str]:
    """One expression for any of the patterns; ``\\*`` and ``\\?`` stand for the characters themselves."""
    pieces = {"*": ".*", "?": "."}
    tokens = [re.findall(r"\\[*?\\]|.", pattern, re.DOTALL) for pattern in patterns]
    whole = "|".join(
        "".join(pieces.get(token) or re.escape(token[-1]) for token in pattern) for pattern in tokens
    )
    return re.compile(whole, re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def _header_matcher(condition: ConditionView) -> Matcher:
    name = condition.name.lower().encode("latin-1")
    wanted = _pattern(condition, ignore_case=True)

    def matches(asked: Asked) -> bool:
        value = asked.headers.get(name)
        return value is not None and wanted.search(value.decode("latin-1")) is not None

    return matches


def _query_matcher(values: tuple[str, ...]) -> Matcher:
    # A value is `key=value`, or a bare value that any key may carry.
    wanted = []
    for value in values:
        key, equals, rest = value.partition("=")
        both = (key, rest) if equals else ("", value)
        wanted.append(
            (wildcards((both[0] or "*",), ignore_case=True), wildcards((both[1],), ignore_case=True))
        )

    def matches(asked: Asked) -> bool:
        pairs = [piece.partition("=") for piece in asked.query.split("&") if piece]
        return any(
            key.fullmatch(name) is not None and text.fullmatch(value) is not None
            for key, text in wanted
            for name, _, value in pairs
        )

    return matches
