"""Two services behind one rule: the rule has one writer, and whoever comes second is told who it is."""

from dataclasses import replace

import pytest

from orchestrator.core.commands import Actor
from orchestrator.core.errors import Conflict
from orchestrator.core.phases import Phase
from orchestrator.core.spec import ServiceName
from orchestrator.engine import commands
from orchestrator.sandbox.world.scenery import furnish, register
from tests.support.rehearsal import Rehearsal

AUTHOR = Actor(name="author")


def test_second_service_on_the_same_rule_is_refused_naming_the_rollout_that_moves_it() -> None:
    with Rehearsal() as stage:
        rule, world = stage.scenery.rules[0], stage.world
        beside = furnish(
            world, service="neighbour", listener_port=81, load_balancer=stage.scenery.load_balancer
        )
        groups = [
            {"TargetGroupArn": g, "Weight": 1} for g in (stage.scenery.target_group, beside.target_group)
        ]
        actions = [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]
        world.call("elbv2", "ModifyRule", {"RuleArn": rule, "Actions": actions})
        first = stage.start(stage.spec(stage.revision()))
        stage.until(first, Phase.SHIFTING)
        newer = register(world, family="neighbour")
        spec = replace(stage.spec(newer), service=ServiceName(cluster="prod", service="neighbour"))
        with pytest.raises(Conflict, match=f"is moved by {first} of prod/checkout") as refused:
            stage.run(
                commands.start(
                    spec, author=AUTHOR, key="second", store=stage.store, cloud=stage.cloud, clock=stage.clock
                )
            )
        assert refused.value.holder == first
        assert f"teal rollback {first}" in str(refused.value)
