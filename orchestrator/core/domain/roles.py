"""Who may do what: four roles, each of which may do all that those before it may, for all services or for some."""

from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from orchestrator.core.domain.commands import Actor, CommandKind


class Role(StrEnum):
    """What a person or a program may do, from the least to the most."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    APPROVER = "approver"
    ADMIN = "admin"

    def covers(self, needed: "Role") -> bool:
        """True if this role may do what `needed` may."""
        order = tuple(Role)
        return order.index(self) >= order.index(needed)


TO_START = Role.OPERATOR
TO_OVERRIDE = Role.APPROVER
"""Who may start a rollout outside its window, or in a freeze."""
ROLE_FOR: dict[CommandKind, Role] = {
    CommandKind.APPROVE: Role.APPROVER,
    CommandKind.REJECT: Role.APPROVER,
    CommandKind.PAUSE: Role.OPERATOR,
    CommandKind.RESUME: Role.OPERATOR,
    CommandKind.PROMOTE: Role.OPERATOR,
    CommandKind.BACK: Role.OPERATOR,
    CommandKind.ROLLBACK: Role.OPERATOR,
    CommandKind.ABANDON: Role.ADMIN,
}
"""The least role that may give a command, at every door."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Somebody whose identity a door has checked.

    ``services``: patterns of ``cluster/service`` (``prod/*``); empty: every service. ``name`` is the same at every
    door, so that an author is known again when they try to approve.
    """

    name: str
    role: Role
    source: str
    services: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()

    @property
    def actor(self) -> Actor:
        """The same person as rollouts, events and the audit log name them."""
        return Actor(name=self.name, source=self.source, groups=self.groups)

    def reaches(self, service: str) -> bool:
        """True if this principal may see and touch a service (``cluster/service``)."""
        return not self.services or any(fnmatchcase(service, pattern) for pattern in self.services)

    def lacks(self, needed: Role) -> str:
        """Why this principal may not do what takes a role, in words; empty if it may."""
        if self.role.covers(needed):
            return ""
        return f"{self.name} is {with_article(self.role)} and this takes {with_article(needed)}"


def with_article(role: Role) -> str:
    """A role as a sentence has it: ``an operator``."""
    return f"{'an' if role.value[0] in 'aeiou' else 'a'} {role.value}"
