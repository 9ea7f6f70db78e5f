"""Going back after the end: the rollout that leads a service to the revision which it ran before another one."""

from collections.abc import Callable
from dataclasses import replace

from orchestrator.core.domain.errors import NotFound, Refused
from orchestrator.core.domain.ids import RolloutId, TaskDefinitionArn, revision_name
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.plan import INSTANT, named_plan
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.core.rollout.spec import UNDOES, ApprovalSpec, Spec
from orchestrator.engine import commands
from orchestrator.ports.rollouts import Filter, RolloutNames, RolloutPages, Stored


def _every(_: str) -> bool:
    return True


async def ended(name: str, *, store: RolloutNames, reaches: Callable[[str], bool] = _every) -> Stored:
    """The rollout that `name` would have undone: by its id, or the last of a service that succeeded.

    Raises NotFound; Refused if a part of a name means several.
    """
    try:
        found = await commands.resolve(name, store=store, reaches=reaches)
    except NotFound:
        which = Filter(service=name, phases=frozenset({Phase.SUCCEEDED}))
        rows, _ = await store.list(which, limit=1)
        if not rows or not reaches(str(rows[0].rollout.spec.service)):
            raise
        return rows[0]
    return found


async def undoing(stored: Stored, *, store: RolloutPages) -> Spec:
    """The rollout file, as values, that takes back what a rollout which succeeded has done.

    Its revision is the one that blue ran before, registered again where somebody has deregistered it since; its plan is
    `instant`; rules, gates, windows and limits are those of
    the rollout that is undone, while nobody's approval is asked for: going back is what people wait for. Raises
    Refused if there is nothing to take back, or if a later rollout has been there since.
    """
    row = stored.rollout
    former = _former(row)
    later = await _succeeded_last(row, store)
    if later != row.id:
        raise Refused(
            what=f"{row.id} is not the last rollout of {row.spec.service} that succeeded: {later} is",
            why=f"undoing it would undo {later} as well",
            next_step=f"undo {later}, or roll out {revision_name(former)} itself, with plan `instant`",
        )
    return replace(
        row.spec,
        task_definition=former,
        images=(),
        plan=named_plan(INSTANT, row.spec.metrics.period),
        approval=ApprovalSpec(),
        override="",
        labels=((UNDOES, row.id),),
    )


def _former(row: Rollout) -> TaskDefinitionArn:
    if row.phase is Phase.ROLLED_BACK:
        raise Refused(what=f"{row.id} was rolled back", why="blue runs the revision that it ran before")
    if row.phase is Phase.ABANDONED:
        raise Refused(
            what=f"{row.id} was abandoned",
            why="how it was left is not known",
            next_step="see what serves (`teal preflight --service …`), and roll out the revision that is to serve",
        )
    if row.phase is not Phase.SUCCEEDED:
        raise Refused(
            what=f"{row.id} is under way ({row.phase})", next_step=f"`teal rollback {row.id}` rolls it back"
        )
    if row.blue is None or row.spec.first_tasks:
        raise Refused(
            what=f"{row.id} was the first deployment of {row.spec.service}",
            why="there is no revision to go back to",
        )
    return row.blue.former


async def _succeeded_last(row: Rollout, store: RolloutPages) -> RolloutId:
    which = Filter(service=str(row.spec.service), phases=frozenset({Phase.SUCCEEDED}))
    newest, _ = await store.list(which, limit=1)
    return newest[0].rollout.id
