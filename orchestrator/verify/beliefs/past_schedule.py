"""A scheduled action whose one time has passed."""

from datetime import timedelta

from orchestrator.verify.beliefs.belief import MEMORY, Belief, Need, Seen, Verdict, refused, wrong
from orchestrator.verify.journal import Made
from orchestrator.verify.means import Refusal
from orchestrator.verify.scene import Scene


async def ask(scene: Scene) -> Seen:
    """Put one on a scalable target of a moment."""
    name = scene.place.service
    resource = f"service/{name.cluster}/{name.service}"
    key = {
        "ServiceNamespace": "ecs",
        "ResourceId": resource,
        "ScalableDimension": "ecs:service:DesiredCount",
    }
    target = (
        "application-autoscaling",
        "RegisterScalableTarget",
        {**key, "MinCapacity": 1, "MaxCapacity": 4},
    )
    at = scene.now() - timedelta(hours=1)
    try:
        async with scene.a(Made(kind="scaling", name=resource), target):
            try:
                await scene.calls(
                    "application-autoscaling",
                    "PutScheduledAction",
                    **key,
                    ScheduledActionName=scene.wanted.name,
                    Schedule=f"at({at:%Y-%m-%dT%H:%M:%S})",
                    ScalableTargetAction={"MinCapacity": 1},
                )
            except Refusal as refusal:
                is_so = refusal.code == "ValidationException"
                return refused(refusal, Verdict.AS_BELIEVED if is_so else Verdict.WRONG)
    except Refusal as refusal:
        return refused(refusal)
    return wrong("it was taken")


PAST_SCHEDULE = Belief(
    name="past-schedule",
    believes="A scheduled action whose only time has passed is refused with ValidationException.",
    asked_by="PutScheduledAction with a time an hour ago, on a scalable target of the throw-away service.",
    rests_on=MEMORY,
    if_wrong="Teal leaves such actions out when it gives green blue's schedules, and says so: nothing changes.",
    ask=ask,
    needs=frozenset({Need.THROW_AWAY}),
    actions=(
        "application-autoscaling:RegisterScalableTarget",
        "application-autoscaling:PutScheduledAction",
        "application-autoscaling:DeregisterScalableTarget",
        "iam:CreateServiceLinkedRole",
    ),
)
