"""What is done about blue once green is to stay (`ending: swap`): the row's part of it, and what follows from it."""

from dataclasses import dataclass
from datetime import datetime

from orchestrator.core.domain.ids import TargetGroupArn


@dataclass(frozen=True, slots=True, kw_only=True)
class Retirement:
    """Each part is recorded before the call that it is about, so that a rollback knows what may have been done."""

    token: str  # for making blue anew, should it be deleted and then wanted back
    desired: int  # tasks that a rollback gives blue back
    is_swapping: bool = False  # final lists may have been written
    swapped_at: datetime | None = None  # every rule was seen with its final list
    is_configured: bool = False  # green was seen with the deployment configuration that blue had
    drained_from: datetime | None = None  # blue's tasks may have been stopped
    is_empty: bool = False  # blue was seen wanting no task
    is_scaling_gone: bool = False  # blue's scalable target may have been taken away
    is_tagged: bool = False  # a blue that Teal did not make may have got the tag that lets it be deleted
    is_deleting: bool = False  # DeleteService may have been sent
    is_gone: bool = False  # blue's service was seen gone
    is_clearing: bool = False  # one of blue's target groups may have been deleted: there is no way back
    cleared: tuple[TargetGroupArn, ...] = ()  # of blue's target groups: seen gone, or not Teal's to delete
    asked_at: datetime | None = None  # blue was last asked to stop its tasks, or to go
    returning_from: datetime | None = None  # a rollback asked for blue's tasks again
