"""A deregistration delay above the longest."""

from orchestrator.verify.beliefs.belief import Belief, Need, Seen, Verdict, refused, wrong
from orchestrator.verify.means import Refusal
from orchestrator.verify.place import template
from orchestrator.verify.scene import Scene

CODE = "InvalidConfigurationRequest"


async def ask(scene: Scene) -> Seen:
    """Set 3601 seconds."""
    wanted = [{"Key": "deregistration_delay.timeout_seconds", "Value": "3601"}]
    try:
        await scene.calls(
            "elbv2", "ModifyTargetGroupAttributes", TargetGroupArn=scene.place.group, Attributes=wanted
        )
    except Refusal as refusal:
        return refused(refusal, Verdict.AS_BELIEVED if refusal.code == CODE else Verdict.WRONG)
    await scene.calls("elbv2", "ModifyTargetGroupAttributes", **template.draining(scene.place.group))
    return wrong("it was taken")


LONG_DRAINING = Belief(
    name="long-draining",
    believes="A deregistration delay of more than an hour is refused with InvalidConfigurationRequest.",
    asked_by="ModifyTargetGroupAttributes of the throw-away target group with 3601 seconds.",
    rests_on="Elastic Load Balancing API Reference; others answer ValidationError",
    if_wrong="Teal copies blue's delay, which AWS took, and reads it back: nothing changes but the code in a message.",
    ask=ask,
    needs=frozenset({Need.THROW_AWAY}),
    actions=("elasticloadbalancing:ModifyTargetGroupAttributes",),
)
