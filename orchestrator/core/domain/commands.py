"""Which commands people may give, and in which phase. ``docs/commands.md`` is written from ``ACCEPTED``."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from orchestrator.core.domain.identity import identity_of
from orchestrator.core.domain.ids import Tenths
from orchestrator.core.domain.phases import Phase

GROUP = "group:"  # before a name among approvers: a group of people, and nobody's own name


class CommandKind(StrEnum):
    """The commands; the same words at every door."""

    APPROVE = "approve"
    REJECT = "reject"
    PAUSE = "pause"
    RESUME = "resume"
    PROMOTE = "promote"
    BACK = "back"
    ROLLBACK = "rollback"
    ABANDON = "abandon"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who did it, and through which door."""

    name: str
    source: str = "cli"  # cli | http | slack | signal | teal
    groups: tuple[str, ...] = ()

    @property
    def identity(self) -> str:
        """What this person is known by, however a door spells them."""
        return identity_of(self.name)

    def is_among(self, names: tuple[str, ...]) -> bool:
        """True if this person is named, or one of their groups is (as ``group:release``, to the letter)."""
        people = {identity_of(name) for name in names if not name.startswith(GROUP)}
        return self.identity in people or any(f"{GROUP}{group}" in names for group in self.groups)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What a person asks of a rollout, kept until a tick applies it."""

    key: str  # idempotency key: the same key is the same command
    kind: CommandKind
    by: Actor
    at: datetime
    reason: str = ""
    step: int | None = None  # the step it was given for; None: the one that is current when it is applied
    full: bool = False  # promote: straight to the last step
    to: Tenths | None = None  # back: the weight of an earlier step


class CommandState(StrEnum):
    """What became of a command."""

    ACCEPTED = "accepted"
    APPLIED = "applied"
    OVERTAKEN = "overtaken"  # the rollout had moved on before a tick could apply it


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A tick's answer to one command."""

    key: str
    state: CommandState
    text: str


_K = CommandKind
_EARLY = frozenset({_K.PAUSE, _K.RESUME, _K.ROLLBACK, _K.REJECT, _K.ABANDON})

ACCEPTED: dict[Phase, frozenset[CommandKind]] = {
    Phase.PENDING: _EARLY,
    Phase.PREPARING: _EARLY,
    Phase.PROVISIONING: _EARLY | {_K.APPROVE},
    Phase.SHIFTING: _EARLY | {_K.APPROVE, _K.PROMOTE, _K.BACK},
    Phase.WATCHING: _EARLY | {_K.APPROVE, _K.PROMOTE, _K.BACK},
    Phase.SETTLING: frozenset({_K.PAUSE, _K.RESUME, _K.ROLLBACK, _K.ABANDON}),
    Phase.RETIRING: frozenset({_K.PAUSE, _K.RESUME, _K.ROLLBACK, _K.ABANDON}),
    Phase.ROLLING_BACK: frozenset({_K.ABANDON}),
    Phase.SUCCEEDED: frozenset(),
    Phase.ROLLED_BACK: frozenset(),
    Phase.ABANDONED: frozenset(),
}
