"""IAM, as far as it says what a principal may do: this World asks nobody for permission, and answers the question."""

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

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

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
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
        """SimulatePrincipalPolicy: allowed, unless it is among what is lacking."""
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
                lack = self._lack(principal, action, resource)
                decision = "allowed" if lack is None else "implicitDeny"
                if lack is not None and lack.is_explicit:
                    decision = "explicitDeny"
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
                            "MissingContextValues": list(lack.looks_at) if lack is not None else [],
                        }
                    ],
                }

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
