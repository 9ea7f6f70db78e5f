"""Somebody else who edits rules and services, by hand or with a tool that knows nothing of a rollout; and bad luck."""

import json
from contextlib import suppress
from random import Random
from typing import assert_never

from sandbox.world.autoscaling.targets import DIMENSION
from sandbox.world.kernel.errors import AwsRefusal, Json
from sandbox.world.world import World
from tests.sim.oracles.oracle import Oracle
from tests.sim.oracles.truth import Actions, weights
from tests.sim.scenario import Befalls, Rival


def act(oracle: Oracle, what: Rival, draw: Random) -> None:
    """Edit one rule of the rollout, as it stands right now."""
    arn = draw.choice(oracle.rules)
    was = oracle.truth.rule(arn)
    actions: Actions = json.loads(was.actions)
    forward = next(action for action in actions if action["Type"] == "forward")
    found, blue, green = weights(actions), oracle.blue_group, oracle.green_group
    match what:
        case "raises green":
            if green is None or green not in found:
                return
            found[green] = min(999, found[green] + max(1, found[blue] // 3))
        case "takes back":
            if not green or not found.get(green):
                return
            found[blue], found[green] = found[blue] + found[green] or 1, 0
        case "applies the base":
            found = weights(oracle.before[arn].actions)
        case "moves a little":
            if green is None or found.get(green, 0) < 2:
                return
            found[green] -= 1
        case "turns stickiness on":
            config = forward["ForwardConfig"]
            config["TargetGroupStickinessConfig"] = {"Enabled": True, "DurationSeconds": 60}
        case never:
            assert_never(never)
    forward.pop("TargetGroupArn", None)
    tuples = [{"TargetGroupArn": group, "Weight": min(999, weight)} for group, weight in found.items()]
    forward["ForwardConfig"] = {**forward.get("ForwardConfig", {}), "TargetGroups": tuples}
    if arn == oracle.truth.default_rule_of(oracle.scenery.listeners[0]):
        given: Json = {"ListenerArn": oracle.scenery.listeners[0], "DefaultActions": actions}
        _call(oracle.world, "elbv2", "ModifyListener", given)
    else:
        _call(oracle.world, "elbv2", "ModifyRule", {"RuleArn": arn, "Actions": actions})
    oracle.edited_rule(arn, was)


def befall(oracle: Oracle, what: Befalls, draw: Random) -> None:
    """Let something happen to blue."""
    world, scenery = oracle.world, oracle.scenery
    blue = oracle.truth.service(scenery.service)
    assert blue is not None, "blue is gone"
    match what:
        case "loses a task":
            running = [arn for arn, task in blue.tasks.items() if task.last == "RUNNING"]
            if running:
                world.virtual_tasks.crash(draw.choice(running))
        case "is scaled out":
            world.autoscaling.scale_out(scenery.service, blue.desired + 1, cluster=scenery.cluster)
        case "has its scaling changed":
            _rebound(oracle)
        case "is deployed":
            given = {"cluster": scenery.cluster, "service": scenery.service, "forceNewDeployment": True}
            _call(world, "ecs", "UpdateService", given)
        case "has more users":
            if oracle.traffic is not None:
                oracle.traffic.requests_per_second *= 2
        case "may scale in again":
            _lift(oracle)
        case never:
            assert_never(never)


def _lift(oracle: Oracle) -> None:
    """Let blue scale in again, as a console or an apply would."""
    target = oracle.truth.scalable_target(oracle.scenery.cluster, oracle.scenery.service)
    if target is not None:
        named = {"ResourceId": target.resource, "ScalableDimension": DIMENSION, "ServiceNamespace": "ecs"}
        lifted = {"SuspendedState": {"DynamicScalingInSuspended": False}}
        _call(oracle.world, "application-autoscaling", "RegisterScalableTarget", {**named, **lifted})
        oracle.things.excuse_shrinking()


def _rebound(oracle: Oracle) -> None:
    """Give blue's scaling another upper bound, where it has any."""
    target = oracle.truth.scalable_target(oracle.scenery.cluster, oracle.scenery.service)
    if target is None:
        return
    bounds = {"MinCapacity": target.least, "MaxCapacity": target.most + 1}
    named = {"ResourceId": target.resource, "ScalableDimension": DIMENSION, "ServiceNamespace": "ecs"}
    _call(oracle.world, "application-autoscaling", "RegisterScalableTarget", {**named, **bounds})
    oracle.things.excuse_scaling()


def _call(world: World, service: str, operation: str, params: Json) -> None:
    """A rival's call meets none of the faults that are meant for Teal, and does not stand in the log."""
    with suppress(AwsRefusal):
        world._perform(service, operation, params)
