"""A service's view: what it is made of, and how it follows from what is kept of its rollouts. Imports none of the core.

`orchestrator.engine.views.services` reads what it takes from the store.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from orchestrator.core.domain.errors import NotFound, Refused
from orchestrator.core.domain.phases import Phase
from orchestrator.core.ownership.service_of_record import Serves
from orchestrator.engine.views.kept import Kept
from orchestrator.engine.views.rollout_values import RolloutView

HISTORY = 20  # rollouts that a service shows


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


def service_view(
    name: str, rows: Sequence[Kept], *, changed: str, succeeded: str, history: int = HISTORY
) -> ServiceView:
    """A service from its newest rollouts, one at least, newest first.

    ``changed``: what is known to have changed since the newest. ``succeeded``: the revision of the last success before
    all of `rows`, which counts where none of them succeeded.
    """
    views = [row.rollout for row in rows]
    active = active_of(rows)
    return ServiceView(
        name=name,
        serves=_serves(views),
        changed="" if active else changed,
        serving=_serving(rows),
        succeeded=succeeded_of(rows) or succeeded,
        active=active.id if active else "",
        active_phase=active.phase if active else "",
        history=tuple(_past(row) for row in views[:history]),
    )


def active_of(rows: Iterable[Kept]) -> RolloutView | None:
    """The active one among a service's rollouts."""
    return next((row.rollout for row in rows if row.rollout.is_active), None)


def succeeded_of(rows: Iterable[Kept]) -> str:
    """The revision of the newest success among some rollouts; empty: none succeeded."""
    return next((row.rollout.revision for row in rows if row.rollout.phase == Phase.SUCCEEDED), "")


def full_name(name: str, names: Iterable[str]) -> str:
    """The one of these services that is called so without its cluster; empty: none is.

    Raises Refused if the name alone means several.
    """
    hits = [full for full in names if full.endswith(f"/{name}")]
    if len(hits) > 1:
        raise Refused(
            what=f"`{name}` means more than one service",
            why=", ".join(hits),
            next_step="name the cluster too",
        )
    return hits[0] if hits else ""


def no_service(name: str) -> NotFound:
    """The error of a service that never had a rollout."""
    return NotFound(
        what=f"no service `{name}`",
        why="it never had a rollout in this store",
        next_step="`teal services` shows those that had one",
    )


def _serves(rows: Iterable[RolloutView]) -> str:
    """What blue runs: the newest rollout that knows it says so, but for one of which how it was left is not known."""
    for row in rows:
        if row.phase == Phase.SUCCEEDED:
            return row.revision
        if row.phase == Phase.ABANDONED:
            return ""
        if row.former:
            return row.former
    return ""


def _serving(rows: Sequence[Kept]) -> ServingView | None:
    """Who serves: the newest rollout that knows says so, but for one of which how it was left is not known."""
    for row in rows:
        if row.rollout.phase == Phase.ABANDONED and row.is_blue_read:
            return None
        found = row.serves
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
                rollout=row.rollout.id,
            )
    return None


def _before(rows: Iterable[Kept], name: str) -> Serves | None:
    """How the service that serves came into its place; None: it was there before."""
    found = (row.serves for row in rows)
    return next((one for one in found if one is not None and one.name == name and one.before), None)


def _former(rows: Iterable[Kept]) -> str:
    done = (row for row in rows if row.rollout.phase == Phase.SUCCEEDED and row.is_blue_read)
    return next((row.rollout.former for row in done if not row.is_first), "")


def _past(row: RolloutView) -> PastView:
    return PastView(
        id=row.id,
        phase=row.phase,
        revision=row.revision,
        started_at=row.created_at,
        ended_at=row.ended_at,
        author=row.author,
    )
