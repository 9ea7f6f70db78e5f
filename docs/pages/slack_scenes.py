"""Rows as they are at moments that a rollout's Slack message shows; made up, and the same in the docs and the tests."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from orchestrator.core.domain.commands import Actor
from orchestrator.core.domain.ids import (
    Json,
    ListenerArn,
    LoadBalancerArn,
    RolloutId,
    RuleArn,
    TargetGroupArn,
    TaskDefinitionArn,
    Tenths,
)
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.plan import Plan, Step
from orchestrator.core.domain.verdict import Answer, Judged, fail, hold, passed
from orchestrator.core.gates.scene import Counts, Interval
from orchestrator.core.rollout.changes import changed
from orchestrator.core.rollout.colours import Blue, Colours, Green
from orchestrator.core.rollout.handover import End
from orchestrator.core.rollout.progress import Approval, Bake, Progress
from orchestrator.core.rollout.rollout import Hold, HoldKind, Rollout, Ticks, Waiting
from orchestrator.core.rollout.rule_state import RuleState
from orchestrator.core.rollout.spec import ApprovalSpec, ServiceName, Spec
from orchestrator.notify.slack.message import Act

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
AUTHOR, OPERATOR, APPROVER = Actor(name="author"), Actor(name="operator"), Actor(name="approver")
_ECS = "arn:aws:ecs:eu-west-1:123456789012"
_PLAN = Plan(
    name="custom",
    steps=(
        Step(weight=Tenths(100), bake=timedelta(minutes=10), approval=True),
        Step(weight=Tenths(300), bake=timedelta(minutes=10)),
        Step(weight=Tenths(1000), bake=timedelta(minutes=30)),
    ),
)
_SPEC = Spec(
    service=ServiceName(cluster="prod", service="checkout"),
    task_definition="checkout:43",
    plan=_PLAN,
    approval=ApprovalSpec(approvers=("group:release",), required=2, not_author=True),
    labels=(("commit", "9fceb02"),),
)
_FORMER, _WANTED = (TaskDefinitionArn(f"{_ECS}:task-definition/checkout:{number}") for number in (42, 43))
_BALANCER = LoadBalancerArn(
    "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/public/50dc6c495c0c"
)
_HEALTHY = passed("health", "all 3 targets of green are healthy")
_CLEAN = passed("guard", "2 of 1840 requests failed on green in the last whole period (0.11 %)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One moment."""

    title: str
    row: Rollout
    acts: tuple[Act, ...] = ()


def row_of(**changes: Any) -> Rollout:  # noqa: ANN401 - the fields of Rollout
    """A rollout at its first step, 10 %, baking; and what is changed of it."""
    row = Rollout(
        id=RolloutId("checkout-3f9a1c07"),
        spec=_SPEC,
        author=AUTHOR,
        created_at=NOON - timedelta(minutes=6),
        phase=Phase.SHIFTING,
        phase_since=NOON - timedelta(minutes=4),
        colours=Colours(
            blue=Blue(
                cluster=f"{_ECS}:cluster/prod",
                name="checkout",
                arn=f"{_ECS}:service/prod/checkout",
                former=_FORMER,
                desired=3,
                deployment_configuration=Json("{}"),
                template=Json("{}"),
                scaling=None,
            ),
            green=Green(name="checkout-green", task_definition=_WANTED, desired=3, token="token"),
        ),
        rules=(_rule(100),),
        progress=Progress(bake=Bake(since=NOON - timedelta(minutes=4), done=timedelta(minutes=4))),
        answers=_judged(_HEALTHY, _CLEAN),
        waiting=Waiting(waiting_for="its bake: 6 min to go"),
        ticks=Ticks(ticked_at=NOON),
    )
    return changed(row, **changes)


def _rule(green: int) -> RuleState:
    return RuleState(
        arn=RuleArn(f"{_BALANCER}/rule"),
        listener=ListenerArn(f"{_BALANCER}/listener"),
        load_balancer=_BALANCER,
        is_default=False,
        conditions=Json('["10", []]'),
        base=Json("[]"),
        blue_group=TargetGroupArn(
            "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/checkout/73e2"
        ),
        verified=Tenths(green),
        wanted=Tenths(green),
    )


def _judged(*answers: Answer) -> tuple[Judged, ...]:
    return tuple(Judged(answer=answer, at=NOON) for answer in answers)


_WAITS = Hold(
    kind=HoldKind.APPROVAL,
    reason="leaving step 1 waits for 1 approval",
    clears_when="leaving step 1 is approved",
    since=NOON - timedelta(minutes=1),
)
_APPROVED = Act(at=NOON, words="approver approved")
_MEASURED = tuple(
    Interval(
        start=NOON - minutes * timedelta(minutes=1),
        green=Counts(requests=260),
        blue=Counts(requests=1460),
        weight=Tenths(100),
    )
    for minutes in (3, 2, 1)
)
_AT_30 = row_of(
    step=1,
    rules=(_rule(300),),
    bake=Bake(since=NOON, done=timedelta(minutes=2)),
    waiting_for="its bake: 8 min to go",
)
_FAILED = "guard: 212 of 1731 requests failed on green in the last whole period (12.2 %)"

SCENES = (
    Scene(title="A step bakes", row=row_of()),
    Scene(title="Green gets another share than its weight says", row=row_of(intervals=_MEASURED)),
    Scene(
        title="A gate holds",
        row=row_of(
            answers=_judged(
                _HEALTHY,
                hold(
                    "guard",
                    "waits for CloudWatch's first whole period at this weight",
                    clears_when="CloudWatch has one whole period at this weight",
                ),
            ),
        ),
    ),
    Scene(
        title="An approval waits",
        row=row_of(
            holds=(_WAITS,),
            waiting_for=_WAITS.clears_when,
            bake=Bake(since=NOON - timedelta(minutes=11), done=timedelta(minutes=10)),
            approvals=(Approval(by=APPROVER, step=0, at=NOON),),
        ),
        acts=(_APPROVED,),
    ),
    Scene(
        title="Somebody paused it",
        row=changed(_AT_30, paused_by=OPERATOR, pause_reason="p99 looks odd"),
        acts=(_APPROVED, Act(at=NOON + timedelta(minutes=2), words="operator paused: p99 looks odd")),
    ),
    Scene(
        title="A gate failed, and traffic goes back",
        row=changed(
            _AT_30,
            phase=Phase.ROLLING_BACK,
            phase_since=NOON,
            waiting_for="",
            answers=_judged(_HEALTHY, fail("guard", _FAILED.removeprefix("guard: "))),
            end=End(reason=_FAILED, by=Actor(name="teal", source="teal"), at=NOON),
        ),
        acts=(_APPROVED,),
    ),
    Scene(
        title="It was rolled back",
        row=changed(
            _AT_30,
            phase=Phase.ROLLED_BACK,
            phase_since=NOON + timedelta(minutes=3),
            rules=(_rule(0),),
            waiting_for="",
            end=End(
                reason=_FAILED,
                by=Actor(name="teal", source="teal"),
                at=NOON,
                traffic_on_blue_at=NOON + timedelta(seconds=2),
            ),
        ),
        acts=(_APPROVED,),
    ),
    Scene(
        title="It succeeded",
        row=changed(
            _AT_30,
            phase=Phase.SUCCEEDED,
            phase_since=NOON + timedelta(hours=1),
            rules=(_rule(0),),
            waiting_for="",
            end=End(
                reason="blue runs the new revision",
                by=Actor(name="teal", source="teal"),
                at=NOON + timedelta(hours=1),
            ),
        ),
        acts=(_APPROVED,),
    ),
)
