"""What people tell a rollout to do, until a tick answers it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from orchestrator.core.domain.commands import Command, CommandState
from orchestrator.core.domain.ids import RolloutId
from orchestrator.ports.rollouts import Stored


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandSeen:
    """A command as the store holds it."""

    command: Command
    state: CommandState
    text: str


Check = Callable[[Stored], None]  # raises Refused to refuse


class CommandInbox(Protocol):
    """Takes commands."""

    async def add_command(self, rollout: RolloutId, command: Command, *, check: Check) -> CommandSeen:
        """Accept a command after `check` has seen the row in the same transaction, and make the row due at once.

        The same key again, within KEYS_HOLD of the command it gave this rollout or while that one still waits for a
        tick, returns that command and what became of it. Later it is free for another command. Raises NotFound, or
        what `check` raises.
        """
        ...


class CommandAnswers(Protocol):
    """What became of commands."""

    async def command(self, rollout: RolloutId, key: str) -> CommandSeen:
        """The newest command of a key, however old, and what became of it. Raises NotFound."""
        ...
