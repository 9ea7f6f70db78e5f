"""By which codes AWS refuses credentials that it never gave."""

from orchestrator.verify.beliefs.belief import MEMORY, Belief, Fact, Seen, judged
from orchestrator.verify.means import Refusal
from orchestrator.verify.scene import Scene

BELIEVED = {
    ("ecs", "ListClusters"): "UnrecognizedClientException",
    ("elbv2", "DescribeLoadBalancers"): "InvalidClientTokenId",
}


async def ask(scene: Scene) -> Seen:
    """One read of each protocol."""
    found: dict[str, Fact] = {}
    async with scene.means.strange() as calls:
        for service, operation in BELIEVED:
            try:
                await calls(service, operation)
                found[service] = "answered"
            except Refusal as refusal:
                found[service] = refusal.code
    words = "; ".join(f"{service}: {code}" for service, code in found.items())
    return judged(all(found[service] == code for (service, _), code in BELIEVED.items()), words, **found)


UNKNOWN_CREDENTIALS = Belief(
    name="unknown-credentials",
    believes="Credentials that are not known are refused with UnrecognizedClientException (ECS) and "
    "InvalidClientTokenId (Elastic Load Balancing).",
    asked_by="A read of each with temporary credentials that nobody gave.",
    rests_on=MEMORY,
    if_wrong="A code that Teal does not know as one of credentials is taken for AWS's refusal of that call: its "
    "message says to change what AWS names, where it should say to renew the credentials. Rollouts hold in both cases.",
    ask=ask,
)
