"""Policy documents, and what they say of one request.

Sources: IAM User Guide, "IAM JSON policy elements reference" and "Policy evaluation logic". Names of actions are
compared without regard to case, resources with it.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from sandbox.world.access.conditions import Keys, Test, is_known, is_like, tests_of
from sandbox.world.kernel.errors import AwsRefusal, Json

LONGEST_OF_A_SESSION = 2048  # characters. Source: AWS STS API Reference, AssumeRole, Policy
ELEMENTS = {"Sid", "Effect", "Action", "Resource", "Condition"}


class Decision(StrEnum):
    """What policies say of a request, in SimulatePrincipalPolicy's words."""

    ALLOWED = "allowed"
    IMPLICIT_DENY = "implicitDeny"
    EXPLICIT_DENY = "explicitDeny"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What IAM is asked: may this action be done on this resource, with these keys?"""

    action: str
    resource: str
    keys: Keys = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement of a policy."""

    sid: str
    is_allow: bool
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    tests: tuple[Test, ...]

    def is_about(self, action: str) -> bool:
        """True if it names the action."""
        return any(is_like(pattern.lower(), action.lower()) for pattern in self.actions)

    def covers(self, resource: str) -> bool:
        """True if it names the resource."""
        return any(is_like(pattern, resource) for pattern in self.resources)

    def holds(self, request: Request) -> bool:
        """True if it applies to a request for one of its actions."""
        return self.covers(request.resource) and all(test.holds(request.keys) for test in self.tests)

    def unknown(self, request: Request) -> Iterator[str]:
        """The keys that its conditions look at and that the request does not have."""
        yield from (test.key for test in self.tests if test.key.lower() not in request.keys)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A policy document."""

    statements: tuple[Statement, ...]
    _by_action: dict[str, tuple[Statement, ...]] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def read(cls, document: str | Json) -> "Document":
        """Raises AwsRefusal MalformedPolicyDocument for what is no policy, or none that this World evaluates."""
        try:
            body = json.loads(document) if isinstance(document, str) else document
            given = body["Statement"]
            statements = given if isinstance(given, list) else [given]
            read = tuple(_statement(one) for one in statements)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise AwsRefusal("MalformedPolicyDocument", "The policy document is not valid") from error
        return cls(statements=read)

    @classmethod
    def of_session(cls, text: str) -> "Document":
        """A session policy. Raises AwsRefusal, also for one that is too long."""
        if len(text) > LONGEST_OF_A_SESSION:
            raise AwsRefusal(
                "ValidationError",
                f"Value at 'policy' failed to satisfy constraint: its length must be {LONGEST_OF_A_SESSION} at most",
            )
        return cls.read(text)

    def about(self, action: str) -> tuple[Statement, ...]:
        """The statements that name an action."""
        if action not in self._by_action:
            self._by_action[action] = tuple(one for one in self.statements if one.is_about(action))
        return self._by_action[action]


def decide(documents: Iterable[Document], request: Request) -> Decision:
    """What these policies say together: one denial outweighs every permission, and without one nothing is allowed."""
    found = [
        statement
        for document in documents
        for statement in document.about(request.action)
        if statement.holds(request)
    ]
    if not all(statement.is_allow for statement in found):
        return Decision.EXPLICIT_DENY
    return Decision.ALLOWED if found else Decision.IMPLICIT_DENY


def unknown_keys(documents: Iterable[Document], request: Request) -> tuple[str, ...]:
    """The keys that conditions on this action and resource look at and that the request does not have."""
    return tuple(
        dict.fromkeys(
            key
            for document in documents
            for statement in document.about(request.action)
            if statement.covers(request.resource)
            for key in statement.unknown(request)
        )
    )


def _statement(given: Json) -> Statement:
    condition = given.get("Condition", {})
    strange = given.keys() - ELEMENTS
    if strange or any(not is_known(operator) for operator in condition):
        raise AwsRefusal(
            "MalformedPolicyDocument", f"This sandbox does not evaluate {sorted(strange) or list(condition)}"
        )
    if given["Effect"] not in ("Allow", "Deny"):
        raise ValueError("no such effect")
    return Statement(
        sid=given.get("Sid", ""),
        is_allow=given["Effect"] == "Allow",
        actions=_listed(given["Action"]),
        resources=_listed(given["Resource"]),
        tests=tests_of(condition),
    )


def _listed(given: str | list[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)
