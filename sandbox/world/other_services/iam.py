"""IAM, as far as it says what a principal may do, by the policies that it was given here.

Whoever was given none may do everything, but for what a test says is lacking. Source: IAM API Reference,
SimulatePrincipalPolicy: the keys are those that the simulation was told, whether or not the action has them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from sandbox.world.access.documents import Decision, Request, decide, unknown_keys
from sandbox.world.access.gate import Gate
from sandbox.world.kernel.errors import AwsRefusal, Json
from sandbox.world.kernel.kernel import Kernel
from sandbox.world.kernel.operation import Operation, operation


@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """Calls that a simulation denies: patterns of actions, resources and principals."""

    action: str
    resource: str = "*"
    principal: str = "*"
    is_explicit: bool = False
    looks_at: tuple[str, ...] = ()  # what a condition looks at that the simulation was not told


class Policies:
    """Simulation of policies, and the paths of roles. `may_ask` False: nobody may simulate."""

    def __init__(self, kernel: Kernel, gate: Gate) -> None:
        self._kernel, self._gate = kernel, gate
        self.lacks: list[Lack] = []
        self.paths: dict[str, str] = {}  # role name → path, with slashes
        self.may_ask = True

    def operations(self) -> dict[str, Operation]:
        """The operations by their AWS names."""
        return {
            "SimulatePrincipalPolicy": operation(
                self.simulate, "PolicySourceArn", "ActionNames", "ResourceArns", "ContextEntries", "Marker"
            ),
            "GetRole": operation(self.role, "RoleName"),
        }

    def simulate(self, params: Json) -> Json:
        """SimulatePrincipalPolicy: as the principal's policies say, unless it is among what is lacking."""
        principal = params["PolicySourceArn"]
        if not self.may_ask:
            raise AwsRefusal(
                "AccessDenied", "User is not authorized to perform: iam:SimulatePrincipalPolicy", 403
            )
        if f":{self._kernel.account}:" not in principal or not principal.startswith("arn:aws:iam::"):
            raise AwsRefusal("NoSuchEntity", f"The principal {principal} cannot be found.", 404)
        return {"EvaluationResults": list(self._results(principal, params)), "IsTruncated": False}

    def role(self, params: Json) -> Json:
        """GetRole: every role exists, at the path that it was given."""
        name = params["RoleName"]
        path = self.paths.get(name, "/")
        return {
            "Role": {
                "Path": path,
                "RoleName": name,
                "RoleId": "AROASANDBOXROLEID",
                "Arn": f"arn:aws:iam::{self._kernel.account}:role{path}{name}",
                "CreateDate": self._kernel.now,
            }
        }

    def _results(self, principal: str, params: Json) -> Iterator[Json]:
        for action in params["ActionNames"]:
            for resource in params.get("ResourceArns", ["*"]):
                decision, missing = self._decision(principal, action, resource, params)
                yield {
                    "EvalActionName": action,
                    "EvalResourceName": resource,
                    "EvalDecision": decision,
                    "MatchedStatements": [],
                    # Where resources are named, what is missing is said of each of them, and not here.
                    "MissingContextValues": [],
                    "ResourceSpecificResults": [
                        {
                            "EvalResourceName": resource,
                            "EvalResourceDecision": decision,
                            "MatchedStatements": [],
                            "MissingContextValues": missing,
                        }
                    ],
                }

    def _decision(self, principal: str, action: str, resource: str, params: Json) -> tuple[str, list[str]]:
        """What is decided, and what a condition looks at that the simulation was not told."""
        lack = self._lack(principal, action, resource)
        if lack is not None:
            decision = Decision.EXPLICIT_DENY if lack.is_explicit else Decision.IMPLICIT_DENY
            return decision, list(lack.looks_at)
        documents = self._gate.policies_of(principal)
        if documents is None:
            return Decision.ALLOWED, []
        told = params.get("ContextEntries", ())
        keys = {entry["ContextKeyName"].lower(): tuple(entry["ContextKeyValues"]) for entry in told}
        request = Request(action=action, resource=resource, keys=keys)
        return decide(documents, request), list(unknown_keys(documents, request))

    def _lack(self, principal: str, action: str, resource: str) -> Lack | None:
        return next(
            (
                lack
                for lack in self.lacks
                if fnmatchcase(action, lack.action)
                and fnmatchcase(resource, lack.resource)
                and fnmatchcase(principal, lack.principal)
            ),
            None,
        )
