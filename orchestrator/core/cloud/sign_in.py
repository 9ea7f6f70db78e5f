"""Actions of a rule that have users sign in, as far as whoever writes the rule must be allowed something for them."""

import json
from collections.abc import Iterable

from orchestrator.core.domain.ids import Json

READ_POOL = "cognito-idp:DescribeUserPoolClient"
"""What Elastic Load Balancing does in the name of whoever writes a rule that authenticates by Cognito.

Source: Elastic Load Balancing User Guide, "Authenticate users using an Application Load Balancer".
"""


def user_pools(actions: Iterable[Json]) -> tuple[str, ...]:
    """The Cognito user pools (ARN) that any of these action lists authenticates by."""
    configs = (one.get("AuthenticateCognitoConfig") or {} for each in actions for one in json.loads(each))
    return tuple(dict.fromkeys(config["UserPoolArn"] for config in configs if config.get("UserPoolArn")))
