"""Services as people and programs see them: what serves now, and how it came to that; made from the store alone."""

from collections.abc import AsyncIterator, Callable

from orchestrator.core.domain.phases import Phase
from orchestrator.engine.changed_afterwards import changed
from orchestrator.engine.views.keeping import kept
from orchestrator.engine.views.service_values import (
    HISTORY,
    PastView,
    ServiceView,
    ServingView,
    active_of,
    full_name,
    no_service,
    service_view,
    succeeded_of,
)
from orchestrator.ports.rollouts import Filter, RolloutPages, ServicePages, ServiceStore

__all__ = ["HISTORY", "PastView", "ServiceView", "ServingView", "service", "services"]

_NAMES_A_PAGE = 200

Reaches = Callable[[str], bool]


def everyone(_: str) -> bool:
    """Reaches every service."""
    return True


async def services(
    store: ServiceStore,
    *,
    after: str = "",
    limit: int = 50,
    history: int = HISTORY,
    reaches: Reaches = everyone,
) -> tuple[tuple[ServiceView, ...], str]:
    """A page of the services by name, and the next page's cursor: the page's last name; empty at the end.

    Only services that `reaches` says yes to are there for whoever asks.
    """
    names: list[str] = []
    async for name in _names(store, after):
        if reaches(name):
            if len(names) == limit:
                return await _views(store, names, history), names[-1]
            names.append(name)
    return await _views(store, names, history), ""


async def service(
    name: str, *, store: ServiceStore, history: int = HISTORY, reaches: Reaches = everyone
) -> ServiceView:
    """One service, as ``cluster/service`` or by its own name where one cluster has it.

    Raises NotFound if it never had a rollout, or is out of reach; Refused if the name alone means several.
    """
    full = name if "/" in name else await _full_name(name, store, reaches)
    found = await _view(store, full, history) if full and reaches(full) else None
    if found is None:
        raise no_service(name)
    return found


async def _full_name(name: str, store: ServicePages, reaches: Reaches) -> str:
    return full_name(name, [full async for full in _names(store, "") if reaches(full)])


async def _names(store: ServicePages, after: str) -> AsyncIterator[str]:
    while True:
        page, cursor = await store.services(after=after, limit=_NAMES_A_PAGE)
        for name in page:
            yield name
        if not cursor:
            return
        after = cursor


async def _views(store: ServiceStore, names: list[str], history: int) -> tuple[ServiceView, ...]:
    found = [await _view(store, name, history) for name in names]
    return tuple(one for one in found if one is not None)


async def _view(store: ServiceStore, name: str, history: int) -> ServiceView | None:
    stored, older = await store.list(Filter(service=name), limit=max(history, 1))
    rows = [kept(row) for row in stored]
    if not rows:
        return None
    return service_view(
        name,
        rows,
        changed="" if active_of(rows) else await changed(store, stored[0].rollout),
        succeeded=await _succeeded_before(store, name) if older and not succeeded_of(rows) else "",
        history=history,
    )


async def _succeeded_before(store: RolloutPages, name: str) -> str:
    which = Filter(service=name, phases=frozenset({Phase.SUCCEEDED}))
    newest, _ = await store.list(which, limit=1)
    return succeeded_of(kept(row) for row in newest)
