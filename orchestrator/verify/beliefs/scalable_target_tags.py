"""A scalable target that is registered with tags."""

from orchestrator.verify.beliefs.belief import Belief, Need, Seen, Verdict, as_believed, refused, wrong
from orchestrator.verify.journal import Made
from orchestrator.verify.means import Refusal
from orchestrator.verify.scene import Scene
from orchestrator.verify.wanted import TAG


async def ask(scene: Scene) -> Seen:
    """Register one with a tag, change it with the same tag, and read the tag."""
    name = scene.place.service
    resource = f"service/{name.cluster}/{name.service}"
    params = {
        "ServiceNamespace": "ecs",
        "ResourceId": resource,
        "ScalableDimension": "ecs:service:DesiredCount",
        "MinCapacity": 1,
        "MaxCapacity": 4,
        "Tags": {TAG: scene.wanted.id},
    }
    call = ("application-autoscaling", "RegisterScalableTarget", params)
    try:
        async with scene.a(Made(kind="scaling", name=resource), call, "ScalableTargetARN") as arn:
            again = await _again(scene, {**params, "MaxCapacity": 5})
            shown = await scene.calls("application-autoscaling", "ListTagsForResource", ResourceARN=arn)
            has_tag = shown["Tags"].get(TAG) == scene.wanted.id
    except Refusal as refusal:
        return refused(refusal, Verdict.WRONG, operation=refusal.operation)
    if again is not None:
        words = "the first registration was taken, a change with the same tags was refused"
        return refused(again, Verdict.WRONG, words, has_tag=has_tag)
    words = "it was registered, and changed with the same tags"
    return (as_believed if has_tag else wrong)(
        f"{words}; the tag {'is' if has_tag else 'is not'} there", has_tag=has_tag
    )


async def _again(scene: Scene, params: dict[str, object]) -> Refusal | None:
    try:
        await scene.calls("application-autoscaling", "RegisterScalableTarget", **params)
    except Refusal as refusal:
        return refusal
    return None


SCALABLE_TARGET_TAGS = Belief(
    name="scalable-target-tags",
    believes="RegisterScalableTarget takes tags, also for a target that is there already.",
    asked_by="RegisterScalableTarget of the throw-away service, twice, with the run's tag; ListTagsForResource.",
    rests_on="Application Auto Scaling API Reference, RegisterScalableTarget, Tags; of a second call it says nothing",
    if_wrong="Teal registers green's target with tags and repeats the same call to change it: a refused one holds the "
    "rollout before green has traffic, with AWS's reason, until `limits.hold`, and then rolls back.",
    ask=ask,
    needs=frozenset({Need.THROW_AWAY}),
    actions=(
        "application-autoscaling:RegisterScalableTarget",
        "application-autoscaling:TagResource",
        "application-autoscaling:ListTagsForResource",
        "application-autoscaling:DeregisterScalableTarget",
        "iam:CreateServiceLinkedRole",
    ),
)
