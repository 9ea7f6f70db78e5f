"""Which resources a read of service revisions asks permission for."""

from orchestrator.verify.beliefs.belief import Belief, Need, Seen, as_believed, no_session, not_asked, wrong
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
        return no_session(why)
    words = "; ".join(f"with {name}: {said or 'answered'}" for name, said in found.items())
    facts = {f"with_{name}": said or "answered" for name, said in found.items()}
    are_both_needed = not found["both"] and found["revision"] and found["service"]
    return (as_believed if are_both_needed else wrong)(words, **facts)


async def _answer(calls: Calls, revision: str) -> str:
    """Empty: it was answered; the code otherwise."""
    try:
        await calls("ecs", "DescribeServiceRevisions", serviceRevisionArns=[revision])
    except Refusal as refusal:
        return refusal.code
    return ""


SERVICE_REVISIONS = Belief(
    name="service-revisions",
    believes="DescribeServiceRevisions asks for permission on the service and on its revisions, as the statement "
    "ReadRevisions of Teal's least policy gives it (docs/iam/read.json).",
    asked_by="The call in three sessions, which allow the revisions, the service, and both.",
    rests_on="Service Authorization Reference, which names two resource types as required",
    if_wrong="Where one of them is enough, nothing breaks, and the statement may be narrowed. Where even both "
    "are not, the read is denied: preflight says so and refuses the start, before anything is "
    "made, until the statement says `*`.",
    ask=ask,
    needs=frozenset({Need.SESSION}),
    actions=("sts:AssumeRole", "sts:GetFederationToken"),
)
