"""AWS's refusals as errors of Teal's own tree: the only place that knows AWS's error codes.

Codes are those on the wire (``Error.Code``), which for Elastic Load Balancing lack the ``Exception`` that ends the
names of its error shapes. Sources: the error lists of each operation in botocore's service models; "Common Error
Types" of each API reference.
"""

import re

from orchestrator.core.cloud.sign_in import READ_POOL
from orchestrator.core.domain.errors import Denied, Missing, Outside, Rejected, Throttled, Unreachable
from orchestrator.core.preflight.grants import GRANTS

CREDENTIALS_ADVICE = (
    "give credentials in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile in AWS_PROFILE (`aws sso login` renews "
    "it), or the role of the task or instance that Teal runs on"
)

_THROTTLED = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestLimitExceeded",
        "TooManyRequestsException",
        "LimitExceededFault",
        "SlowDown",
        # Application Auto Scaling: another change of the same target is in progress; it ends by itself.
        "ConcurrentUpdateException",
    }
)
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException"})
"""Credentials that were right once; those of an assumed role are renewed."""
_NO_CREDENTIALS = EXPIRED | frozenset(
    {
        "InvalidClientTokenId",
        "InvalidToken",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "RequestExpired",
        "UnrecognizedClientException",
    }
)
_NO_SIGNATURE = frozenset(
    {
        "IncompleteSignature",
        "InvalidSignatureException",
        "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
    }
)
_NOT_ALLOWED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AuthFailure",
        "NotAuthorized",
        "OptInRequired",
        "UnauthorizedOperation",
    }
)
_BROKEN = frozenset(
    {
        "HealthUnavailable",
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "InternalServiceException",
        "InternalServiceFault",
        "RequestTimeout",
        "ServerException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
    }
)
_GONE = frozenset({"NoSuchEntity", "ServiceNotActiveException"})
# ECS has no error of its own for a task definition that does not exist.
_GONE_IN = frozenset({("DescribeTaskDefinition", "ClientException")})
# What AWS says in an error that otherwise means a mistake, where the same call works some seconds later.
_BUSY = (
    # ECS RegisterTaskDefinition, ClientException: somebody else registers a revision of the family at this moment.
    "too many concurrent attempts to create a new revision",
)
_NOT_YET = (
    # ECS CreateService, UpdateService: the group is in a rule already, but ECS does not see it yet.
    "does not have an associated load balancer",
)
_MARKUP = re.compile(r"\s*<(!doctype|html|head|body|\?xml|[a-z]+[ />])", re.IGNORECASE)
_TEXT_MAX = 120  # characters shown of an answer that is not AWS's

_NOT_AUTHORIZED = re.compile(r"not authorized to perform: ([\w-]+:\w+)")
# Elastic Load Balancing, InvalidLoadBalancerAction: it asks Cognito for the pool's client in the caller's name.
NO_POOL = "not authorized to perform 'describeuserpoolclient'"

# The same words end a command and explain a rollout's hold, so they speak to both.
AGAIN = "a rollout under way tries again by itself, otherwise give the command again"

_SERVICES = {
    "ecs": "ECS",
    "elbv2": "Elastic Load Balancing",
    "application-autoscaling": "Application Auto Scaling",
    "cloudwatch": "CloudWatch",
    "sts": "STS",
    "ec2": "EC2",
    "ecr": "ECR",
    "iam": "IAM",
    "secretsmanager": "Secrets Manager",
    "service-quotas": "Service Quotas",
    "ssm": "Systems Manager",
}


_PREFIXES = {"elbv2": "elasticloadbalancing", "service-quotas": "servicequotas"}


def call_name(service: str, operation: str) -> str:
    """A call in a person's words: ``ECS DescribeServices``."""
    return f"{_SERVICES.get(service, service)} {operation}"


def iam_action(service: str, operation: str) -> str:
    """The action that IAM must allow for a call: ``elasticloadbalancing:ModifyRule``."""
    prefix = _PREFIXES.get(service, service)
    operation = (
        operation.removesuffix("Batch") if service == "sqs" else operation
    )  # IAM knows the single one alone
    return f"{prefix}:{operation}"


def said(error: Outside) -> tuple[str, str]:
    """The code and the message that AWS gave with an error; ``NoAnswer`` and why, where it gave none."""
    cause = error.__cause__
    response = getattr(cause, "response", None)
    if isinstance(response, dict) and "Error" in response:
        return str(response["Error"].get("Code", "Unknown")), str(response["Error"].get("Message", ""))
    code = getattr(cause, "code", "")
    return (str(code), str(getattr(cause, "message", ""))) if code else ("NoAnswer", error.why)


