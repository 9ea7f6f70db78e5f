"""What Teal believes of AWS by general knowledge alone (the [mem] marks of aws.md), and what would settle it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.verify.check import Outcome

NOT_ASKED = "not asked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One belief: where it stands, what it says, and the checks that settle it (or how else it can be)."""

    where: str
    says: str
    checks: tuple[str, ...] = ()
    otherwise: str = ""


MARKS = (
    Mark(
        where="0",
        says="old models drop members of answers",
        otherwise="the floor of botocore is checked at start",
    ),
    Mark(
        where="0",
        says="boto3 sessions and client creation are not safe in threads",
        otherwise="a library's, not AWS's",
    ),
    Mark(
        where="1.4",
        says="a circuit breaker counts from 3 to 200 failed tasks",
        otherwise="needs tasks that fail",
    ),
    Mark(
        where="2", says="a forecast needs 24 hours of history", otherwise="needs a service that is a day old"
    ),
    Mark(
        where="2",
        says="a scheduled action in the past is refused, ValidationException",
        checks=("a scheduled action in the past",),
    ),
    Mark(
        where="2",
        says="a scalable target outlives its service and acts on the next of its name",
        otherwise="needs tasks under load",
    ),
    Mark(
        where="3.1",
        says="a read never shows a client secret",
        checks=("a client secret is never shown", "OIDC written back without its secret"),
    ),
    Mark(where="3.1", says="Cognito actions need DescribeUserPoolClient", otherwise="needs a user pool"),
    Mark(
        where="3.1",
        says="weights that are all 0: whether they are taken (what users then get needs traffic)",
        checks=("weights that are all 0 are taken",),
    ),
    Mark(
        where="3.1",
        says="group stickiness that a write leaves out is off",
        checks=("stickiness that is left out is off",),
    ),
    Mark(
        where="3.2",
        says="a draining of more than an hour is an InvalidConfigurationRequest (moto: ValidationError)",
        checks=("a draining of more than an hour",),
    ),
    Mark(
        where="3.3", says="quotas of services and tasks", otherwise="`teal preflight` reads the account's own"
    ),
    Mark(where="3.5", says="TargetResponseTime leaves timeouts out", otherwise="needs traffic"),
    Mark(where="3.5", says="metrics of a load balancer come 1 to 3 minutes late", otherwise="needs traffic"),
    Mark(
        where="3.6",
        says="the codes of credentials that are not taken",
        checks=(
            "credentials that nobody gave, at ECS",
            "credentials that nobody gave, at Elastic Load Balancing",
        ),
    ),
    Mark(
        where="3.6",
        says="the codes of throttling and of a wrong clock",
        otherwise="would disturb the account",
    ),
    Mark(where="4", says="20 ARNs in a read of rules", checks=("21 rules by their ARNs",)),
    Mark(where="4", says="the limits of Application Auto Scaling", otherwise="would disturb the account"),
    Mark(where="5", says="rule changes are events only with a trail", otherwise="needs a trail"),
    Mark(where="6", says="two services may be in one Cloud Map service", otherwise="needs a namespace"),
    Mark(where="7", says="which conditions a policy may have", otherwise="IAM's policy simulator tells"),
    Mark(where="9", says="a stopped task is shown for about an hour", otherwise="needs an hour"),
)


def table(outcomes: Mapping[str, Outcome]) -> Iterator[str]:
    """One line a mark: settled as believed, settled otherwise, or why not; `outcomes` by the checks' names."""
    width = max(len(mark.says) for mark in MARKS)
    yield f"{'aws.md':<7}{'believed by general knowledge':<{width}}  settled"
    for mark in MARKS:
        yield f"{mark.where:<7}{mark.says:<{width}}  {_settled(mark, outcomes)}"


def _settled(mark: Mark, outcomes: Mapping[str, Outcome]) -> str:
    if not mark.checks:
        return f"not by this list: {mark.otherwise}"
    asked = [outcomes[name] for name in mark.checks if name in outcomes]
    wrong = [outcome for outcome in asked if outcome.is_as_believed is False]
    lacking = [outcome for outcome in asked if outcome.is_as_believed is None]
    if wrong:
        return f"otherwise: {wrong[0].check.name}: {wrong[0].answer}"
    if lacking:
        return f"{NOT_ASKED}: {lacking[0].answer}"
    if len(asked) < len(mark.checks):
        return f"{NOT_ASKED} (by: {'; '.join(mark.checks)})"
    return "as believed"
