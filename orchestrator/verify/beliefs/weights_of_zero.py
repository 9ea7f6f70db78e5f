"""A rule whose weights are all 0: whether it is taken, and what users get then."""

import asyncio

from orchestrator.verify.beliefs.belief import (
    MEMORY,
    Belief,
    Need,
    Seen,
    Verdict,
    as_believed,
    refused,
    unclear,
)
from orchestrator.verify.beliefs.stickiness_left_out import restore, write
from orchestrator.verify.means import Refusal
from orchestrator.verify.scene import Scene


async def ask(scene: Scene) -> Seen:
    """Write it, and send a request."""
    try:
        await write(scene, {"TargetGroups": [{"TargetGroupArn": scene.place.group, "Weight": 0}]})
    except Refusal as refusal:
        return refused(refusal, Verdict.WRONG, "it is refused")
    try:
        await asyncio.sleep(scene.steers_after)
        status = (await scene.users.send()).status if scene.users else None
    finally:
        await restore(scene)
    if status is None:
        return as_believed(
            "it is taken; what users get was not asked, for no request reaches it", is_taken=True
        )
    words = f"it is taken, and a request is answered with {status}"
    return (as_believed if status == 503 else unclear)(words, is_taken=True, status=status)


WEIGHTS_OF_ZERO = Belief(
    name="weights-of-zero",
    believes="A forward whose weights are all 0 is taken, and users get 503.",
    asked_by="ModifyRule of the throw-away rule with weight 0 alone, and one request.",
    rests_on=MEMORY,
    if_wrong="Teal never writes such a list, whatever AWS makes of it: its weights add up to 1000 or so.",
    ask=ask,
    needs=frozenset({Need.THROW_AWAY}),
    minutes=0.4,
    actions=("elasticloadbalancing:ModifyRule",),
)
