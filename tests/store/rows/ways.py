"""How the rollouts of the golden rows come to their moments, and what people do afterwards."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from orchestrator.core.domain.calendar import AtClose, Opening, WindowSpec
from orchestrator.core.domain.commands import Actor, CommandKind
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import RolloutId, Tenths
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.plan import NAMED_PLANS, Plan, Step
from orchestrator.core.gates.alarms import AlarmSpec, AlarmsSpec
from orchestrator.core.gates.compare import CompareSpec, Inconclusive, StreamSpec
from orchestrator.core.gates.gate import NoData
from orchestrator.core.gates.gathered import StreamName
from orchestrator.core.gates.guard import GuardSpec
from orchestrator.core.gates.metric import Applies, MetricInput, MetricSpec
from orchestrator.core.gates.probe import ProbeSpec
from orchestrator.core.gates.registry import GatesSpec
from orchestrator.core.gates.webhook import HookWhen, WebhookSpec
from orchestrator.core.rollout.spec import (
    ApprovalSpec,
    Discovery,
    Ending,
    Limits,
    LimitThen,
    NotifySpec,
    OnDrift,
    Sticky,
)
from sandbox.world.kernel.faults import Fault
from tests.cases.killed import until_killed
from tests.cases.looks import tasks_of
from tests.cases.rule_stage import call, green_group, make_sticky
from tests.cases.scaling_stage import somebody
from tests.cases.swap_stage import lose_sight_after, swap, until_asked, until_recorded
from tests.store.rows.stage import Recorded
from tests.support.rehearsal import MINUTE

SECOND = timedelta(seconds=1)
FIRST, OTHER = Actor(name="first", source="slack", groups=("release",)), Actor(name="other", source="http")
BAD = {"TEAL_DEMO_ERROR_RATE": "0.4"}
ERRS = {"TEAL_DEMO_ERROR_RATE": "0.01"}

Bring = Callable[[Recorded], RolloutId]
GoOn = Callable[[Recorded, RolloutId], object]


def to(phase: Phase, seconds: float = 0, conduct: dict[str, str] | None = None, **changes: Any) -> Bring:  # noqa: ANN401
    """Start a rollout of a next revision, and let it run into a phase and so long on."""

    def bring(stage: Recorded) -> RolloutId:
        rollout = stage.start(stage.spec(stage.revision(conduct), **changes))
        if phase is not Phase.PENDING:
            stage.until(rollout, phase)
        if seconds:
            stage.let_run(timedelta(seconds=seconds))
        return rollout

    return bring


def then(bring: Bring, *acts: GoOn) -> Bring:
    """Some way, and more after it."""

    def further(stage: Recorded) -> RolloutId:
        rollout = bring(stage)
        in_turn(*acts)(stage, rollout)
        return rollout

    return further


def in_turn(*acts: GoOn) -> GoOn:
    """One after another."""

    def act(stage: Recorded, rollout: RolloutId) -> None:
        for one in acts:
            one(stage, rollout)

    return act


def command(kind: CommandKind, by: Actor = OTHER, **more: Any) -> GoOn:  # noqa: ANN401
    return lambda stage, rollout: stage.command(rollout, kind, by=by, key=f"{kind} {by.name}", **more)


def run(seconds: float) -> GoOn:
    return lambda stage, rollout: stage.let_run(timedelta(seconds=seconds))


def recorded(kind: EventKind) -> GoOn:
    return lambda stage, rollout: until_recorded(stage, rollout, kind)


def asked(effect: str) -> GoOn:
    return lambda stage, rollout: until_asked(stage, rollout, effect)


def seen(**wanted: Any) -> GoOn:  # noqa: ANN401
    """Let it run until the doors show this of it."""

    def act(stage: Recorded, rollout: RolloutId) -> None:
        for _ in range(2000):
            shown = stage.shown(rollout)
            if all(shown[name] == value for name, value in wanted.items()):
                return
            stage.let_run(MINUTE / 20)
        raise AssertionError(f"never {wanted}:\n{stage.story(rollout)}")

    return act


def steps(*weights: int, bake: float = 20, approval: bool = False) -> Plan:
    made = (
        Step(weight=Tenths(w), bake=timedelta(seconds=bake), approval=approval and w < 1000) for w in weights
    )
    return Plan(name="custom", steps=tuple(made))


def hours(stage: Recorded, opens: int, closes: int) -> WindowSpec:
    """Open every day, from so many minutes after now until so many."""
    now = stage.clock.now()
    minute = timedelta(hours=now.hour, minutes=now.minute)
    begins, ends = minute + timedelta(minutes=opens), minute + timedelta(minutes=closes)
    return WindowSpec(allow=(Opening(days=tuple(range(7)), begins=begins, ends=ends),))


def outside_hours(stage: Recorded) -> RolloutId:
    spec = stage.spec(
        stage.revision(),
        labels=(("commit", "9fceb02"), ("build", "118")),
        notify=NotifySpec(slack="#deploys"),
        region=stage.world.region,
        rules=tuple(stage.scenery.rules),
    )
    rollout = stage.start(replace(spec, gates=replace(spec.gates, window=hours(stage, 6, 60))))
    stage.let_run(timedelta(minutes=2))
    return rollout


def of_one_rule(stage: Recorded) -> RolloutId:
    """The other rule that leads to blue is left alone."""
    rollout = stage.start(stage.spec(stage.revision(), rules=stage.scenery.rules[:1]))
    stage.until(rollout, Phase.SHIFTING)
    stage.let_run(5 * SECOND)
    return rollout


def not_made_yet(stage: Recorded) -> RolloutId:
    stage.world.faults.add(Fault(operation="CreateTargetGroup", kind="throttle", times=10_000))
    rollout = stage.start(stage.spec(stage.revision()))
    stage.let_run(timedelta(seconds=20))
    return rollout


def with_images(stage: Recorded) -> RolloutId:
    spec = stage.spec("", images=(("checkout", "example.com/checkout:1.4.2"),), colour_variable="TEAL_COLOUR")
    rollout = stage.start(spec)
    stage.until(rollout, Phase.PROVISIONING)
    stage.let_run(2 * SECOND)
    return rollout


def killed_at_its_making(stage: Recorded) -> RolloutId:
    rollout = stage.start(stage.spec(stage.revision()))
    until_killed(stage, "CreateService")
    return rollout


def waiting_for_a_second_approval(stage: Recorded) -> RolloutId:
    probe = ProbeSpec(url="http://test.internal:8081", paths=("/healthz", "/checkout?dry=1"))
    hook = WebhookSpec(url="https://smoke.example/run", when=HookWhen.BEFORE_TRAFFIC)
    spec = stage.spec(
        stage.revision(),
        gates=GatesSpec(alarms=AlarmsSpec(), compare=CompareSpec(on=False), probe=probe, webhooks=(hook,)),
        test_rules=stage.scenery.test_rules,
        approval=ApprovalSpec(
            before_traffic=True, required=2, not_author=True, timeout=timedelta(minutes=20)
        ),
        limits=Limits(provision=timedelta(minutes=10)),
    )
    rollout = stage.start(spec)
    stage.until(rollout, Phase.PROVISIONING)
    stage.let_run(30 * SECOND)
    stage.command(rollout, CommandKind.APPROVE, by=FIRST, key="approve first")
    stage.let_run(10 * SECOND)
    return rollout


def compared(stage: Recorded) -> RolloutId:
    """All streams, and a metric of the team's own."""
    streams = (
        StreamSpec(name=StreamName.ERRORS),
        StreamSpec(name=StreamName.SLOW, over=timedelta(milliseconds=250)),
    )
    share = MetricSpec(
        name="share of 5xx",
        query="IF(FILL(r, 0) > 0, FILL(e, 0) / r * 100, 0)",
        inputs=tuple(
            MetricInput(
                id=name,
                metric=metric,
                stat="Sum",
                dimensions=(("TargetGroup", "{target_group}"), ("LoadBalancer", "{load_balancer}")),
            )
            for name, metric in (("r", "RequestCount"), ("e", "HTTPCode_Target_5XX_Count"))
        ),
        maximum=5.0,
    )
    gates = GatesSpec(
        alarms=AlarmsSpec(),
        metrics=(share,),
        compare=CompareSpec(streams=streams, p_max=0.05, warm_up=1),
    )
    plan = steps(200, 1000, bake=110)
    rollout = stage.start(stage.spec(stage.revision(ERRS), plan=plan, gates=gates))
    stage.until(rollout, Phase.SHIFTING)
    stage.let_run(9 * MINUTE)
    return rollout


