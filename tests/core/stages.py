"""Rows in every phase, and what is seen when everything is as such a row says, for tests that change one thing."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from orchestrator.core.analysis import intervals
from orchestrator.core.cloud.effects import Effect, WriteRule
from orchestrator.core.cloud.forward_action import canonical
from orchestrator.core.cloud.resources import (
    Absent,
    GroupSeen,
    RuleSeen,
    ScalingSeen,
    Series,
    ServiceSeen,
    TargetsSeen,
)
from orchestrator.core.decide import decide
from orchestrator.core.domain.commands import Actor, Command, CommandKind
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import RolloutId, TargetGroupArn, TaskDefinitionArn, Tenths
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.plan import ALL, Plan, Step
from orchestrator.core.domain.verdict import Judged, hold
from orchestrator.core.gates.alarms import AlarmSpec, AlarmsSpec
from orchestrator.core.gates.registry import GatesSpec
from orchestrator.core.gates.scene import Counts, Interval
from orchestrator.core.rollout import rule_lists
from orchestrator.core.rollout.changes import changed
from orchestrator.core.rollout.colours import Blue, Colours, Green
from orchestrator.core.rollout.handover import Attempt, End
from orchestrator.core.rollout.progress import Bake, Progress
from orchestrator.core.rollout.rollout import Decision, Hold, HoldKind, Rollout, Ticks
from orchestrator.core.rollout.rule_state import Pair, RuleState
from orchestrator.core.rollout.spec import Spec
from orchestrator.core.scaling.target_values import suspended
from orchestrator.core.tick.seen import Seen
from tests.builders import (
    BLUE_GROUP,
    CLUSTER,
    FORMER,
    LISTENER,
    LOAD_BALANCER,
    NOON,
    RULE,
    SERVICE,
    WANTED,
    good_alarm,
    good_blue,
    good_deployment,
    good_rule,
    good_spec,
    good_survey,
)

AUTHOR, OPERATOR, APPROVER = Actor(name="author"), Actor(name="operator"), Actor(name="approver")
ID = RolloutId("checkout-0a1b2c3d")
GREEN_NAME = "checkout-0a1b2c3d"
GREEN_GROUP = TargetGroupArn(
    BLUE_GROUP.replace("targetgroup/checkout/", "targetgroup/teal-checkout-0a1b2c3d-0/")
)
SCALING = ScalingSeen(
    min_capacity=2,
    max_capacity=10,
    scale_in_suspended=False,
    scale_out_suspended=False,
    scheduled_suspended=False,
)
MINUTE = timedelta(minutes=1)


def plan(*steps: tuple[int, int], approval: Iterable[int] = ()) -> Plan:
    """A plan of (weight in tenths, bake in minutes); `approval`: the steps that ask for one."""
    ask = set(approval)
    made = (
        Step(weight=Tenths(w), bake=timedelta(minutes=m), approval=i in ask) for i, (w, m) in enumerate(steps)
    )
    return Plan(name="custom", steps=tuple(made))


THREE = plan((100, 5), (500, 5), (1000, 30))


def spec(**changes: Any) -> Spec:  # noqa: ANN401 - the fields of Spec
    """Three steps, and the alarm on blue's errors."""
    gates = GatesSpec(alarms=AlarmsSpec(alarms=(AlarmSpec(name="checkout-5xx"),)))
    return good_spec(**{"plan": THREE, "gates": gates, **changes})


def blue(**changes: Any) -> Blue:  # noqa: ANN401 - the fields of Blue
    """Blue as it was read at the start."""
    seen, survey = good_blue(), good_survey()
    known = Blue(
        cluster=CLUSTER,
        name="checkout",
        arn=SERVICE,
        former=FORMER,
        desired=3,
        deployment_configuration=seen.deployment_configuration,
        template=survey.template,
        scaling=SCALING,
        alarms=(good_alarm(),),
    )
    return replace(known, **changes)


def rule(verified: int | None, wanted: int | None = -1, **changes: Any) -> RuleState:  # noqa: ANN401
    """The rule at a weight; `wanted` is the same unless said."""
    seen = good_rule()
    aim = verified if wanted == -1 else wanted
    known = {w for w in (verified, aim) if w is not None}
    state = RuleState(
        arn=RULE,
        listener=LISTENER,
        load_balancer=LOAD_BALANCER,
        is_default=False,
        conditions=rule_lists.conditions_of(seen),
        base=seen.actions,
        blue_group=BLUE_GROUP,
        verified=None if verified is None else Tenths(verified),
        wanted=None if aim is None else Tenths(aim),
        intended=tuple(Tenths(w) for w in sorted(known)),
    )
    return replace(state, **changes)


