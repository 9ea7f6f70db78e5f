"""The rollout files of a scenario: what its rollouts ask for."""

from dataclasses import replace
from datetime import timedelta

from orchestrator.core.domain.calendar import Opening, WindowSpec
from orchestrator.core.domain.ids import TaskDefinitionArn
from orchestrator.core.gates.alarms import AlarmSpec, AlarmsSpec
from orchestrator.core.gates.metric import MetricInput, MetricSpec
from orchestrator.core.gates.probe import ProbeSpec
from orchestrator.core.gates.registry import GatesSpec
from orchestrator.core.gates.webhook import HookWhen, WebhookSpec
from orchestrator.core.rollout.spec import (
    ApprovalSpec,
    Ending,
    Limits,
    MetricsSpec,
    OnDrift,
    ServiceName,
    Spec,
)
from sandbox.scenarios.scenery import Scenery
from tests.sim.beside import Beside
from tests.sim.furnishing import COMPOSITE, TEST_PORT
from tests.sim.scenario import PLAINEST, Neighbour, Scenario
from tests.support.rehearsal import MINUTE, START

SHARE_OF_ERRORS = MetricSpec(
    name="errors",
    query="IF(FILL(r, 0) > 0, FILL(e, 0) / r * 100, 0)",
    inputs=(
        MetricInput(
            id="e",
            metric="HTTPCode_Target_5XX_Count",
            stat="Sum",
            dimensions=(("TargetGroup", "{target_group}"), ("LoadBalancer", "{load_balancer}")),
        ),
        MetricInput(
            id="r",
            metric="RequestCount",
            stat="Sum",
            dimensions=(("TargetGroup", "{target_group}"), ("LoadBalancer", "{load_balancer}")),
        ),
    ),
    maximum=20.0,
    periods=2,
)
# Open from the start until a while later: what is under way then is held for a night of the simulation.
OPEN_FOR = timedelta(minutes=3)
APPROVAL = timedelta(minutes=7)  # until nobody has approved


def spec_of(
    scenario: Scenario, scenery: Scenery, revision: TaskDefinitionArn, alarms: tuple[str, ...] = ()
) -> Spec:
    """The rollout that a scenario is about. `alarms`: those that it names besides the scenery's."""
    return Spec(
        service=ServiceName(cluster=scenery.cluster, service=scenery.service),
        task_definition=revision,
        colour_variable="TEAL_COLOUR" if scenario.tells_colour else "",
        background=scenario.background,
        ending=scenario.ending,
        capacity=scenario.capacity,
        plan=scenario.plan,
        gates=_gates(scenario, scenery, alarms),
        test_rules=scenery.test_rules,
        approval=ApprovalSpec(timeout=APPROVAL, before_traffic="approval before traffic" in scenario.gates),
        metrics=MetricsSpec(period=MINUTE, lag=2 * MINUTE),
        limits=Limits(
            provision=timedelta(minutes=4),
            hold=timedelta(minutes=3),
            then=scenario.hold_then,
            settle=timedelta(minutes=6),
        ),
        on_failure=scenario.on_failure,
        on_drift=scenario.on_drift,
        one_way=scenario.one_way,
    )


def file_beside(scenario: Scenario, neighbour: Neighbour) -> Scenario:
    """What a neighbour's rollout asks for, and what befalls it: nothing of its own but people's commands."""
    kept = ("tricky", "behind", "scaling_write", "store", "workers")  # which are everybody's
    plain = replace(scenario, **{name: value for name, value in PLAINEST.items() if name not in kept})
    plain = replace(plain, beside=Beside(is_attended=scenario.is_attended))
    return replace(
        plain,
        green=neighbour.green,
        plan=neighbour.plan,
        rules=neighbour.rules,
        requests_per_second=neighbour.requests_per_second,
        on_failure=neighbour.on_failure,
        on_drift=OnDrift.HOLD,
        commands=neighbour.commands,
        edits=(),
        mishaps=(),
        gates=(),
        by_hand=(),
        neighbours=(),
        ending=Ending.SETTLE,
        scaled_by=(),
    )


def _gates(scenario: Scenario, scenery: Scenery, beside: tuple[str, ...]) -> GatesSpec:
    asked = scenario.gates
    alarms = [*scenery.alarms, *beside]
    if "composite alarm" in asked:
        alarms.append(f"{scenery.alarms[0]}{COMPOSITE}")
    probe = ProbeSpec(url=f"http://localhost:{TEST_PORT}", count=20, warm_up=3)
    hooks = tuple(
        WebhookSpec(url="https://smoke.example/run", when=when, timeout=timedelta(minutes=1))
        for when in (HookWhen.BEFORE_TRAFFIC, HookWhen.EVERY_STEP)
    )
    return GatesSpec(
        alarms=AlarmsSpec(alarms=tuple(AlarmSpec(name=name) for name in alarms)),
        metrics=(SHARE_OF_ERRORS,) if "metric" in asked else (),
        probe=probe if "probe" in asked else ProbeSpec(),
        webhooks=hooks if "webhook" in asked else (),
        window=_window() if "window" in asked else WindowSpec(),
    )


def _window() -> WindowSpec:
    """Open now, closed in a while, and open again two minutes later."""
    midnight = START.replace(hour=0, minute=0)
    begins, closes = START - midnight - timedelta(hours=1), START - midnight + OPEN_FOR
    opens_again = closes + timedelta(minutes=2)
    every_day = tuple(range(7))
    return WindowSpec(
        allow=(
            Opening(days=every_day, begins=begins, ends=closes),
            Opening(days=every_day, begins=opens_again, ends=opens_again + timedelta(hours=6)),
        )
    )
