"""Where commands and views go: straight into the store, or to the server that was chosen."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.ids import Tenths
from orchestrator.core.domain.phases import Phase
from orchestrator.engine.views.rollout_values import RolloutView
from orchestrator.ports.rollouts import EventSeen

if TYPE_CHECKING:
    from orchestrator.core.rollout.spec import Spec
    from orchestrator.engine.views.report_parts import Report
    from orchestrator.engine.views.service_values import ServiceView

EVENTS_A_PAGE = 500
SERVICES_A_PAGE, SERVICES_MAX = 100, 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCommand:
    """What a person typed: a command, not yet bound to a rollout. Steps count from 1."""

    kind: CommandKind
    reason: str = ""
    step: int | None = None
    full: bool = False
    to: Tenths | None = None
    source: str = "cli"


@dataclass(frozen=True, slots=True, kw_only=True)
class Which:
    """Which rollouts to list; `service` is ``cluster/service``."""

    service: str = ""
    phase: Phase | None = None
    is_active: bool | None = None
    limit: int = 50


class Shows(Protocol):
    """What commands that only show something ask; each answer is waited for. Names are as in `Reads`."""

    def get(self, name: str) -> RolloutView:
        """One rollout. Raises NotFound, Refused if a name means several."""
        ...

    def list(self, which: Which) -> tuple[RolloutView, ...]:
        """Rollouts, the newest first."""
        ...

    def events(self, rollout: str, after: int) -> tuple[EventSeen, ...]:
        """One page of a rollout's log, by its id, from the event after number `after`."""
        ...

    def services(self) -> "tuple[ServiceView, ...]":
        """The services that had a rollout, by name."""
        ...

    def service(self, name: str) -> "ServiceView":
        """One of them. Raises NotFound, Refused if a name means several."""
        ...


class Reads(Protocol):
    """What following a rollout asks. Names are ids, or services with an active rollout."""

    async def get(self, name: str) -> RolloutView:
        """One rollout. Raises NotFound, Refused if a name means several."""
        ...

    async def events(self, rollout: str, after: int) -> tuple[EventSeen, ...]:
        """One page of a rollout's log, by its id, from the event after number `after`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The rollout that took a command. ``is_recorded``: False where it was rolled back without the store."""

    rollout: RolloutView
    is_recorded: bool = True


class Door(Reads, Protocol):
    """Everything the terminal asks of rollouts."""

    async def list(self, which: Which) -> tuple[RolloutView, ...]:
        """Rollouts, the newest first."""
        ...

    async def report(self, name: str) -> "Report":
        """One rollout for auditors. Raises NotFound, Refused if a name means several."""
        ...

    async def undoing(self, name: str) -> "Spec":
        """What takes back a rollout that succeeded, or a service's last. Raises NotFound, Refused."""
        ...

    async def give(self, name: str, command: NewCommand) -> Given:
        """Give a command. Raises NotFound, Refused naming the phase, Unwritable where the store takes nothing."""
        ...

    async def start(self, spec: "Spec", *, key: str) -> RolloutView:
        """Start a rollout. Raises Conflict, Unfit, Outside; the same key again returns what it started."""
        ...

    async def services(self) -> "tuple[ServiceView, ...]":
        """The services that had a rollout, by name."""
        ...

    async def service(self, name: str) -> "ServiceView":
        """One of them. Raises NotFound, Refused if a name means several."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken:
    """What a new token is to be. ``expires``: a moment, a time from now, or empty for never."""

    name: str
    role: str
    services: tuple[str, ...]
    groups: tuple[str, ...]
    expires: str
