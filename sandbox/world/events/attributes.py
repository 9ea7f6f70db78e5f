"""The attributes of a queue, its policy among them."""

import json
from fnmatch import fnmatchcase

from sandbox.world.kernel.errors import AwsRefusal, not_here

# name of an attribute -> (default, most); all are whole numbers of seconds
TIMES = {
    "VisibilityTimeout": (30, 43_200),
    "ReceiveMessageWaitTimeSeconds": (0, 20),
    "MessageRetentionPeriod": (345_600, 1_209_600),
    "DelaySeconds": (0, 900),
}
OTHER = ("Policy", "RedrivePolicy", "SqsManagedSseEnabled", "MaximumMessageSize")


def checked(given: dict[str, str]) -> dict[str, str]:
    """Attributes that were given. Raises AwsRefusal."""
    for name, value in given.items():
        if name in TIMES:
            if not value.isdecimal() or int(value) > TIMES[name][1]:
                raise AwsRefusal("InvalidAttributeValue", f"Invalid value for the parameter {name}.")
        elif name not in OTHER:
            raise not_here(f"the attribute {name} of a queue")
        elif name in ("Policy", "RedrivePolicy") and value:
            try:
                json.loads(value)
            except ValueError:
                raise AwsRefusal(
                    "InvalidAttributeValue", f"Invalid value for the parameter {name}."
                ) from None
    return dict(given)


def lets_eventbridge(policy: str | None, rule: str) -> bool:
    """Whether a queue's policy lets EventBridge send for this rule: as far as such policies are written."""
    statements = json.loads(policy or "{}").get("Statement", [])
    for statement in statements if isinstance(statements, list) else [statements]:
        principal = statement.get("Principal", {})
        services = principal.get("Service", []) if isinstance(principal, dict) else principal
        actions = statement.get("Action", [])
        condition = statement.get("Condition", {})
        sources = [
            source if isinstance(source, list) else [source]
            for operator in ("ArnEquals", "ArnLike", "StringEquals")
            for key, source in condition.get(operator, {}).items()
            if key.lower() == "aws:sourcearn"
        ]
        if (
            statement.get("Effect") == "Allow"
            and ("events.amazonaws.com" in services or services == "*")
            and any(action in actions for action in ("sqs:SendMessage", "SQS:SendMessage", "sqs:*"))
            and all(any(fnmatchcase(rule, source) for source in allowed) for allowed in sources)
        ):
            return True
    return False
