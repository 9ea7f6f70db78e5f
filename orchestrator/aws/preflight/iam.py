"""IAM: what a principal's policies allow, by IAM's own simulation, which carries nothing out.

Source: IAM API Reference, SimulatePrincipalPolicy. It looks at the principal's own policies, not at those of resources,
session policies or organisations: what it denies without a policy that says so may be allowed by another.
"""

from collections.abc import Iterable

from orchestrator.aws.client.call import Caller
from orchestrator.aws.client.transport import Answer
from orchestrator.core.domain.errors import Denied, Missing, Rejected
from orchestrator.core.preflight.context_keys import TAG_KEYS, Keys, is_open
from orchestrator.core.preflight.environment import Denial
from orchestrator.core.preflight.permissions import Permit

ALLOWED, EXPLICIT = "allowed", "explicitDeny"
ASSUMED = ":assumed-role/"


async def denials(call: Caller, principal: str, permits: Iterable[Permit]) -> tuple[Denial, ...]:
    """Which of these calls the principal may not make. Raises Outside (Denied: nobody may ask here).

    One simulation looks at every action with the same keys, so only actions that have the same are asked about at once.
    """
    together: dict[tuple[str, Keys], dict[str, str]] = {}
    for permit in permits:
        together.setdefault((permit.resource, permit.keys), {})[permit.action] = permit.sid
    found: list[Denial] = []
    for (resource, keys), actions in together.items():
        asked: Answer = {
            "PolicySourceArn": principal,
            "ActionNames": list(actions),
            "ResourceArns": [resource],
            "ContextEntries": [_entry(name, values) for name, values in keys],
        }
        for result in await call.pages(
            "iam", "SimulatePrincipalPolicy", asked, items="EvaluationResults", token="Marker"
        ):
            if result["EvalDecision"] != ALLOWED:
                action, missing = result["EvalActionName"], _missing(result)
                found.append(
                    Denial(
                        action=action,
                        resource=resource,
                        sid=actions.get(action, ""),
                        is_explicit=result["EvalDecision"] == EXPLICIT,
                        unknown=tuple(key for key in missing if is_open(action, keys, key)),
                        never=tuple(key for key in missing if not is_open(action, keys, key)),
                    )
                )
    return tuple(found)


def _entry(name: str, values: tuple[str, ...]) -> Answer:
    kind = "stringList" if name == TAG_KEYS else "string"
    return {"ContextKeyName": name, "ContextKeyValues": list(values), "ContextKeyType": kind}


def _missing(result: Answer) -> tuple[str, ...]:
    """What a condition looks at and was not told. Where resources are named, AWS says it of each resource.

    Source: IAM API Reference, EvaluationResult and ResourceSpecificResult, MissingContextValues.
    """
    of_each = (one.get("MissingContextValues", ()) for one in result.get("ResourceSpecificResults", ()))
    said = (*result.get("MissingContextValues", ()), *(name for names in of_each for name in names))
    return tuple(dict.fromkeys(said))


async def principal_of(call: Caller, caller: str) -> str:
    """The user or role whose policies a caller's calls are judged by. Raises Rejected for one that has none.

    An assumed role's ARN leaves out the role's path, which only IAM knows.
    """
    if caller.endswith(":root") or ":federated-user/" in caller:
        raise Rejected(
            what=f"the permissions of {caller}",
            why="IAM simulates those of users and roles alone",
            next_step="use a role for Teal",
        )
    if ASSUMED not in caller:
        return caller
    head, _, rest = caller.partition(ASSUMED)
    name = rest.partition("/")[0]
    try:
        answer = await call.read("iam", "GetRole", {"RoleName": name}, has="Role")
    except (Denied, Missing):
        return f"{head.replace(':sts:', ':iam:')}:role/{name}"
    return str(answer["Role"]["Arn"])
