"""Tasks that stopped, recorded once each in ECS's own words: ECS itself forgets them within about an hour."""

from orchestrator.core.cloud.resources import ServiceSeen, StopSeen
from orchestrator.core.cloud.stop_causes import Cause, cause_of
from orchestrator.core.domain.events import EventKind
from orchestrator.core.gates.scene import Colour
from orchestrator.core.tick.draft import Draft, service_of

RECORDED_MOST = 50  # of one rollout: enough to see why, and a colour that dies on and on fills no log


def tell(draft: Draft, colour: Colour) -> None:
    """Put the stops of a colour that nobody chose into the audit log, the oldest first."""
    service = service_of(draft, colour)
    if not isinstance(service, ServiceSeen):
        return
    for stop in reversed(service.stops):
        recorded = draft.row.stops.stops_told
        is_news = (
            stop.at > draft.row.created_at and _id(stop) not in recorded and len(recorded) < RECORDED_MOST
        )
        if is_news and cause_of(stop) is not Cause.CHOSEN:
            draft.change(stops_told=(*recorded, _id(stop)))
            draft.wake_by(
                draft.now
            )  # the other colour's are looked at from the first on, and both are needed now
            draft.tell(
                EventKind.TASK_STOPPED,
                f"a task of {colour} stopped: {stop.why}",
                task=stop.task,
                code=stop.code,
                reason=stop.reason,
            )


def _id(stop: StopSeen) -> str:
    return stop.task.rpartition("/")[2]
