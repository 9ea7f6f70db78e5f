"""Lets calls through or refuses them, by the policies of whoever calls and of the session that they call in.

A caller without policies may do everything: this World asks nobody for permission until it is told to. Sources: IAM
User Guide, "Policy evaluation logic" (a session may do what both its role's policies and its own allow); Amazon
CloudWatch API Reference, DescribeAlarms (composite alarms are shown to whoever may ask about ``*``).
"""

from collections.abc import Sequence

from sandbox.world.access.documents import Decision, Document, Request, decide
from sandbox.world.access.requests import Requests
from sandbox.world.kernel.errors import AwsRefusal, Json

COGNITO = "cognito-idp:DescribeUserPoolClient"
_JSON = frozenset({"ecs", "application-autoscaling", "secretsmanager", "ssm", "ecr", "service-quotas"})
_CODES = {**dict.fromkeys(_JSON, "AccessDeniedException"), "ec2": "UnauthorizedOperation"}


class Gate:
    """The account's policies, by the name of the user or role that has them."""

    def __init__(self, requests: Requests, account: str) -> None:
        self.requests = requests
        self._account = account
        self._policies: dict[str, tuple[Document, ...]] = {}

    def attach(self, principal: str, *documents: str | Json) -> None:
        """Give a user or role (ARN) these policies and no others; with none it may do nothing."""
        self._policies[name_of(principal)] = tuple(Document.read(one) for one in documents)

    def policies_of(self, principal: str) -> tuple[Document, ...] | None:
        """A principal's policies; None: it has none in this World, and may do everything."""
        return self._policies.get(name_of(principal))

    def check(self, by: str, session: Document | None, service: str, operation: str, params: Json) -> None:
        """Raises AwsRefusal for a call that is not allowed, with AWS's code and words."""
        by = by or f"arn:aws:iam::{self._account}:user/somebody"
        sets = self._sets(by, session)
        if not sets:
            return
        for request in self.requests.of(service, operation, params, by=by):
            for kind, documents in sets:
                decision = decide(documents, request)
                if decision is not Decision.ALLOWED:
                    raise _refusal(service, by, request, kind, decision)

    def shown(self, by: str, session: Document | None, operation: str, answer: Json) -> Json:
        """An answer as its caller gets it: without composite alarms, unless all alarms may be asked about."""
        if operation not in ("DescribeAlarms", "DescribeAlarmHistory"):
            return answer
        whole = Request(action=f"cloudwatch:{operation}", resource="*")
        sets = self._sets(by or f"arn:aws:iam::{self._account}:user/somebody", session)
        if all(decide(documents, whole) is Decision.ALLOWED for _, documents in sets):
            return answer
        if operation == "DescribeAlarms":
            return answer | {"CompositeAlarms": []}
        items = [item for item in answer["AlarmHistoryItems"] if item["AlarmType"] != "CompositeAlarm"]
        return answer | {"AlarmHistoryItems": items}

    def _sets(self, by: str, session: Document | None) -> list[tuple[str, Sequence[Document]]]:
        """Every set of policies that must allow a request, with AWS's name for its kind."""
        own = self.policies_of(by)
        found: list[tuple[str, Sequence[Document]]] = []
        if own is not None:
            found.append(("identity-based policy", own))
        if session is not None:
            found.append(("session policy", (session,)))
        return found


def name_of(principal: str) -> str:
    """``role/NAME`` or ``user/NAME``, of a role's, a session's or a user's ARN: without path and session."""
    resource = principal.split(":", 5)[5]
    if resource.startswith("assumed-role/"):
        return f"role/{resource.split('/')[1]}"
    return f"{resource.partition('/')[0]}/{resource.rpartition('/')[2]}"


def _refusal(service: str, by: str, request: Request, kind: str, decision: Decision) -> AwsRefusal:
    if request.action == COGNITO:  # Elastic Load Balancing asks Cognito in the caller's name
        return AwsRefusal(
            "InvalidLoadBalancerAction", "User is not authorized to perform 'describeUserPoolClient'"
        )
    article = "an" if kind.startswith("i") else "a"
    why = (
        f"with an explicit deny in {article} {kind}"
        if decision is Decision.EXPLICIT_DENY
        else f"because no {kind} allows the {request.action} action"
    )
    return AwsRefusal(
        _CODES.get(service, "AccessDenied"),
        f"User: {by} is not authorized to perform: {request.action} on resource: {request.resource} {why}",
        400 if service in _JSON else 403,
    )
