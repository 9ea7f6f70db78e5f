"""What becomes of requests under way when their target group leaves its rule."""

import asyncio

from orchestrator.verify.beliefs.belief import Belief, Need, Seen, judged, not_asked, unclear
from orchestrator.verify.beliefs.stickiness_left_out import restore
from orchestrator.verify.scene import UNREACHED, Scene

LASTS = 0.5  # of a minute: longer than a load balancer takes to follow a rule


async def ask(scene: Scene) -> Seen:
    """Take the group out of its rule while a request waits for its answer."""
    if scene.users is None:
        return not_asked(UNREACHED)
    waits = LASTS * scene.minute
    request = asyncio.ensure_future(scene.users.send(wait=waits))
    await asyncio.sleep(waits / 5)
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
    asked_by="A request that takes half a minute; after a fifth of it the rule is written without the group.",
    rests_on="Elastic Load Balancing documents this of deregistered targets, not of rules",
    if_wrong="At the end of a rollout, and in a rollback, Teal takes green's group out of the rule before green's "
    "tasks are drained: requests that green is still answering then would be cut. Weights of 0 come first, so that "
    "only requests longer than that wait are concerned.",
    ask=ask,
    needs=frozenset({Need.THROW_AWAY, Need.USERS}),
    minutes=0.8,
    actions=("elasticloadbalancing:ModifyRule",),
)