def rule_changed_by_hand(stage: Recorded, rollout: RolloutId) -> None:
    make_sticky(stage, life=77)
    stage.let_run(MINUTE)


def listener_deleted(stage: Recorded, rollout: RolloutId) -> None:
    call(stage, "DeleteListener", ListenerArn=stage.scenery.listeners[0])
    stage.let_run(2 * MINUTE)


def blue_emptied(stage: Recorded, rollout: RolloutId) -> None:
    asked_for = {"cluster": "prod", "service": "checkout", "desiredCount": 0}
    stage.world.call("ecs", "UpdateService", asked_for)
    stage.let_run(15 * SECOND)


def blue_wanted_again(stage: Recorded, rollout: RolloutId) -> None:
    asked_for = {"cluster": "prod", "service": "checkout", "desiredCount": 3}
    stage.world.call("ecs", "UpdateService", asked_for)


def protected(stage: Recorded) -> RolloutId:
    asked_for = {"cluster": "prod", "tasks": tasks_of(stage)[:2], "protectionEnabled": True}
    stage.world.call("ecs", "UpdateTaskProtection", {**asked_for, "expiresInMinutes": 9})
    rollout = stage.start(stage.spec(stage.revision()))
    stage.until(rollout, Phase.SETTLING)
    stage.let_run(6 * MINUTE)
    return rollout


