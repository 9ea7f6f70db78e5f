"""What people may wish for, and in which phase. ``docs/commands.md`` is written from ``ACCEPTED``."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from orchestrator.core.domain.ids import Tenths
from orchestrator.core.domain.phases import Phase


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

    def is_among(self, names: tuple[str, ...]) -> bool:
        """True if this person is named, or one of their groups is (as ``group:release``)."""
        return self.name in names or any(f"group:{group}" in names for group in self.groups)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A person's wish, kept until a tick applies it."""

    key: str  # idempotency key: the same key is the same wish
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
