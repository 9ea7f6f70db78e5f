"""A service whose rollouts end in a swap, and what is looked at there."""

import json
from datetime import timedelta
from typing import Any

from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.core.rollout.spec import Ending
from tests.support.rehearsal import Rehearsal

BREAKER = {
    "minimumHealthyPercent": 100,
    "maximumPercent": 200,
    "deploymentCircuitBreaker": {"enable": True, "rollback": True},
    "alarms": {"alarmNames": ["checkout-5xx"], "enable": True, "rollback": True},
}


def swap(stage: Rehearsal, ending: Ending, *, key: str = "rehearsal", **changes: Any) -> RolloutId:  # noqa: ANN401
    """Start a rollout to the next revision that ends in a swap."""
    return stage.start(stage.spec(stage.revision(), ending=ending, **changes), key=key)


def swapped(stage: Rehearsal, ending: Ending, *, key: str = "rehearsal", **changes: Any) -> Rollout:  # noqa: ANN401
    """A rollout that has ended in a swap."""
    rollout = swap(stage, ending, key=key, **changes)
    row = stage.until(rollout)
    assert row.phase is Phase.SUCCEEDED, stage.story(rollout)
    return row


def until_recorded(stage: Rehearsal, rollout: RolloutId, kind: EventKind) -> Rollout:
    """Let the rollout go on, a virtual second at a time, until it has told something."""
    for _ in range(3600):
        if stage.events(rollout, kind):
            return stage.row(rollout)
        stage.let_run(stage.world.minute / 20)
    raise AssertionError(f"{kind} was never told:\n{stage.story(rollout)}")


def until_asked(stage: Rehearsal, rollout: RolloutId, effect: str) -> Rollout:
    """Let the rollout go on until it has asked for an effect whose key begins so."""
    for _ in range(3600):
        facts = [dict(seen.event.facts) for seen in stage.events(rollout, EventKind.EFFECT_ASKED)]
        if any(str(each.get("effect", "")).startswith(effect) for each in facts):
            return stage.row(rollout)
        stage.let_run(stage.world.minute / 20)
    raise AssertionError(f"{effect} was never asked for:\n{stage.story(rollout)}")


def make_slow_to_stop(stage: Rehearsal, stops_in: timedelta) -> None:
    """Have tasks that begin from now on take so long to stop, blue's own among them."""
    stage.world.behaviour.stops_in = stops_in
    asked = {"cluster": stage.scenery.cluster, "service": stage.scenery.service, "forceNewDeployment": True}
    stage.world.call("ecs", "UpdateService", asked)
    stage.let_run(timedelta(seconds=60))


def lose_sight_after(stage: Rehearsal, operation: str, lasts: timedelta) -> None:
    """Once the operation has been called, AWS answers nobody for so long."""
    faults = stage.world.faults

    def begin(_: object) -> None:
        faults.outage("all", until=stage.world.now + lasts)

    faults.before(operation, 1, lambda _: faults.before("DescribeServices", 1, begin))


def in_place(rules: list[dict[str, Any]], was: str, now: str) -> str:
    """Rules as text, with one target group in another's place and nothing else changed."""
    return json.dumps(rules, sort_keys=True).replace(was, now)
