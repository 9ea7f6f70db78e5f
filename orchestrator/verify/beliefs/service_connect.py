"""What making a service that is a client of Service Connect asks permission for."""

from orchestrator.verify.beliefs.belief import (
    MEMORY,
    Belief,
    Need,
    Seen,
    Verdict,
    as_believed,
    no_session,
    not_asked,
    refused,
)
from orchestrator.verify.journal import Made
from orchestrator.verify.means import Refusal, Unnarrowed
from orchestrator.verify.place import template
from orchestrator.verify.place.kinds import KINDS
from orchestrator.verify.scene import Scene, policy


async def ask(scene: Scene) -> Seen:
    """Make a service without tasks in a session that allows no action of Cloud Map."""
    if not scene.wanted.namespace:
        return not_asked("no namespace was named: `--namespace ARN`")
    name = f"{scene.wanted.name}-client"
    params = template.service(scene.wanted, scene.place.blue, scene.place.group) | {
        "serviceName": name,
        "clientToken": name,
        "desiredCount": 0,
        "serviceConnectConfiguration": {"enabled": True, "namespace": scene.wanted.namespace},
    }
    for without in ("loadBalancers", "healthCheckGracePeriodSeconds"):
        params.pop(without)
    allowed = ["ecs:CreateService", "ecs:TagResource", "ecs:DescribeServices"]
    made = Made(kind="service", name=name, within=scene.wanted.name)
    try:
        async with scene.means.narrow(policy((allowed, ["*"]))) as calls:
            scene.journal.making(made)
            try:
                await calls("ecs", "CreateService", **params)
            except Refusal as refusal:
                return refused(refusal, Verdict.WRONG, "ECS refused it", message=refusal.message)
            await KINDS["service"].remove(scene.calls, made, "")
    except Unnarrowed as why:
        return no_session(why)
    return as_believed("the service was made without any permission of Cloud Map")


SERVICE_CONNECT = Belief(
    name="service-connect",
    believes="Making a service that is a client of Service Connect takes `ecs:CreateService` and no permission of "
    "Cloud Map.",
    asked_by="CreateService without tasks, in a session that allows actions of ECS alone.",
    rests_on=MEMORY,
    if_wrong="ECS refuses to make green for such a blue: the rollout ends before any traffic, with AWS's reason, which "
    "names the action. Add it to Teal's role.",
    ask=ask,
    needs=frozenset({Need.THROW_AWAY, Need.SESSION}),
    actions=("sts:AssumeRole", "sts:GetFederationToken"),
)
