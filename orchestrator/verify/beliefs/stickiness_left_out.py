"""Group stickiness that a write of a rule leaves out."""

import asyncio
from typing import Any

from orchestrator.verify.beliefs.belief import MEMORY, Belief, Need, Seen, judged
from orchestrator.verify.scene import Scene


async def actions_of(scene: Scene) -> list[dict[str, Any]]:
    """The rule's actions as they read."""
    shown = await scene.calls("elbv2", "DescribeRules", RuleArns=[scene.place.rule])
    return list(shown["Rules"][0]["Actions"])


async def write(scene: Scene, config: dict[str, Any]) -> None:
    """Give the rule one forward."""
    action = {"Type": "forward", "ForwardConfig": config}
    await scene.calls("elbv2", "ModifyRule", RuleArn=scene.place.rule, Actions=[action])


async def restore(scene: Scene) -> None:
    """Give the rule what it was made with, and wait until it steers: what is asked next counts on it."""
    action = {"Type": "forward", "TargetGroupArn": scene.place.group}
    await scene.calls("elbv2", "ModifyRule", RuleArn=scene.place.rule, Actions=[action])
    await asyncio.sleep(scene.steers_after)


async def ask(scene: Scene) -> Seen:
    """Turn it on, write the same groups without it, and read."""
    groups = [{"TargetGroupArn": scene.place.group, "Weight": 1}]
    try:
        sticky = {"Enabled": True, "DurationSeconds": 60}
        await write(scene, {"TargetGroups": groups, "TargetGroupStickinessConfig": sticky})
        await write(scene, {"TargetGroups": groups})
        after = (await actions_of(scene))[-1]["ForwardConfig"].get("TargetGroupStickinessConfig", {})
    finally:
        await restore(scene)
    is_on = bool(after.get("Enabled"))
    return judged(not is_on, f"it reads back as {'on' if is_on else 'off'}", reads_back_enabled=is_on)


STICKINESS_LEFT_OUT = Belief(
    name="stickiness-left-out",
    believes="A write of a rule that leaves group stickiness out turns it off.",
    asked_by="ModifyRule with stickiness, then with the same groups without it; what DescribeRules shows.",
    rests_on=MEMORY,
    if_wrong="Teal always writes stickiness in full, so its own writes stay right; only a person's rule whose "
    "stickiness Teal turned on and then leaves out at the end would keep it. The read-back shows that, and the rollout "
    "holds for drift.",
    ask=ask,
    needs=frozenset({Need.THROW_AWAY}),
    actions=("elasticloadbalancing:ModifyRule",),
)