def once_more_the_same(stage: Recorded) -> RolloutId:
    spec = stage.spec(stage.scenery.task_definition, is_forced=True)
    rollout = stage.start(spec)
    stage.until(rollout, Phase.SETTLING)
    stage.let_run(4 * SECOND)
    return rollout


def everything_asked(stage: Recorded) -> RolloutId:
    """A file in which nearly nothing is left out."""
    call(
        stage,
        "CreateRule",
        ListenerArn=stage.scenery.listeners[0],
        Priority=3,
        Conditions=[{"Field": "path-pattern", "Values": ["/maintenance/*"]}],
        Actions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "503"}}],
    )
    probe = ProbeSpec(
        url="http://test.internal:8081",
        paths=("/healthz",),
        method="POST",
        headers=(("X-Probe", "teal"),),
        body="{}",
        statuses=((200, 204),),
        latency=timedelta(seconds=3),
        timeout=timedelta(seconds=4),
        count=200,
        rate=6.0,
        max_failures=20,
        warm_up=3,
    )
    hook = WebhookSpec(
        url="https://smoke.example/run",
        when=HookWhen.EVERY_STEP,
        timeout=timedelta(minutes=2),
        headers=(("X-Team", "shop"),),
    )
    used = MetricSpec(
        name="requests",
        inputs=(
            MetricInput(
                id="r", metric="RequestCount", stat="Sum", dimensions=(("TargetGroup", "{target_group}"),)
            ),
        ),
        minimum=0.0,
        periods=2,
        period=MINUTE,
        lag=3 * MINUTE,
        no_data=NoData.PASS,
        applies=Applies.WATCH,
    )
    window = WindowSpec(
        allow=(
            *hours(stage, 0, 600).allow,
            Opening(days=(0,), begins=timedelta(hours=22), ends=timedelta(hours=2)),
        ),
        zone="Europe/Berlin",
        holidays=(date(2026, 12, 25),),
        at_close=AtClose.ROLLBACK,
    )
    gates = GatesSpec(
        guard=GuardSpec(errors=0.2),
        alarms=AlarmsSpec(alarms=(AlarmSpec(name="checkout-5xx", no_data=NoData.PASS),)),
        metrics=(used,),
        compare=CompareSpec(
            streams=(
                StreamSpec(name=StreamName.ERRORS, margin=1.5),
                StreamSpec(name=StreamName.CLIENT_ERRORS),
            ),
            alpha=0.02,
            beta=0.1,
            not_worse_than=3.0,
            requests=200,
            inconclusive=Inconclusive.PASS,
            intervene=False,
        ),
        probe=probe,
        webhooks=(hook,),
        window=window,
    )
    spec = stage.spec(
        stage.revision({"TEAL_DEMO_ERROR_RATE": "0.03"}),
        plan=steps(100, 1000, bake=60),
        gates=gates,
        test_rules=stage.scenery.test_rules,
        approval=ApprovalSpec(before_full=True, on_timeout=LimitThen.HOLD),
        limits=Limits(then=LimitThen.HOLD, wait_for_blue=timedelta(minutes=3)),
        on_drift=OnDrift.ACCEPT,
        sticky=Sticky.CUT,
        discovery=Discovery.KEEP,
        one_way=True,
        override="payments fail",
    )
    rollout = stage.start(spec)
    stage.until(rollout, Phase.SHIFTING)
    stage.let_run(2 * MINUTE)
    return rollout


