"""What commands that only show read from the store on this machine: at a glance, in full where that says too little."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from api.cli.backend.backend import EVENTS_A_PAGE, SERVICES_MAX, Door, Which
from api.client.failures import Unreadable
from api.client.reading import read
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.engine.changed_afterwards import KIND, words_of
from orchestrator.engine.names import meant, no_rollout
from orchestrator.engine.views.kept import FORM, Kept
from orchestrator.engine.views.rollout_values import RolloutView
from orchestrator.ports.glance import Glance, NotKept, Row
from orchestrator.ports.rollouts import EventSeen, Filter
from orchestrator.store_at_hand import glance_at_store

if TYPE_CHECKING:
    from orchestrator.engine.views.service_values import ServiceView

T = TypeVar("T")
ACTIVE_MAX = 500  # among which a part of a name is looked for, as the engine does


class StoreReads:
    """As `Shows`. The store in full is imported, and made or migrated, only where a glance does not tell."""

    def get(self, name: str) -> RolloutView:
        """As Shows."""
        return _read(lambda glance: _kept(_named(glance, name)).rollout, lambda door: door.get(name))

    def list(self, which: Which) -> tuple[RolloutView, ...]:
        """As Shows."""
        phases = frozenset({which.phase}) if which.phase else frozenset[Phase]()
        asked = Filter(service=which.service, phases=phases, is_active=which.is_active)

        def quickly(glance: Glance) -> tuple[RolloutView, ...]:
            rows, _ = glance.list(asked, limit=which.limit)
            return tuple(_kept(row).rollout for row in rows)

        return _read(quickly, lambda door: door.list(which))

    def events(self, rollout: str, after: int) -> tuple[EventSeen, ...]:
        """As Shows."""
        return _read(
            lambda glance: glance.events(rollout, after=after, limit=EVENTS_A_PAGE),
            lambda door: door.events(RolloutId(rollout), after),
        )

    def services(self) -> "tuple[ServiceView, ...]":
        """As Shows."""

        def quickly(glance: Glance) -> "tuple[ServiceView, ...]":
            return tuple(_service(glance, name) for name in islice(glance.services(), SERVICES_MAX))

        return _read(quickly, lambda door: door.services())

    def service(self, name: str) -> "ServiceView":
        """As Shows."""

        def quickly(glance: Glance) -> "ServiceView":
            from orchestrator.engine.views.service_values import full_name

            return _service(glance, name if "/" in name else full_name(name, glance.services()), asked=name)

        return _read(quickly, lambda door: door.service(name))


def _read(quickly: Callable[[Glance], T], in_full: Callable[[Door], Awaitable[T]]) -> T:
    try:
        with glance_at_store() as glance:
            return quickly(glance)
    except NotKept:
        pass
    import asyncio

    from api.cli.backend.open import open_store_door

    async def main() -> T:
        async with open_store_door() as door:
            return await in_full(door)

    return asyncio.run(main())


def _named(glance: Glance, name: str) -> Row:
    """As `orchestrator.engine.commands.resolve`."""
    found = glance.load(name) or (glance.find_active(name) if "/" in name else None)
    if found is not None:
        return found
    rows, _ = glance.list(Filter(is_active=True), limit=ACTIVE_MAX)
    hit = meant(name, [row.service for row in rows])
    if hit is None:
        raise no_rollout(name)
    return rows[hit]


def _service(glance: Glance, name: str, *, asked: str = "") -> "ServiceView":
    """As `orchestrator.engine.views.services`."""
    from orchestrator.engine.views.service_values import (
        HISTORY,
        active_of,
        no_service,
        service_view,
        succeeded_of,
    )

    found, has_more = glance.list(Filter(service=name), limit=HISTORY) if name else ((), False)
    rows = [_kept(row) for row in found]
    if not rows:
        raise no_service(asked)
    before: tuple[Row, ...] = ()
    if has_more and not succeeded_of(rows):
        succeeded = Filter(service=name, phases=frozenset({Phase.SUCCEEDED}))
        before, _ = glance.list(succeeded, limit=1)
    changed = "" if active_of(rows) else words_of(glance.newest_record(rows[0].rollout.id, KIND))
    succeeded_before = succeeded_of(_kept(row) for row in before)
    return service_view(name, rows, changed=changed, succeeded=succeeded_before)


def _kept(row: Row) -> Kept:
    """What is kept of a row. Raises NotKept where another version kept it, or another commit than the row's last."""
    try:
        said = json.loads(row.shown)
        if said["form"] != FORM or said["rollout"]["version"] != row.version:
            raise NotKept
        kept = read(Kept, said)
    except (ValueError, TypeError, KeyError, Unreadable) as error:
        raise NotKept from error
    return replace(kept, rollout=replace(kept.rollout, wake_at=row.wake_at))
