"""Case 82: the last sentence says what is not as it was, and agrees with the whole account as described."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.spec import OnDrift
from tests.cases.rivals import (
    another_revision,
    changed_condition,
    changed_stickiness,
    deleted_rule,
    foreign_weight,
    other_bounds,
    updated,
)
from tests.cases.rule_stage import teams_own
from tests.cases.showcase import look
from tests.support.everything import OF_A_NEW_REVISION, OF_TIME, difference, sorted_out
from tests.support.rehearsal import Rehearsal

# (what others do, whether blue scales, a part of the last sentence)
RIVALS: dict[str, tuple[Callable[[Rehearsal], None], bool, str]] = {
    "nothing": (lambda stage: None, True, "the rest is as it was (compared: 3 rules, blue's revision, "),
    "a foreign weight": (foreign_weight, True, "the weight of search: 1 → "),
    "a deleted rule": (deleted_rule, True, "rule 1000 of load balancer prod-lb: there → deleted"),
    "a changed condition": (
        changed_condition,
        True,
        "its conditions: path-pattern /* → path-pattern /shop/*",
    ),
    "other stickiness": (changed_stickiness, True, "group stickiness: 60 s → 77 s"),
    "another count": (updated(desiredCount=5), False, "blue's desired count: 3 → 5"),
    "another revision": (another_revision, True, "blue's revision: checkout:1 → checkout:3"),
    "other bounds": (other_bounds, True, "blue's minimum: 2 → 1; blue's maximum: 12 → 15"),
    "another configuration": (
        updated(deploymentConfiguration={"maximumPercent": 150, "minimumHealthyPercent": 100}),
        True,
        "blue's deployment configuration: ",
    ),
}


@contextmanager
def furnished(*, scalable: bool) -> Iterator[Rehearsal]:
    with contextmanager(teams_own)(scalable=scalable) as stage:
        stage.revision()
        yield stage


def at_traffic(stage: Rehearsal, **changes: Any) -> RolloutId:  # noqa: ANN401 - the fields of Spec
    rollout = stage.start(stage.spec(f"{stage.scenery.service}:2", **changes))
    stage.until(rollout, Phase.SHIFTING)
    while not stage.row(rollout).green_weight:
        stage.let_run(timedelta(seconds=1))
    return rollout


@pytest.mark.parametrize("name", list(RIVALS))
def test_case_82_after_a_rollback_the_last_sentence_agrees_with_the_account(name: str) -> None:
    act, scalable, words = RIVALS[name]
    with furnished(scalable=scalable) as stage:
        before = look(stage)
        rollout = at_traffic(stage)
        act(stage)
        stage.let_run(timedelta(seconds=15))
        if not stage.row(rollout).phase.is_final:
            stage.command(rollout, CommandKind.ROLLBACK)
        assert stage.until(rollout).phase is Phase.ROLLED_BACK, stage.story(rollout)
        stage.let_run(timedelta(seconds=20))
        (ended,) = stage.events(rollout, EventKind.ENDED)
        _, others = sorted_out(difference(before, look(stage)), OF_TIME | made_by_others(name))
        differs = json.loads(str(dict(ended.event.facts)["differs"]))
        assert words in ended.event.message, ended.event.message
        assert bool(differs) == bool(others), (differs, others)
        assert ("as it was (" in ended.event.message) == (not others)


def made_by_others(name: str) -> dict[str, str]:
    """What goes with a change and is none of its own: the revision that was registered, and tasks that follow."""
    if name != "nothing":
        return {
            r"ecs (ListTaskDefinitions|DescribeTaskDefinition) ": "the revision that the rival registered",
            r"elbv2 DescribeTargetHealth ": "where tasks are",
        }
    return {}


@pytest.mark.parametrize("name", ["nothing", "other stickiness", "other bounds"])
def test_case_82_after_a_success_the_last_sentence_agrees_with_the_account(name: str) -> None:
    act, scalable, words = RIVALS[name]
    with furnished(scalable=scalable) as stage:
        before = look(stage)
        rollout = at_traffic(stage, on_drift=OnDrift.ACCEPT)
        act(stage)
        assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)
        (ended,) = stage.events(rollout, EventKind.ENDED)
        kinds = (
            OF_A_NEW_REVISION
            | OF_TIME
            | {r"ecs (ListTaskDefinitions|DescribeTaskDefinition) ": "the release's"}
        )
        _, others = sorted_out(difference(before, look(stage)), kinds)
        differs = json.loads(str(dict(ended.event.facts)["differs"]))
        assert words in ended.event.message, ended.event.message
        assert bool(differs) == bool(others), (differs, others)


def test_case_82_what_cannot_be_read_at_the_end_is_said_and_the_end_does_not_hang() -> None:
    """From the moment at which the last thing of green is gone AWS tells nobody of scalable targets any more."""
    with Rehearsal(scalable=False) as stage:
        stage.revision()
        rollout = at_traffic(stage)
        stage.command(rollout, CommandKind.ROLLBACK)
        hour = timedelta(hours=1)

        def begin(_: object) -> None:
            stage.world.faults.outage(("ecs",), until=stage.world.now + hour)

        stage.world.faults.before("DeleteTargetGroup", 1, begin)
        row = stage.until(rollout, within=timedelta(minutes=5))
        assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
        (ended,) = stage.events(rollout, EventKind.ENDED)
        assert ended.event.message.endswith("not compared, since it could not be read: blue")
        assert dict(ended.event.facts)["not_compared"] == "blue"