def probing(stage: Recorded) -> RolloutId:
    """Requests to green cannot be sent: no connection to the test listener can be made."""
    probe = ProbeSpec(url="http://test.internal:8081", paths=("/healthz",))
    hook = WebhookSpec(url="https://smoke.example/run", when=HookWhen.BEFORE_TRAFFIC)
    gates = GatesSpec(alarms=AlarmsSpec(), compare=CompareSpec(on=False), probe=probe, webhooks=(hook,))
    rollout = stage.start(stage.spec(stage.revision(), gates=gates, test_rules=stage.scenery.test_rules))
    stage.until(rollout, Phase.PROVISIONING)
    stage.let_run(18 * SECOND)
    return rollout


def first_deployment(stage: Recorded) -> RolloutId:
    plan = Plan(name="instant", steps=steps(1000).steps)
    rollout = stage.start(stage.spec(stage.revision(), plan=plan, first_tasks=2))
    stage.until(rollout, Phase.WATCHING)
    return rollout


def careful(stage: Recorded) -> RolloutId:
    """The plan `auto` with other parameters than its own."""
    plan = NAMED_PLANS["careful"]
    assert plan.auto is not None
    auto = replace(
        plan.auto,
        first_requests=90,
        first_max=Tenths(30),
        hesitate_at=4.0,
        hesitate_max=5,
        hold_back=50,
        hold_back_min=Tenths(20),
        hold_back_max=Tenths(90),
        watch=4,
        watch_until=12,
    )
    rollout = stage.start(stage.spec(stage.revision(), plan=replace(plan, auto=auto)))
    stage.until(rollout, Phase.SHIFTING)
    seen(step=3)(stage, rollout)
    stage.let_run(MINUTE)
    return rollout


def watched_by_a_group(stage: Recorded) -> RolloutId:
    """The plan `auto` in its watch, where blue keeps a control group."""
    rollout = stage.start(stage.spec(stage.revision(), plan=NAMED_PLANS["auto"]))
    for _ in range(400):
        if any(
            step["state"] == "current" and step["weight_percent"] > 80
            for step in stage.shown(rollout)["steps"]
        ):
            return rollout
        stage.let_run(2 * SECOND)
    raise AssertionError(stage.story(rollout))


def alarmed(stage: Recorded) -> RolloutId:
    """An alarm on alarms, and one whose actions are off."""
    gates = GatesSpec(compare=CompareSpec(on=False), alarms=AlarmsSpec(alarms=(AlarmSpec(name="all"),)))
    rollout = stage.start(stage.spec(stage.revision(), gates=gates))
    stage.until(rollout, Phase.SHIFTING)
    stage.let_run(3 * MINUTE)
    return rollout


def homeward(stage: Recorded, rollout: RolloutId) -> None:
    seen(phase="settling", green_percent=50.0)(stage, rollout)


def former_deregistered(stage: Recorded, rollout: RolloutId) -> None:
    stage.world.call("ecs", "DeregisterTaskDefinition", {"taskDefinition": stage.scenery.task_definition})


def used_by_another_rule(stage: Recorded, rollout: RolloutId) -> None:
    call(
        stage,
        "CreateRule",
        ListenerArn=stage.scenery.listeners[0],
        Priority=7,
        Conditions=[{"Field": "path-pattern", "Values": ["/try/*"]}],
        Actions=[{"Type": "forward", "TargetGroupArn": green_group(stage)}],
    )


def somebody_scales(stage: Recorded, rollout: RolloutId) -> None:
    somebody(stage, MinCapacity=1, MaxCapacity=20)
    stage.let_run(2 * MINUTE)


def deletion_unseen(stage: Recorded) -> RolloutId:
    """Blue is deleted, and AWS then answers nobody."""
    rollout = swap(stage, Ending.DELETE)
    lose_sight_after(stage, "DeleteService", timedelta(seconds=10))
    until_asked(stage, rollout, "delete_service")
    return rollout


def second_swap(stage: Recorded) -> RolloutId:
    """Blue is the green of a swap before, and one of its target groups is gone."""
    stage.until(swap(stage, Ending.KEEP, key="first"))
    rollout = swap(stage, Ending.DELETE, key="second")
    stage.world.faults.before("DeleteTargetGroup", 1, lambda world: world.faults.outage(("elbv2",)))
    until_asked(stage, rollout, "delete_target_group")
    stage.let_run(2 * SECOND)
    return rollout


def called_back_from_its_deletion(stage: Recorded) -> RolloutId:
    rollout = deletion_unseen(stage)
    stage.command(rollout, CommandKind.ROLLBACK, by=OTHER)
    until_recorded(stage, rollout, EventKind.BLUE_CALLED_BACK)
    stage.let_run(2 * SECOND)
    return rollout


def swapping(ending: Ending, **changes: Any) -> Bring:  # noqa: ANN401
    return lambda stage: swap(stage, ending, **changes)
