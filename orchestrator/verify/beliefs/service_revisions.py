"""Which resources a read of service revisions asks permission for."""

from orchestrator.verify.beliefs.belief import Belief, Need, Seen, as_believed, not_asked, unclear, wrong
from orchestrator.verify.means import Calls, Refusal, Unnarrowed
from orchestrator.verify.scene import Scene, policy

ACTION = "ecs:DescribeServiceRevisions"


async def ask(scene: Scene) -> Seen:
    """Ask with the service alone allowed, with the revision alone, and with both."""
    blue = await scene.blue()
    revisions = [one["arn"] for one in blue.get("currentServiceRevisions", ())]
    if not revisions:
        return not_asked("ECS shows no revision of the service")
    head, _, rest = blue["serviceArn"].partition(":service/")
    resources = {
        "revision": [f"{head}:service-revision/{rest}/*"],
        "service": [f"{head}:service/{rest}"],
    }
    resources["both"] = [*resources["revision"], *resources["service"]]
    found: dict[str, str] = {}
    try:
        for name, allowed in resources.items():
            async with scene.means.narrow(policy(([ACTION], allowed))) as calls:
                found[name] = await _answer(calls, revisions[0])
    except Unnarrowed as why:
        return not_asked(str(why))
    words = "; ".join(f"with {name}: {said or 'answered'}" for name, said in found.items())
    facts = {f"with_{name}": said or "answered" for name, said in found.items()}
    if found["both"]:
        return unclear(f"it is refused even with both: {words}", **facts)
    return (wrong if found["revision"] else as_believed)(words, **facts)


async def _answer(calls: Calls, revision: str) -> str:
    """Empty: it was answered; the code otherwise."""
    try:
        await calls("ecs", "DescribeServiceRevisions", serviceRevisionArns=[revision])
    except Refusal as refusal:
        return refusal.code
    return ""


SERVICE_REVISIONS = Belief(
    name="service-revisions",
    believes="DescribeServiceRevisions is allowed by a statement on the service's revisions alone, as in Teal's least "
    "policy (docs/iam-policy.json).",
    asked_by="The call in three sessions, which allow the revisions, the service, and both.",
    rests_on="Service Authorization Reference, which names two resource types as required",
    if_wrong="With the least policy the read is denied: preflight says so and refuses the start, before anything is "
    "made. Add `service/CLUSTER/*` to the statement ReadRevisions.",
    ask=ask,
    needs=frozenset({Need.SESSION}),
    actions=("sts:AssumeRole", "sts:GetFederationToken"),
)
