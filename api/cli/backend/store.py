"""Straight into the store, through the engine's own commands; apart from the doors, since a server needs none of it."""

from typing import TYPE_CHECKING

from api.cli.backend.backend import EVENTS_A_PAGE, SERVICES_A_PAGE, SERVICES_MAX, Given, NewCommand, Which
from api.cli.backend.operating_user import local_actor
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.engine.views.rollout import view
from orchestrator.engine.views.rollout_values import RolloutView
from orchestrator.ports.clock import Clock
from orchestrator.ports.rollouts import EventSeen, Filter
from orchestrator.ports.store import DoorStore

if TYPE_CHECKING:
    from orchestrator.core.rollout.spec import Spec
    from orchestrator.engine.views.report_parts import Report
    from orchestrator.engine.views.service_values import ServiceView


class StoreDoor:
    """Straight into the store, through the engine's own commands."""

    def __init__(self, store: DoorStore, clock: Clock) -> None:
        self._store, self._clock = store, clock

    async def get(self, name: str) -> RolloutView:
        """As Door."""
        from orchestrator.engine import commands

        return view(await commands.resolve(name, store=self._store))

    async def list(self, which: Which) -> tuple[RolloutView, ...]:
        """As Door."""
        phases = frozenset({which.phase}) if which.phase else frozenset[Phase]()
        asked = Filter(service=which.service, phases=phases, is_active=which.is_active)
        rows, _ = await self._store.list(asked, limit=which.limit)
        return tuple(view(row) for row in rows)

    async def events(self, rollout: str, after: int) -> tuple[EventSeen, ...]:
        """As Door."""
        return await self._store.events(RolloutId(rollout), after=after, limit=EVENTS_A_PAGE)

    async def report(self, name: str) -> "Report":
        """As Door."""
        from orchestrator.engine import commands
        from orchestrator.engine.views.report import report

        return await report(self._store, (await commands.resolve(name, store=self._store)).rollout.id)

    async def undoing(self, name: str) -> "Spec":
        """As Door."""
        from orchestrator.engine import undo

        return await undo.undoing(await undo.ended(name, store=self._store), store=self._store)

    async def give(self, name: str, command: NewCommand) -> Given:
        """As Door."""
        from orchestrator.engine import commands

        row = await commands.resolve(name, store=self._store)
        bound = commands.command(
            command.kind,
            by=local_actor(command.source),
            clock=self._clock,
            reason=command.reason,
            step=None if command.step is None else command.step - 1,
            full=command.full,
            to=command.to,
        )
        await commands.accept(row.rollout.id, bound, store=self._store)
        return Given(rollout=view(await self._store.load(row.rollout.id)))

    async def start(self, spec: "Spec", *, key: str) -> RolloutView:
        """As Door."""
        from orchestrator import bootstrap
        from orchestrator.engine import commands
        from orchestrator.engine.calendar import Calendar

        settings = bootstrap.open_settings()
        async with bootstrap.open_cloud(settings) as cloud:
            begun = await commands.start(
                spec,
                author=local_actor(),
                key=key,
                store=self._store,
                cloud=cloud,
                clock=self._clock,
                registries=settings.registries,
                calendar=Calendar(self._store, self._clock, settings.freezes),
                addresses=bootstrap.outward_of(settings, self._clock),
            )
        return view(begun.stored)

    async def services(self) -> "tuple[ServiceView, ...]":
        """As Door."""
        from orchestrator.engine.views import services

        found: list[ServiceView] = []
        after = ""
        while True:
            page, after = await services.services(self._store, after=after, limit=SERVICES_A_PAGE)
            found += page
            if not after or len(found) >= SERVICES_MAX:
                return tuple(found)

    async def service(self, name: str) -> "ServiceView":
        """As Door."""
        from orchestrator.engine.views import services

        return await services.service(name, store=self._store)