def refused(service: str, operation: str, *, code: str, message: str, status: int) -> Outside:
    """The error for an error answer. `code` is AWS's code on the wire, `status` the HTTP status."""
    if not _is_aws_code(code):
        return strange(service, operation, status=status, text=message)
    what = call_name(service, operation)
    is_told = bool(message) and not _MARKUP.match(message)
    why = f"AWS answered {code}: {message}" if is_told else f"AWS answered {code}"
    if code in _THROTTLED or status == 429 or _says(message, _BUSY):
        return Throttled(what=what, why=why, next_step=f"Teal slows down; {AGAIN}")
    if code in _NO_CREDENTIALS:
        return Denied(what=what, why=why, next_step=f"renew the credentials: {CREDENTIALS_ADVICE}")
    if code in _NO_SIGNATURE:
        return Denied(what=what, why=why, next_step="check the secret key, and this machine's clock")
    if code in _NOT_ALLOWED:
        return _denied(what, why, _action_in(message) or iam_action(service, operation))
    if NO_POOL in message.lower():
        return _denied(what, why, READ_POOL)
    if code in _BROKEN or status >= 500:
        return Unreachable(what=what, why=why, next_step=f"see the AWS Health Dashboard; {AGAIN}")
    return _understood(what, why, operation=operation, code=code, message=message)


def strange(service: str, operation: str, *, status: int, text: str) -> Outside:
    """The error for an answer that is not AWS's: of a proxy, a firewall or another endpoint. `text`: what it says.

    What became of a write is not known. Markup is never shown.
    """
    if _MARKUP.match(text):
        why = f"the endpoint answered with a page instead of an AWS answer (HTTP {status})"
    else:
        plain = " ".join("".join(c if c.isprintable() else " " for c in text[: 2 * _TEXT_MAX]).split())
        short = f"{plain[:_TEXT_MAX]}…" if len(plain) > _TEXT_MAX else plain
        why = f"the endpoint answered HTTP {status} without an error of AWS{': ' if short else ''}{short}"
    if status == 429:
        return Throttled(what=call_name(service, operation), why=why, next_step=f"Teal slows down; {AGAIN}")
    return Unreachable(
        what=call_name(service, operation),
        why=why,
        next_step=f"check proxies and firewalls on the way, AWS_ENDPOINT_URL and the region; {AGAIN}",
    )


def unanswered(service: str, operation: str, *, why: str) -> Unreachable:
    """The error for a call that got no answer, or none that can be read; a write may have taken effect."""
    return Unreachable(
        what=call_name(service, operation),
        why=why,
        next_step=f"check the network, AWS_ENDPOINT_URL and the region; {AGAIN}",
    )


def uncredentialed(service: str, operation: str, *, why: str) -> Denied:
    """The error for a call that could not be signed, since there are no usable credentials."""
    return Denied(what=call_name(service, operation), why=why, next_step=CREDENTIALS_ADVICE)


def _denied(what: str, why: str, action: str) -> Denied:
    """A denial, with the statement that would allow the action."""
    sid = next((grant.sid for grant in GRANTS if action in grant.actions), "")
    where = f" (statement {sid} of docs/permissions.md)" if sid else ""
    return Denied(what=what, why=why, next_step=f"allow the action {action} to Teal's role{where}")


def _action_in(message: str) -> str:
    """The action that AWS says is not allowed: a call may need others besides its own."""
    found = _NOT_AUTHORIZED.search(message)
    return found[1] if found else ""


def _is_aws_code(code: str) -> bool:
    """False for what botocore gives where an answer names no error: the HTTP status, or nothing."""
    return bool(code) and code != "Unknown" and not code.isdecimal()


def _says(message: str, texts: tuple[str, ...]) -> bool:
    return any(text in message.lower() for text in texts)


def _understood(what: str, why: str, *, operation: str, code: str, message: str) -> Outside:
    is_gone = code.removesuffix("Exception").endswith("NotFound") or code in _GONE
    if is_gone or (operation, code) in _GONE_IN or _says(message, _NOT_YET):
        return Missing(what=what, why=why, next_step="check that it exists in this account and region")
    return Rejected(what=what, why=why, next_step="change what AWS names, then start again")
