"""Gate ``health``: are the targets and tasks of the colour that takes traffic well?

It stands ahead of metrics: a group without a healthy target serves errors right now (the load balancer does not
send its share elsewhere), whatever the last minute's counts will say.

One answer of AWS may be older than the one before it. What such an answer would show fails the colour only once two
looks agree; where it reads as before the colour was ready, once no look for `STALE_LONGEST` has found anything else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from orchestrator.core.cloud.readiness import STALE_LONGEST, not_healthy
from orchestrator.core.cloud.resources import (
    Absent,
    ServiceLook,
    ServiceSeen,
    StopSeen,
    TargetsLook,
    TargetsSeen,
    Unread,
)
from orchestrator.core.cloud.stop_causes import (
    FLAPPING_OVER,
    FLAPPING_WITHIN,
    Cause,
    cause_of,
    own_stops,
    why_in_doubt,
)
from orchestrator.core.domain.text import counted
from orchestrator.core.domain.verdict import Answer, fail, hold, passed
from orchestrator.core.gates.gate import Gate
from orchestrator.core.gates.scene import Scene

NAME = "health"
# Both colours' health checks have the same interval and count, and ECS's scheduler takes its time.
TOGETHER = timedelta(minutes=2)
NOT_IN_USE = "Target.NotInUse"  # elbv2 DescribeTargetHealth: no rule uses the group


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthSpec:
    """Settings of ``gates.health``."""

    on: bool = True


def judge(spec: HealthSpec, scene: Scene) -> Answer:
    """FAIL where the colour cannot serve or does not stay up; HOLD where it is short of targets or unread."""
    match scene.service:
        case None | Unread():
            why = scene.service.why if scene.service else "it was not looked at"
            return _hold(f"{scene.judged}'s service could not be read: {why}", "the service can be read")
        case Absent():
            return fail(NAME, f"{scene.judged}'s service is gone", sure_after=scene.look_gap)
        case ServiceSeen() as service:
            return _of_tasks(service, scene) or _of_targets(service, scene)


def _of_tasks(service: ServiceSeen, scene: Scene) -> Answer | None:
    primary = service.primary
    if service.status != "ACTIVE" or primary is None:
        return fail(NAME, f"{scene.judged}'s service is {service.status}")
    if primary.task_definition != scene.revision:
        return _hold(
            f"somebody gave {scene.judged} another revision: {primary.task_definition}",
            f"{scene.judged} runs {scene.revision}",
        )
    if primary.rollout_state == "FAILED":
        return fail(NAME, f"ECS gave up on {scene.judged}: {primary.reason or 'its circuit breaker opened'}")
    since = max(scene.now - FLAPPING_WITHIN, scene.stops_count_from)
    stops = _not_of_both(own_stops(service, scene.revision, since), scene.other)
    if len(stops) > FLAPPING_OVER:
        other = scene.judged.other
        if scene.other is None or isinstance(scene.other, Unread):
            # What befalls both colours is held against neither, and who cannot be asked may have had it too.
            words = f"{scene.judged}: {counted(len(stops), 'task')} stopped, and {other}'s are not known yet"
            return _hold(words, f"{other}'s stopped tasks can be read")
        last = stops[0].why
        minutes = int(FLAPPING_WITHIN.total_seconds() // 60)
        words = f"{len(stops)} of {scene.judged}'s tasks stopped within {minutes} minutes: {last}"
        are_asked = all(isinstance(seen, TargetsSeen) and not seen.unused for seen in scene.others)
        if not (are_asked and _has_none_healthy(scene.others)):
            return fail(NAME, words)
        return _hold(f"{words}; no target of {other} is healthy", f"a target of {other} is healthy")
    doubt = why_in_doubt(service, scene.revision, scene.now, scene.stops_count_from)
    return _hold(f"{scene.judged}: {doubt}", f"{scene.judged}'s tasks stay up") if doubt else None


def _not_of_both(stops: Sequence[StopSeen], other: ServiceLook) -> list[StopSeen]:
    """Those about the time of which no task of the other colour stopped: what befalls both is held against neither."""
    theirs = (
        [one for one in other.stops if cause_of(one) is Cause.OWN] if isinstance(other, ServiceSeen) else []
    )
    return [stop for stop in stops if all(abs(stop.at - one.at) > TOGETHER for one in theirs)]


def _of_targets(service: ServiceSeen, scene: Scene) -> Answer:
    shifted = sum(seen.shifted for seen in (*scene.targets, *scene.others) if isinstance(seen, TargetsSeen))
    if shifted:
        # The load balancer passes a whole zone by, of both colours, and its targets may go bad unasked.
        return _hold(
            f"a zonal shift keeps requests from {counted(shifted, 'target')}", "the zonal shift is over"
        )
    for seen in scene.targets:
        if isinstance(seen, Absent):
            return fail(NAME, f"{scene.judged}'s target group is gone", sure_after=scene.look_gap)
        if isinstance(seen, TargetsSeen) and seen.reasons == (NOT_IN_USE,) and not seen.healthy:
            # Somebody took the group off its rules, or the rules away: drift says so, and no user meets it.
            return _hold(f"no rule uses {scene.judged}'s target group", "a rule uses it again")
        if isinstance(seen, TargetsSeen) and seen.healthy == 0 and scene.weight > 0:
            return _without_healthy(seen, scene)
    short = not_healthy(scene.targets, service.desired)
    if short:
        return _hold(f"{scene.judged}: {short}", f"{service.desired} targets of {scene.judged} are healthy")
    if service.running < service.desired:
        return _hold(
            f"{scene.judged} runs {service.running} of {service.desired} tasks",
            f"{scene.judged} runs {service.desired} tasks",
        )
    return passed(NAME, f"all {service.desired} targets of {scene.judged} are healthy")


def _without_healthy(seen: TargetsSeen, scene: Scene) -> Answer:
    """FAIL, unless the other colour has no healthy target either: what both depend on may be away.

    Giving all traffic to the other colour would help nobody as long as that lasts.
    """
    what = f"none of {seen.registered} targets is healthy" if seen.registered else "it has no target"
    reasons = f": {', '.join(seen.reasons)}" if seen.reasons else ""
    words = f"{scene.judged} takes traffic and {what}{reasons}"
    if _has_none_healthy(scene.others):
        other = scene.judged.other
        return _hold(f"{words}; neither is {other}'s", f"a target of {scene.judged} or {other} is healthy")
    return fail(NAME, words, sure_after=STALE_LONGEST if _reads_as_before(seen) else scene.look_gap)


def _reads_as_before(seen: TargetsSeen) -> bool:
    """True if a group without a healthy target looks as one whose first health checks have not passed yet."""
    return seen.initial + seen.unused == seen.registered > 0


def _has_none_healthy(looks: Sequence[TargetsLook]) -> bool:
    return bool(looks) and all(isinstance(seen, TargetsSeen) and not seen.healthy for seen in looks)


def _hold(reason: str, clears_when: str) -> Answer:
    return hold(NAME, reason, clears_when=clears_when, is_evidence=False)


HEALTH = Gate(
    name=NAME,
    usual=HealthSpec(),
    is_on=lambda spec: spec.on,
    judge=judge,
    says="Targets and tasks of green.",
    may_stand_alone=True,
)
