"""What a user asks for: where the throw-away service may stand, or which service is taken, and which parts run."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from orchestrator.core.domain.errors import Invalid, Mistake

TAG = "teal:verify"  # on everything that is made, with the run's id
IMAGE = "public.ecr.aws/docker/library/busybox:stable"
_ID = re.compile(r"[0-9a-f]{8}")
_SERVICE = re.compile(r"[\w-]{1,255}/[\w-]{1,255}", re.ASCII)
_SUBNET = re.compile(r"subnet-[0-9a-z]{3,}")
_GROUP = re.compile(r"sg-[0-9a-z]{3,}")
_LISTENER = re.compile(r"arn:aws[a-z-]*:elasticloadbalancing:[a-z0-9-]+:\d{12}:listener/app/[\w-]+/\w+/\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One run. With `service` no throw-away service is made, and of the user's service only rollouts are made.

    `minute` is how long a CloudWatch minute lasts there: 60 s on AWS, shorter in a sandbox alone.
    """

    id: str  # eight hexadecimal digits
    subnets: tuple[str, ...] = ()
    security_group: str = ""
    service: str = ""  # cluster/name; empty: a throw-away one
    listener: str = ""  # an existing one's ARN; empty: a load balancer is made
    parts: frozenset[str] = frozenset()  # empty: all
    is_private: bool = False  # an internal load balancer, and tasks without public addresses
    url: str = ""  # where users' requests go; empty: the load balancer's own name
    role: str = ""  # that may be assumed to try narrower permissions
    namespace: str = ""  # of Service Connect
    certificate: str = ""  # in Certificate Manager, for a listener of a moment
    image: str = IMAGE
    port: int = 80  # of the listener that is made
    minute: timedelta = timedelta(seconds=60)

    @property
    def name(self) -> str:
        """What everything that is made is called."""
        return f"teal-verify-{self.id}"

    @property
    def is_throw_away(self) -> bool:
        """True where the service is made by the run."""
        return not self.service

    def wants(self, part: str, *more: str) -> bool:
        """True if this part (by any of its names) is to run."""
        return not self.parts or bool(self.parts & {part, *more})


def checked(wanted: Wanted, known: Sequence[str]) -> Wanted:
    """The same, if a run can be made of it; `known`: the parts there are. Raises Invalid with every mistake."""
    mistakes = [Mistake(pointer=p, what=w, instead=i) for p, w, i in _mistakes(wanted, known)]
    if mistakes:
        raise Invalid(source="verify-account ", mistakes=mistakes)
    return wanted


def _mistakes(wanted: Wanted, known: Sequence[str]) -> list[tuple[str, str, str]]:
    found = []
    unknown = sorted(wanted.parts - set(known))
    if unknown:
        found.append(("--only", f"there is no part {', '.join(unknown)}", f"write of: {', '.join(known)}"))
    if wanted.service and not _SERVICE.fullmatch(wanted.service):
        found.append(("--service", f"`{wanted.service}` names no service", "write CLUSTER/SERVICE"))
    if wanted.service and (wanted.subnets or wanted.security_group or wanted.listener):
        found.append(
            ("--service", "a service is named and so is a place for a throw-away one", "name one of them")
        )
    if wanted.is_throw_away:
        found += _of_place(wanted)
    if wanted.listener and not _LISTENER.fullmatch(wanted.listener):
        found.append(
            ("--listener", "it is no ARN of an application load balancer's listener", "copy its ARN")
        )
    if not _ID.fullmatch(wanted.id):
        found.append(("--id", f"`{wanted.id}` is no id of a run", "write its eight hexadecimal digits"))
    return found


def _of_place(wanted: Wanted) -> list[tuple[str, str, str]]:
    found = []
    wrong = [subnet for subnet in wanted.subnets if not _SUBNET.fullmatch(subnet)]
    if len(set(wanted.subnets)) < 2 or wrong:
        found.append(
            (
                "--subnets",
                f"{', '.join(wrong)} is no subnet's id" if wrong else "two subnets are needed",
                "write two of different zones, from which the image can be pulled: subnet-…,subnet-…",
            )
        )
    if not _GROUP.fullmatch(wanted.security_group):
        found.append(
            (
                "--security-group",
                "a security group is needed",
                "write sg-…: it must let this machine reach port 80 and its own members port 8080",
            )
        )
    return found
