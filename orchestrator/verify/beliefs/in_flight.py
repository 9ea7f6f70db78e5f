"""What becomes of requests under way when their target group leaves its rule."""

import asyncio

from orchestrator.verify.beliefs.belief import Belief, Need, Seen, judged, not_asked, unclear
from orchestrator.verify.beliefs.stickiness_left_out import restore
from orchestrator.verify.scene import UNREACHED, Scene

LASTS = 3  # times what a load balancer takes to follow a rule


async def ask(scene: Scene) -> Seen:
    """Take the group out of its rule while a request waits for its answer."""
    if scene.users is None:
        return not_asked(UNREACHED)
    waits = LASTS * scene.steers_after
    request = asyncio.ensure_future(scene.users.send(wait=waits))
    await asyncio.sleep(waits / 6)
    nothing = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
    try:
        await scene.calls("elbv2", "ModifyRule", RuleArn=scene.place.rule, Actions=[nothing])
        answered = await request
        after = (await scene.users.send()).status
    finally:
        request.cancel()
        await restore(scene)
    facts = {
        "status": answered.status,
        "seconds": round(answered.answered - answered.sent, 3),
        "after": after,
    }
    if after != 404:
        return unclear("the rule did not steer yet when the request was answered", **facts)
    words = (
        f"it was answered with {answered.status} after {answered.answered - answered.sent:.0f} s"
        if answered.status
        else f"it got no answer: {answered.why}"
    )
    return judged(answered.status == 200, f"{words}; new requests met the rule as written", **facts)


IN_FLIGHT = Belief(
    name="in-flight",
    believes="A request that a target is answering is answered although its target group leaves the rule meanwhile.",
    asked_by="A request that takes half a minute; after a sixth of it the rule is written without the group.",
    rests_on="Elastic Load Balancing documents this of deregistered targets, not of rules",
    if_wrong="Green stays in its rules at weight 0 until its tasks are drained, so it has no request "
    "left when its target group leaves. With group stickiness in a rule green leaves it at once, and its tasks wait "
    "out the deregistration delay then: whatever green is answering at that moment would be cut there, and users of "
    "slow requests would see them fail.",
    ask=ask,
    needs=frozenset({Need.THROW_AWAY, Need.USERS}),
    minutes=0.8,
    actions=("elasticloadbalancing:ModifyRule",),
)