def row(phase: Phase, *, weight: int | None = None, step: int = 0, **changes: Any) -> Rollout:  # noqa: ANN401
    """A rollout in a phase, with this weight read back on its rule."""
    early = phase in (Phase.PENDING, Phase.PREPARING)
    made = Rollout(
        id=ID,
        spec=spec(),
        author=AUTHOR,
        created_at=NOON - timedelta(hours=1),
        phase=phase,
        phase_since=NOON - MINUTE,
        progress=Progress(step=step),
        ticks=Ticks(ticked_at=NOON - timedelta(seconds=15)),
    )
    if phase is not Phase.PENDING:
        pair = Pair(
            blue=BLUE_GROUP,
            load_balancer=LOAD_BALANCER,
            green_name="teal-checkout-0a1b2c3d-0",
            template=good_survey().groups[0].template,
            attributes=canonical({"deregistration_delay.timeout_seconds": "30"}),
            green=None if early else GREEN_GROUP,
        )
        green = Green(name=GREEN_NAME, task_definition=WANTED, desired=3, token="token", is_asked=not early)
        made = changed(
            made,
            colours=Colours(blue=blue(), green=green),
            pairs=(pair,),
            rules=(rule(weight),),
            is_scaling_touched=not early,
        )
    return changed(made, **changes)


def baked(minutes: float = 5, *, phase: Phase = Phase.SHIFTING, step: int = 0, **changes: Any) -> Rollout:  # noqa: ANN401
    """A step whose weight has been held and seen for so long, with one good interval taken."""
    since = NOON - timedelta(minutes=minutes)
    weight = THREE.steps[step].weight
    taken = Interval(
        start=NOON - 4 * MINUTE,
        blue=None if weight == ALL else Counts(requests=900),
        green=Counts(requests=100),
    )
    given = {
        "bake": Bake(since=since, done=timedelta(minutes=minutes)),
        "observed_at": NOON - timedelta(seconds=15),
        "intervals": (taken,),
        **changes,
    }
    return row(phase, weight=weight, step=step, **given)


def doubted(known: Rollout, *, since: datetime = NOON - timedelta(seconds=15)) -> Rollout:
    """The row after a look, the last one, that found the health of green against it: this one may agree."""
    answer = replace(hold("health", "a test", clears_when="a test"), doubted_since=since)
    return changed(known, answers=(Judged(answer=answer, at=NOON - timedelta(seconds=15)),))


def settling(weight: int = 1000, *, attempts: int = 1, is_homeward: bool = False, **changes: Any) -> Rollout:  # noqa: ANN401
    """A row in settling: blue updated so many times, green at this weight."""
    made = tuple(attempt(number=n + 1, is_taken=True) for n in range(attempts))
    return row(Phase.SETTLING, weight=weight, **{"attempts": made, "is_homeward": is_homeward, **changes})


def attempt(**changes: Any) -> Attempt:  # noqa: ANN401 - the fields of Attempt
    """One update of blue to the new revision."""
    made = Attempt(
        number=1,
        task_definition=WANTED,
        desired=3,
        desired_before=3,
        at=NOON - 10 * MINUTE,
        before="ecs-svc/3241571034958732112",
    )
    return replace(made, **changes)


def rolling_back(weight: int, **changes: Any) -> Rollout:  # noqa: ANN401 - the fields of Rollout
    """A row on its way back, with green at this weight."""
    end = End(reason="a test", by=OPERATOR, at=NOON - MINUTE)
    return row(Phase.ROLLING_BACK, weight=weight, **{"end": end, **changes})


# what is seen ------------------------------------------------------------------------------------------------------


def service(name: str, revision: TaskDefinitionArn, **changes: Any) -> ServiceSeen:  # noqa: ANN401
    """A service that steadily runs three tasks of a revision."""
    tags = {"teal:rollout": ID} if name == GREEN_NAME else {"team": "payments"}
    arn = SERVICE if name == "checkout" else f"{SERVICE}-0a1b2c3d"
    given = {
        "name": name,
        "arn": arn,
        "task_definition": revision,
        "deployments": (good_deployment(task_definition=revision),),
        "tags": tags,
        **changes,
    }
    return good_blue(**given)


def group(**changes: Any) -> GroupSeen:  # noqa: ANN401 - the fields of GroupSeen
    """Green's target group as it should be."""
    seen = GroupSeen(
        arn=GREEN_GROUP,
        name="teal-checkout-0a1b2c3d-0",
        load_balancers=(LOAD_BALANCER,),
        attributes={"deregistration_delay.timeout_seconds": "30"},
        tags={"teal:rollout": ID},
    )
    return replace(seen, **changes)


