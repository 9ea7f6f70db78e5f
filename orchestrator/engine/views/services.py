"""Services as people and programs see them: what serves now, and how it came to that; made from the store alone."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime

from orchestrator.core.domain.errors import NotFound, Refused
from orchestrator.core.domain.phases import Phase
from orchestrator.core.ownership import service_of_record
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.engine.changed_afterwards import changed
from orchestrator.engine.views.rollout import RolloutView, view
from orchestrator.ports.rollouts import Filter, RolloutPages, ServicePages, ServiceStore

HISTORY = 20  # rollouts that a service shows
_NAMES_A_PAGE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class PastView:
    """A rollout in the history of its service."""

    id: str
    phase: str
    revision: str
    started_at: datetime
    ended_at: datetime | None  # None: it is active
    author: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingView:
    """The ECS service that serves under a service's name: the one of that name, or a green that a swap left.

    ``former_name`` is the one whose place it took, kept without tasks or deleted; empty: it took nobody's.
    """

    name: str
    arn: str
    target_groups: tuple[str, ...]
    task_definition: str
    former_name: str
    is_former_kept: bool
    former_task_definition: str  # that it ran, or that the other did, before the last success; empty: unknown
    rollout: str  # the newest that knows all this


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceView:
    """One service that had a rollout.

    ``serving`` is the ECS service that serves; None: unknown. ``serves`` is blue's revision as the store knows it: that
    of the last success, the one that a rollback put traffic back on, or the one that an active rollout began from; how
    much traffic that rollout gives to its own revision is in its own view. Empty: unknown, since the newest rollout was
    abandoned, or since none has read blue yet.
    """

    name: str  # cluster/service
    serves: str
    serving: ServingView | None
    succeeded: str  # the revision of the last rollout that succeeded; empty: none did
    changed: (
        str  # what is not as its last rollout left it, as far as a server has looked; empty: nothing known
    )
    active: str  # id of the active rollout; empty: none
    active_phase: str
    history: tuple[PastView, ...]  # newest first, the active one among them


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
        raise NotFound(
            what=f"no service `{name}`",
            why="it never had a rollout in this store",
            next_step="`teal services` shows those that had one",
        )
    return found


async def _full_name(name: str, store: ServicePages, reaches: Reaches) -> str:
    """The service's name with its cluster; empty if there is none."""
    hits = [full async for full in _names(store, "") if full.endswith(f"/{name}") and reaches(full)]
    if len(hits) > 1:
        raise Refused(
            what=f"`{name}` means more than one service",
            why=", ".join(hits),
            next_step="name the cluster too",
        )
    return hits[0] if hits else ""


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
    rows = [view(row) for row in stored]
    if not rows:
        return None
    active = next((row for row in rows if row.is_active), None)
    return ServiceView(
        name=name,
        serves=_serves(rows),
        changed="" if active else await changed(store, stored[0].rollout),
        serving=_serving([row.rollout for row in stored]),
        succeeded=_succeeded(rows) or (await _succeeded_before(store, name) if older else ""),
        active=active.id if active else "",
        active_phase=active.phase if active else "",
        history=tuple(_past(row) for row in rows[:history]),
    )


def _serves(rows: list[RolloutView]) -> str:
    """What blue runs: the newest rollout that knows it says so, but for one of which how it was left is not known."""
    for row in rows:
        if row.phase == Phase.SUCCEEDED:
            return row.revision
        if row.phase == Phase.ABANDONED:
            return ""
        if row.former:
            return row.former
    return ""


def _serving(rows: list[Rollout]) -> ServingView | None:
    """Who serves: the newest rollout that knows says so, but for one of which how it was left is not known."""
    for row in rows:
        if row.phase is Phase.ABANDONED and row.blue is not None:
            return None
        found = service_of_record.serves(row)
        if found is not None:
            before = _before(rows, found.name)
            return ServingView(
                name=found.name,
                arn=found.arn,
                target_groups=found.groups,
                task_definition=found.task_definition,
                former_name=before.before if before else "",
                is_former_kept=before is not None and before.is_before_kept,
                former_task_definition=_former(rows),
                rollout=row.id,
            )
    return None


def _before(rows: list[Rollout], name: str) -> service_of_record.Serves | None:
    """How the service that serves came into its place; None: it was there before."""
    found = (service_of_record.serves(row) for row in rows)
    return next((one for one in found if one is not None and one.name == name and one.before), None)


def _former(rows: list[Rollout]) -> str:
    done = (row for row in rows if row.phase is Phase.SUCCEEDED and row.blue is not None)
    return next((row.blue.former for row in done if row.blue is not None and not row.spec.first_tasks), "")


def _succeeded(rows: list[RolloutView]) -> str:
    return next((row.revision for row in rows if row.phase == Phase.SUCCEEDED), "")


async def _succeeded_before(store: RolloutPages, name: str) -> str:
    which = Filter(service=name, phases=frozenset({Phase.SUCCEEDED}))
    newest, _ = await store.list(which, limit=1)
    return _succeeded([view(row) for row in newest])


def _past(row: RolloutView) -> PastView:
    return PastView(
        id=row.id,
        phase=row.phase,
        revision=row.revision,
        started_at=row.created_at,
        ended_at=row.ended_at,
        author=row.author,
    )
