"""Every exit from every phase beside every rival: what differs then, and whether the last sentence says so.

``python -m tests.cases.exits [PART …]`` prints one line for each, of those whose name has every PART in it.
What differs is found by comparing every Describe answer of the account before and after, with nothing of Teal's.
"""

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import product

from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.core.rollout.spec import Ending, OnDrift
from sandbox.scenarios.scenery import alarm
from sandbox.scenarios.scenery_scaling import KINDS, scale_by
from tests.cases import rivals
from tests.cases.looks import service_of
from tests.cases.rule_stage import call, forward_of, make_sticky, on_https, rule_of
from tests.cases.scaling_stage import bounds_of
from tests.cases.second_balancer import on_a_second_load_balancer
from tests.support import aws_cli
from tests.support.everything import (
    OF_A_NEW_REVISION,
    OF_TIME,
    Answers,
    difference,
    everything,
    renamed,
    sorted_out,
)
from tests.support.rehearsal import Rehearsal

TARGET = 215.0
SECOND = timedelta(seconds=1)
OF_A_KEPT_BLUE = {
    r"ecs DescribeServices \S+\.(desired|running)Count": "blue kept, without tasks",
    r"ecs (ListTasks|DescribeTasks) ": "blue kept, without tasks",
    r"elbv2 (DescribeTargetHealth|DescribeTargetGroups) ": "blue kept, in no rule",
    r"ecs DescribeServices \S+\.created": "when the service was made, and by whom",
    r"(ecs DescribeServices \S+\.tags|elbv2 DescribeTags )": "Teal's tags beside the team's",
}
OF_A_RIVAL = {
    r"ecs (ListTaskDefinitions|DescribeTaskDefinition) ": "revisions that others registered",
    r"ecs DescribeServices \S+\.runningCount": "tasks that follow",
    r"elbv2 DescribeTargetHealth ": "where tasks are",
    r"ecs (ListTasks|DescribeTasks|ListServiceDeployments) ": "ECS's own record",
    r"ecs DescribeServices \S+\.(deployments|events|currentService(Deployment|Revisions))\b": "ECS's own record",
}
PHASES = (
    Phase.PREPARING,
    Phase.PROVISIONING,
    Phase.SHIFTING,
    Phase.WATCHING,
    Phase.SETTLING,
    Phase.RETIRING,
    Phase.ROLLING_BACK,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """What others do, and what of it must be there at the end."""

    act: Callable[[Rehearsal], None]
    stands: Callable[[Rehearsal], object]  # the same right after the act and at the end
    scalable: bool = True
    is_compared: bool = True  # the last sentence is about it at all


def _nothing(_: Rehearsal) -> object:
    return None


def _share(stage: Rehearsal) -> object:
    groups = forward_of(rule_of(stage, stage.scenery.rules[-1]))["TargetGroups"]
    total = sum(group["Weight"] for group in groups)
    return [round(g["Weight"] / total, 2) for g in groups if "/search/" in g["TargetGroupArn"]]


def _rules(stage: Rehearsal) -> object:
    asked = [call(stage, "DescribeRules", ListenerArn=one)["Rules"] for one in stage.scenery.listeners]
    return [(rule["RuleArn"], rule["Conditions"]) for each in asked for rule in each]


def _stickiness(stage: Rehearsal) -> object:
    return forward_of(rule_of(stage)).get("TargetGroupStickinessConfig")


def _count(stage: Rehearsal) -> object:
    return service_of(stage)["desiredCount"]


def _configuration(stage: Rehearsal) -> object:
    return service_of(stage)["deploymentConfiguration"]["maximumPercent"]


def _threshold(stage: Rehearsal) -> object:
    asked = {"AlarmNames": [stage.scenery.alarms[-1]]}
    return stage.world.call("cloudwatch", "DescribeAlarms", asked)["MetricAlarms"][0]["Threshold"]


RIVALS: Mapping[str, Rival] = {
    "nobody": Rival(act=lambda stage: None, stands=_nothing),
    "a foreign weight": Rival(act=rivals.foreign_weight, stands=_share),
    "a deleted rule": Rival(act=rivals.deleted_rule, stands=_rules),
    "a changed condition": Rival(act=rivals.changed_condition, stands=_rules),
    "other stickiness": Rival(act=rivals.changed_stickiness, stands=_stickiness),
    "another count": Rival(act=rivals.updated(desiredCount=5), stands=_count, scalable=False),
    "another revision": Rival(act=rivals.another_revision, stands=_nothing),
    "other bounds": Rival(act=rivals.other_bounds, stands=bounds_of),
    "another configuration": Rival(
        act=rivals.updated(deploymentConfiguration={"maximumPercent": 150, "minimumHealthyPercent": 100}),
        stands=_configuration,
    ),
    "a changed alarm": Rival(act=rivals.changed_alarm, stands=_threshold, is_compared=False),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """How a rollout is left."""

    ending: Ending = Ending.SETTLE
    on_drift: OnDrift = OnDrift.HOLD
    leave: Callable[[Rehearsal, RolloutId], None] | None = None  # None: it goes on to its end

    @property
    def phases(self) -> tuple[Phase, ...]:
        """Where the rival acts: in those that this exit passes through."""
        last = Phase.RETIRING if self.ending.is_swap else Phase.SETTLING
        phases = (*PHASES[: PHASES.index(Phase.SETTLING)], last)
        return phases if self.leave is None else (*phases, Phase.ROLLING_BACK)

    def meets(self, rival: str) -> bool:
        """False for what this exit's stage has nothing of: a swap's service has no scaling here."""
        return not (self.ending.is_swap and rival == "other bounds")


def _by_person(stage: Rehearsal, rollout: RolloutId) -> None:
    if not stage.row(rollout).phase.is_final and stage.row(rollout).phase is not Phase.ROLLING_BACK:
        stage.command(rollout, CommandKind.ROLLBACK)


def _by_gate(stage: Rehearsal, rollout: RolloutId) -> None:
    """Green begins to fail, and an alarm of the gate with it; where green has no traffic yet, it will."""
    stage.world.call(
        "cloudwatch",
        "SetAlarmState",
        {"AlarmName": stage.scenery.alarms[0], "StateValue": "ALARM", "StateReason": "a test"},
    )


def _abandon(stage: Rehearsal, rollout: RolloutId) -> None:
    if not stage.row(rollout).phase.is_final:
        stage.command(rollout, CommandKind.ABANDON)


EXITS: Mapping[str, Exit] = {
    "settle": Exit(on_drift=OnDrift.ACCEPT),
    "by a person": Exit(leave=_by_person),
    "by a gate": Exit(leave=_by_gate),
    "abandon": Exit(leave=_abandon),
    "swap: keep": Exit(ending=Ending.KEEP, on_drift=OnDrift.ACCEPT),
    "swap: delete": Exit(ending=Ending.DELETE, on_drift=OnDrift.ACCEPT),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """One line of the table."""

    name: str
    phase: Phase
    differs: tuple[str, ...]  # lines of the whole account that no deployment explains
    said: str  # the last sentence
    is_said: bool  # it says that something differs
    is_compared: bool = True  # what others did is among what the sentence says to have been compared
    stands: bool  # what others did is there

    @property
    def agrees(self) -> bool:
        """The sentence and the account say the same, and nothing of others was written over."""
        return self.is_said == (bool(self.differs) and self.is_compared) and self.stands


def names() -> list[str]:
    """Every exit, phase and rival."""
    return [
        f"{out} / {phase} / {rival}"
        for out, phase, rival in product(EXITS, PHASES, RIVALS)
        if phase in EXITS[out].phases and EXITS[out].meets(rival)
    ]


@contextmanager
def furnished(*, scalable: bool) -> Iterator[Rehearsal]:
    """Six rules on two load balancers, one sticky, one with OIDC, one shared; every kind of scaling; five alarms."""
    with Rehearsal(rules=3, requests_per_second=60, scalable=scalable) as stage:
        _, internal = on_a_second_load_balancer(stage)
        make_sticky(stage)
        scenery = stage.scenery
        alarms = [
            alarm(stage.world, f"checkout-{n}", scenery.load_balancer, scenery.target_group, threshold=50 + n)
            for n in range(4)
        ]
        stage.scenery = replace(
            scenery,
            rules=(*scenery.rules, internal, *on_https(stage)),
            alarms=(*scenery.alarms, *alarms),
        )
        assert len(stage.scenery.rules) == 6
        if scalable:
            scale_by(stage.world, stage.scenery, *KINDS, target=TARGET)
        stage.revision()
        stage.let_run(2 * stage.world.minute)
        yield stage


def look(stage: Rehearsal) -> Answers:
    """Every Describe answer of the account."""
    return everything(lambda service, operation, params: stage.world.call(service, operation, params))


def play(name: str) -> Ended:
    """One exit, from one phase, beside one rival."""
    out, phase, rival = name.split(" / ")
    exit_, other = EXITS[out], RIVALS[rival]
    with furnished(scalable=other.scalable and not exit_.ending.is_swap) as stage:
        before = look(stage)
        spec = stage.spec(f"{stage.scenery.service}:2", ending=exit_.ending, on_drift=exit_.on_drift)
        rollout = stage.start(spec)
        done = _act(stage, rollout, Phase(phase), other)
        stage.let_run(15 * SECOND)
        if exit_.leave is not None:
            exit_.leave(stage, rollout)
        row = _end(stage, rollout)
        (ended,) = stage.events(rollout, EventKind.ENDED)
        facts = dict(ended.event.facts)
        if row.phase is Phase.ABANDONED:
            return _abandoned(stage, name, before, ended.event.message, str(facts["commands"]))
        stage.let_run(20 * SECOND)
        kinds = OF_A_RIVAL | OF_TIME | (OF_A_NEW_REVISION if row.phase is Phase.SUCCEEDED else {})
        after, is_swapped = look(stage), row.phase is Phase.SUCCEEDED and exit_.ending.is_swap
        if is_swapped:
            before, after = _as_blue(stage, rollout, before, after)
            kinds = {**kinds, **OF_A_KEPT_BLUE}
        _, others = sorted_out(difference(before, after), kinds)
        return Ended(
            name=name,
            phase=row.phase,
            differs=tuple(others),
            said=ended.event.message,
            is_said=bool(json.loads(str(facts["differs"]))),
            is_compared=other.is_compared,
            stands=is_swapped or other.stands(stage) == done,
        )


def _act(stage: Rehearsal, rollout: RolloutId, phase: Phase, other: Rival) -> object:
    """Have others act in that phase; returns what must be there of it at the end."""
    if phase is not Phase.PREPARING:
        _until(stage, rollout, phase)
        other.act(stage)
        return other.stands(stage)
    done: list[object] = []  # preparing is over within a moment: right before its first write, then

    def act(_: object) -> None:
        other.act(stage)
        done.append(other.stands(stage))

    stage.world.faults.before("CreateTargetGroup", 1, act)
    while not done:
        stage.let_run(SECOND / 4)
    return done[0]


def _end(stage: Rehearsal, rollout: RolloutId) -> Rollout:
    """The rollout's end; where it waits for a person, one takes it back."""
    try:
        return stage.until(rollout)
    except TimeoutError:
        if not stage.row(rollout).waiting.holds:
            raise
        stage.command(rollout, CommandKind.ROLLBACK)
        return stage.until(rollout)


def _until(stage: Rehearsal, rollout: RolloutId, phase: Phase) -> None:
    if phase is Phase.ROLLING_BACK:
        stage.until(rollout, Phase.WATCHING)
        stage.command(rollout, CommandKind.ROLLBACK)
    stage.until(rollout, phase)
    while phase is Phase.SHIFTING and not stage.row(rollout).green_weight:
        stage.let_run(SECOND)


def _abandoned(stage: Rehearsal, name: str, before: Answers, said: str, commands: str) -> Ended:
    """Its sentence names what is left; once its commands were run, nothing differs where nobody else did anything.

    What the commands leave beside a rival is shown and not judged: they put first values back.
    """
    for command in commands.splitlines():
        if not aws_cli.run(stage.world, command):
            stage.let_run(timedelta(minutes=5))
    stage.let_run(timedelta(seconds=90))
    kinds = OF_A_RIVAL | OF_TIME
    _, others = sorted_out(difference(before, look(stage)), kinds)
    is_alone = name.endswith("/ nobody")
    return Ended(
        name=name,
        phase=Phase.ABANDONED,
        differs=tuple(others),
        said=said,
        is_said=bool(others) if not is_alone else False,
        stands=True,
    )


def _as_blue(
    stage: Rehearsal, rollout: RolloutId, before: Answers, after: Answers
) -> tuple[Answers, Answers]:
    """The account before, and after without blue and with green's names read as blue's."""
    row, scenery = stage.row(rollout), stage.scenery
    assert row.green is not None
    named = {row.green.name: scenery.service}
    blues = {scenery.service}
    for pair in row.pairs:
        assert pair.green is not None
        named |= {pair.green: pair.blue, pair.green_name: pair.blue.split("/")[1]}
        blues |= {pair.blue, pair.blue.split("/")[1]}
    mine = {key: answer for key, answer in after.items() if key.rpartition(" ")[2] not in blues}
    return renamed(before, {}), renamed(mine, named)


def main(parts: list[str]) -> bool:
    """Print the table; True if every line agrees."""
    asked = [name for name in names() if all(part in name for part in parts)]
    agreeing = 0
    for name in asked:
        try:
            ended = play(name)
        except (AssertionError, TimeoutError, KeyError, ValueError) as error:
            print(f"broken  {name}: {type(error).__name__} {str(error)[:300]}", flush=True)
            continue
        agreeing += ended.agrees
        print(
            f"{'agrees ' if ended.agrees else 'DIFFERS'} {name} → {ended.phase}"
            + ("" if ended.stands else "; what others did was written over"),
            *(f"          {line}" for line in ended.differs[:12]),
            f"          “{re.sub(chr(10), ' ', ended.said)[:600]}”",
            sep="\n",
            flush=True,
        )
    print(f"{len(asked)} exits, {agreeing} agree")
    return agreeing == len(asked)


if __name__ == "__main__":
    sys.exit(not main(sys.argv[1:]))
