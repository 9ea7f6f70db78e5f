"""Somebody else edits the rule, or takes away what Teal made, while the rollout runs."""

from typing import Any

from tests.endtoend.stage import Shop, Stage

SLOW = """\
service: prod/{service}
revision: {{task_definition: {revision}}}
plan: [{{weight: 50, bake: 10m}}, {{weight: 100, bake: 2s}}]
metrics: {{period: 1s, lag: 2 periods}}
"""


async def at_half(made: Stage, name: str) -> tuple[Shop, Any, Any]:
    """A shop whose rollout has given green half of the traffic and stays there; what was before; its deploy."""
    shop = await made.shop(name)
    before = await shop.state()
    deploy = await shop.deploy(shop.file(shop.revision(TEAL_DEMO_VERSION="2"), text=SLOW))
    await shop.until(lambda view: view.green_percent == 50)
    await shop.event("step 1 of 2")
    return shop, before, deploy


async def rewrite(shop: Shop, *, blue: int, green: int, sticky: bool = False) -> None:
    """Give the rule other weights, as a person at the console would."""
    forward = (await shop.rules())[0][0]["ForwardConfig"]
    for pair in forward["TargetGroups"]:
        pair["Weight"] = blue if pair["TargetGroupArn"] == shop.scenery.target_group else green
    stickiness = {"Enabled": sticky, **({"DurationSeconds": 60} if sticky else {})}
    forward = {**forward, "TargetGroupStickinessConfig": stickiness}
    actions = [{"Type": "forward", "ForwardConfig": forward}]
    await shop.call("elbv2", "ModifyRule", RuleArn=shop.scenery.rules[0], Actions=actions)


async def ends_on_blue(shop: Shop, before: Any, deploy: Any) -> None:  # noqa: ANN401 - as `at_half` gave them
    """The rollout rolls back and leaves everything as it was."""
    ended = await deploy.ended()
    assert ended.code == 3, ended
    assert await shop.changes(before) == []
    assert (await shop.load.finish()).shift == {}


async def somebody_raises_green(made: Stage) -> None:
    shop, before, deploy = await at_half(made, "raised")
    await rewrite(shop, blue=1, green=9)
    await shop.event("somebody gave green 90 % on rule 1000 of load balancer prod-lb, more than Teal wrote")
    await shop.event("hold_cleared: ")
    weights = [pair["Weight"] for pair in (await shop.rules())[0][0]["ForwardConfig"]["TargetGroups"]]
    assert weights[0] == weights[1]
    assert (await shop.teal("rollback", shop.name)).code == 0
    await ends_on_blue(shop, before, deploy)


async def somebody_takes_all_traffic_back(made: Stage) -> None:
    shop, before, deploy = await at_half(made, "taken")
    await rewrite(shop, blue=1, green=0)
    await ends_on_blue(shop, before, deploy)
    view = await shop.newest()
    assert view.reason == (
        "somebody gave blue all traffic on rule 1000 of load balancer prod-lb: taken as a rollback"
    )


async def somebody_changes_the_rule(made: Stage) -> None:
    shop, before, deploy = await at_half(made, "changed")
    await rewrite(shop, blue=7, green=3)
    view = await shop.until(lambda view: [hold for hold in view.holds if hold.kind == "drift"])
    assert view.holds[0].reason.endswith("green's weight is 30 %, which Teal did not write"), view.holds
    assert "as Teal wrote it" in view.holds[0].clears_when
    await rewrite(shop, blue=1, green=1, sticky=True)
    words = "somebody changed it: "
    await shop.until(
        lambda view: [hold for hold in view.holds if words in hold.reason and "stickiness" in hold.reason]
    )
    assert (await shop.teal("rollback", shop.name)).code == 0
    ended = await deploy.ended()
    assert ended.code == 3, ended
    assert not await shop.guests()
    forward = (await shop.rules())[0][0]["ForwardConfig"]
    assert forward["TargetGroupStickinessConfig"]["Enabled"], "somebody else's change stays"
    assert [pair["TargetGroupArn"] for pair in forward["TargetGroups"]] == [shop.scenery.target_group]
    assert before["scaling"] == await shop.scaling()
    assert (await shop.load.finish()).shift == {}


async def somebody_deletes_green(made: Stage) -> None:
    shop, before, deploy = await at_half(made, "robbed")
    await shop.call("ecs", "DeleteService", cluster="prod", service=(await shop.newest()).green, force=True)
    ended = await deploy.ended()
    assert ended.code == 3, ended
    assert await shop.changes(before) == []
    assert "green" in (await shop.newest()).reason
    seen = await shop.load.finish()
    assert seen.shift.keys() <= {"503"}, seen  # what the load balancer answers for a group without a target


async def somebody_deletes_the_rule(made: Stage) -> None:
    shop, _, deploy = await at_half(made, "ruled")
    await shop.call("elbv2", "DeleteRule", RuleArn=shop.scenery.rules[0])
    view = await shop.until(lambda view: [hold for hold in view.holds if hold.kind == "drift"])
    assert view.holds[0].reason == "rule 1000 of load balancer prod-lb does not exist any more", view.holds
    assert (await shop.teal("rollback", shop.name)).code == 0
    ended = await deploy.ended()
    assert ended.code == 3, ended
    assert not await shop.guests()


SCENES = (
    somebody_raises_green,
    somebody_takes_all_traffic_back,
    somebody_changes_the_rule,
    somebody_deletes_green,
    somebody_deletes_the_rule,
)