def tags_on_green(known: Rollout) -> dict[str, str]:
    """Green's own, blue's former revision once the watch has passed, and that it was rolled back where it was."""
    is_way_back = known.phase is Phase.ROLLING_BACK
    is_touched = bool(known.handover.attempts) if is_way_back else not known.phase.blue_is_safe_side
    return {
        "teal:rollout": ID,
        **({"teal:former": FORMER} if is_touched else {}),
        **({"teal:rollback": "teal: a test"} if is_way_back else {}),
    }


def rule_seen(known: Rollout, weight: int | None = -1) -> RuleSeen:
    """The rule as AWS would show it at a weight (unless said: the one that was read back)."""
    state = known.rules[0]
    at = state.verified if weight == -1 else (None if weight is None else Tenths(weight))
    return good_rule(actions=rule_lists.listed(known, state, at))


def seen_of(known: Rollout, **changes: Any) -> Seen:  # noqa: ANN401 - the fields of Seen
    """Everything as the row says: nothing missing, nobody interfered, all healthy."""
    on = known.handover.attempts[-1].task_definition if known.handover.attempts else FORMER
    touched = known.blue_scaling.is_scaling_touched
    green = service(GREEN_NAME, WANTED, tags=tags_on_green(known))
    of_green = TargetsSeen(healthy=3 if known.green and known.green.is_asked else 0)
    good = {
        "survey": good_survey(scaling=SCALING) if known.phase is Phase.PENDING else None,
        "rules": {r.arn: rule_seen(known) for r in known.rules},
        "blue": service("checkout", on),
        "green": green if known.green and known.green.is_asked else Absent(),
        "groups": {
            p.green_name: group(tags=tags_on_green(known)) if p.green else Absent() for p in known.pairs
        },
        "targets": {BLUE_GROUP: TargetsSeen(healthy=3), GREEN_GROUP: of_green},
        "scaling": suspended(SCALING) if touched else SCALING,
        "alarms": {"checkout-5xx": good_alarm()},
        "metrics": metrics(known),
    }
    return Seen(**{**good, **changes})


def metrics(
    known: Rollout,
    *,
    now: datetime = NOON,
    green: tuple[int, int] = (100, 0),
    blue: tuple[int, int] = (900, 0),
) -> dict[str, Series]:
    """Every series that the row's intervals and alarm ask for: (requests, errors) of each colour in each minute."""
    starts = [now - n * MINUTE for n in range(12, 0, -1)]
    counts = {"green": green, "blue": blue}
    found: dict[str, Series] = {}
    for query in intervals.queries(known):
        requests, errors = counts[query.id.split(" ")[0]]
        value = {"RequestCount": requests, "HTTPCode_Target_5XX_Count": errors}.get(query.metric, 0)
        found[query.id] = tuple((start, float(value)) for start in starts if value)
    found["alarm checkout-5xx"] = tuple((start, float(green[1])) for start in starts if green[1])
    found["requests checkout-5xx"] = tuple((start, float(green[0])) for start in starts if green[0])
    return found


# what is decided ---------------------------------------------------------------------------------------------------


def at(known: Rollout, seen: Seen | None = None, *, now: datetime = NOON) -> Decision:
    """The decision about a row, given what is seen (unless said: everything as the row says)."""
    return decide(known, seen if seen is not None else seen_of(known), now)


def a_command(kind: CommandKind, *, by: Actor = OPERATOR, key: str = "key", **changes: Any) -> Command:  # noqa: ANN401
    """A command."""
    return replace(Command(key=key, kind=kind, by=by, at=NOON - timedelta(seconds=1)), **changes)


def commanded(known: Rollout, *commands: Command) -> Decision:
    """The decision about a row when people give these commands and everything else is as the row says."""
    return at(known, seen_of(known, commands=commands))


def written(decision: Decision) -> list[Tenths | None]:
    """The weights that a decision writes, in the order of the effects."""
    return [effect.green for effect in decision.effects if isinstance(effect, WriteRule)]


def asked(decision: Decision) -> list[str]:
    """The kinds of the effects."""
    return [effect.kind for effect in decision.effects]


def only(decision: Decision, kind: type[Effect]) -> Any:  # noqa: ANN401 - the effect of that class
    """The only effect of a kind."""
    found = [effect for effect in decision.effects if isinstance(effect, kind)]
    assert len(found) == 1, f"{len(found)} effects {kind.__name__} among {asked(decision)}"
    return found[0]


def recorded(decision: Decision) -> set[EventKind]:
    """The kinds of events."""
    return {event.kind for event in decision.events}


def held(decision: Decision) -> set[HoldKind]:
    """The kinds of holds."""
    return {hold.kind for hold in decision.rollout.waiting.holds}


def a_hold(kind: HoldKind, since: datetime = NOON - MINUTE) -> Hold:
    """A hold of the last tick."""
    return Hold(kind=kind, reason="a test", clears_when="a test is over", since=since)
