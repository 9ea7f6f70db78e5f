"""Who the caller is, and roles that a caller may assume: of this World's account, or of another World's."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from sandbox.world.access.documents import Document
from sandbox.world.kernel.errors import AwsRefusal, Json
from sandbox.world.kernel.kernel import Kernel
from sandbox.world.kernel.operation import Operation, operation

W = TypeVar("W")

TEMPORARY = "ASIA"  # how the access keys of temporary credentials begin
LONGEST = timedelta(hours=12)
CHAINED = timedelta(hours=1)  # the most for whoever has assumed a role already


@dataclass(frozen=True, slots=True, kw_only=True)
class Role(Generic[W]):
    """A role that this World's callers may assume. ``home`` is where calls with its credentials arrive."""

    arn: str
    external_id: str
    home: W


@dataclass(slots=True, kw_only=True)
class Session(Generic[W]):
    """Temporary credentials, and whose they are."""

    caller: str  # ARN
    token: str
    home: W
    until: datetime
    policy: Document | None = None  # None: all that its role may


@dataclass(slots=True)
class Sts(Generic[W]):
    """The account's security token service. ``caller`` is whoever makes the call under way; empty: the user."""

    kernel: Kernel
    home: W  # where the account's own calls arrive
    caller: str = ""
    roles: dict[str, Role[W]] = field(default_factory=dict)
    _sessions: dict[str, Session[W]] = field(default_factory=dict)

    def operations(self) -> dict[str, Operation]:
        """GetCallerIdentity, AssumeRole and GetFederationToken."""
        return {
            "GetCallerIdentity": operation(self._identity),
            "AssumeRole": operation(
                self._assume, "RoleArn", "RoleSessionName", "ExternalId", "DurationSeconds", "Policy"
            ),
            "GetFederationToken": operation(self._federate, "Name", "DurationSeconds", "Policy"),
        }

    def allow(self, arn: str, *, home: W, external_id: str = "") -> None:
        """Have a role that may be assumed, by whoever gives its external id (empty: it asks for none)."""
        self.roles[arn] = Role(arn=arn, external_id=external_id, home=home)

    def expire(self) -> None:
        """Let all temporary credentials expire now."""
        for session in self._sessions.values():
            session.until = self.kernel.now

    def session(self, access_key: str, token: str, *, is_query: bool) -> Session[W] | None:
        """Whose temporary credentials these are; None for any others, which are the account's user's.

        Raises AwsRefusal for temporary ones that have expired or were never given.
        """
        if not access_key.startswith(TEMPORARY):
            return None
        found = self._sessions.get(access_key)
        if found is None or found.token != token:
            code = "InvalidClientTokenId" if is_query else "UnrecognizedClientException"
            raise AwsRefusal(code, "The security token included in the request is invalid", 403)
        if self.kernel.now >= found.until:
            code = "ExpiredToken" if is_query else "ExpiredTokenException"
            raise AwsRefusal(
                code, "The security token included in the request is expired", 403 if is_query else 400
            )
        return found

    @property
    def _who(self) -> str:
        return self.caller or f"arn:aws:iam::{self.kernel.account}:user/somebody"

    def _identity(self, _: Json) -> Json:
        who = self._who
        user = "AROASANDBOXROLE:session" if ":assumed-role/" in who else "AIDASANDBOXUSER"
        return {"UserId": user, "Account": who.split(":")[4], "Arn": who}

    def _assume(self, params: Json) -> Json:
        arn, name = params["RoleArn"], params["RoleSessionName"]
        role = self.roles.get(arn)
        if role is None or (role.external_id and params.get("ExternalId") != role.external_id):
            raise AwsRefusal(
                "AccessDenied",
                f"User: {self._who} is not authorized to perform: sts:AssumeRole on resource: {arn}",
                403,
            )
        account, _, path = arn.split(":", 4)[4].partition(":role/")
        caller = f"arn:aws:sts::{account}:assumed-role/{path.rpartition('/')[2]}/{name}"
        return {
            "Credentials": self._given(caller, role.home, params),
            "AssumedRoleUser": {"AssumedRoleId": f"AROASANDBOXROLE:{name}", "Arn": caller},
        }

    def _federate(self, params: Json) -> Json:
        """GetFederationToken: a user's own session. Without a policy it may do nothing; nobody else may ask."""
        if self.caller:
            raise AwsRefusal("AccessDenied", "Cannot call GetFederationToken with session credentials", 403)
        name = params["Name"]
        caller = f"arn:aws:sts::{self.kernel.account}:federated-user/{name}"
        given = self._given(caller, self.home, {"Policy": '{"Statement": []}'} | params)
        user = {"FederatedUserId": f"{self.kernel.account}:{name}", "Arn": caller}
        return {"Credentials": given, "FederatedUser": user}

    def _given(self, caller: str, home: W, params: Json) -> Json:
        """Temporary credentials of a session that begins now."""
        lasts = self._duration(params)
        key, secret, token = (self._word(size) for size in (16, 40, 64))
        session = Session(
            caller=caller,
            token=token,
            home=home,
            until=self.kernel.now + lasts,
            policy=Document.of_session(params["Policy"]) if "Policy" in params else None,
        )
        self._sessions[TEMPORARY + key] = session
        return {
            "AccessKeyId": TEMPORARY + key,
            "SecretAccessKey": secret,
            "SessionToken": token,
            "Expiration": session.until,
        }

    def _duration(self, params: Mapping[str, int]) -> timedelta:
        lasts = timedelta(seconds=params.get("DurationSeconds", 3600))
        if lasts > LONGEST or (self.caller and lasts > CHAINED):
            raise AwsRefusal(
                "ValidationError",
                "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
            )
        return lasts

    def _word(self, size: int) -> str:
        letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
        return "".join(self.kernel.names.choice(letters) for _ in range(size))
