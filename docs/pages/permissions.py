"""docs/permissions.md and docs/iam-policy.json: the least policy, from the calls that `orchestrator/aws` makes.

Which operations are called is read from the source. What each may be called on stands in the table of `grants`; an
operation without a row, or a row without an operation, is an error, so that neither can be forgotten.
"""

import ast
import json
from collections.abc import Iterator

from docs.pages.grants import GRANTS, Condition, Grant
from docs.pages.markdown import code, document, table
from docs.pages.source import calls, name_of, strings, trees
from orchestrator.aws.client.errors import iam_action
from orchestrator.aws.permissions import DIRECT, DISPENSABLE, WITH_TAGS

PREFIXES = {
    "ecs": "ecs",
    "elbv2": "elasticloadbalancing",
    "application-autoscaling": "application-autoscaling",
    "cloudwatch": "cloudwatch",
    "sts": "sts",
    "sqs": "sqs",
    "ec2": "ec2",
    "ecr": "ecr",
    "iam": "iam",
    "secretsmanager": "secretsmanager",
    "service-quotas": "servicequotas",
    "ssm": "ssm",
}
"""botocore's name of a service, and the prefix of its actions."""

FOR_ACCOUNTS = frozenset({"sts:AssumeRole"})
"""Actions that only a server with `accounts` in its settings calls: on their roles, with its own credentials."""
WITHOUT_PERMISSION = frozenset({"sts:GetCallerIdentity"})
"""Actions that need none. Source: AWS STS API Reference, GetCallerIdentity."""


def policy() -> dict[str, object]:
    """The policy document. Raises AssertionError where the calls and the grants do not cover each other."""
    called, granted = actions(), {action for grant in GRANTS for action in grant.actions}
    assert called - WITHOUT_PERMISSION - FOR_ACCOUNTS <= granted, f"no grant for {sorted(called - granted)}"
    granted -= set(WITH_TAGS)
    assert granted <= called, f"granted and never called: {sorted(granted - called)}"
    return {"Version": "2012-10-17", "Statement": [_statement(grant) for grant in GRANTS]}


def policy_text() -> str:
    """docs/iam-policy.json."""
    return json.dumps(policy(), indent=2) + "\n"


def page() -> str:
    """docs/permissions.md."""
    return document(
        "Permissions on AWS",
        "the calls of `orchestrator/aws`",
        "Teal runs with the credentials of its environment. `iam-policy.json`, beside this page, is the least policy "
        "for one cluster and one load balancer: put your own names in place of `REGION`, `ACCOUNT`, `CLUSTER` and "
        "`LOAD_BALANCER`, and write `aws-cn` or `aws-us-gov` for `aws` in those partitions.",
        "The statements whose names begin with `Read` are enough for `teal preflight`, `teal init` and "
        "`teal simulate`, which write "
        "nothing. Of those, `ReadRoom`, `ReadImages`, `ReadSecrets` and `ReadPolicies` may be left out: preflight then "
        "says what it could not look at.",
        table(
            ["statement", "what for", "actions", "on", "only if"],
            [
                [
                    f"`{grant.sid}`",
                    grant.why,
                    "\n".join(f"`{action}`" for action in grant.actions),
                    "\n".join(f"`{resource}`" for resource in grant.resources),
                    _words(grant.condition),
                ]
                for grant in GRANTS
            ],
        ),
        ", ".join(f"`{action}`" for action in sorted(WITHOUT_PERMISSION))
        + " is called too, and needs no permission.",
        "## What is not in it, and when you need it",
        "- `iam:PassRole` for the task's two roles with `iam:PassedToService: ecs-tasks.amazonaws.com`, and the three "
        "statements on revisions with the family in place of `SERVICE`: only if files name `revision.images` or "
        "`revision.colour_variable`, for which Teal registers a task definition. For a role that blue's volumes name, "
        "or one of its own for the load balancer (services without `awsvpc`): with "
        "`iam:PassedToService: ecs.amazonaws.com`.\n"
        "- `cognito-idp:DescribeUserPoolClient` on the pool: only if a rule that Teal writes authenticates by "
        "Cognito.\n"
        "- `sts:AssumeRole` on the roles of the settings' `accounts`. Each of those roles has the policy below in its "
        "own account, and a trust policy that names the server's role, with `sts:ExternalId` as its condition.\n"
        "- `iam:CreateServiceLinkedRole`: the services' own roles exist where blue has a load balancer and scaling.",
        "`ecs:UpdateService` cannot be bound to Teal's tag, since blue is the team's own service and is never tagged.",
        "That the actions are all that Teal calls is tested; the conditions are not, since the project's tests have no "
        "AWS account. Try the policy with the IAM policy simulator before you rely on it.",
        "## For `teal rollback --direct`",
        "[Break glass](break-glass.md) runs with the credentials of whoever gives the command. It calls "
        + ", ".join(f"`{action}`" for action in DIRECT)
        + ". The policy below allows all of them. Without "
        + ", ".join(f"`{action}`" for action in DISPENSABLE)
        + " it brings the traffic home all the same, and says what it could not do.",
        "## The policy",
        code(policy_text(), "json"),
    )


def actions() -> set[str]:
    """Every action that the adapters call, as ``prefix:Operation``."""
    return {iam_action(service, operation) for service, operation in operations()}


def operations() -> set[tuple[str, str]]:
    """Every operation that the adapters call, as botocore's names of service and operation."""
    found: set[tuple[str, str]] = set()
    for _, tree in trees("orchestrator/aws"):
        for call in calls(tree):
            found.update(_operations(call, tree))
    return found


def _operations(call: ast.Call, tree: ast.Module) -> Iterator[tuple[str, str]]:
    """The operation of a call of `read`, `write` or `pages`, or of a function of the module that calls one of them."""
    given = strings(call)
    if name_of(call.func) in ("read", "write", "pages") and len(given) >= 2 and given[0] in PREFIXES:
        yield given[0], given[1]
    elif isinstance(call.func, ast.Name):
        service = _service_behind(call.func.id, tree)
        # An operation's name is what such a function is given first, before names of members.
        if service and given:
            yield service, given[0]


def _service_behind(function: str, tree: ast.Module) -> str:
    """The service that a function of the module calls with an operation that it is given; empty: it is no such."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == function:
            for call in calls(node):
                given = strings(call)
                is_open = (
                    len(call.args) >= 2
                    and isinstance(call.args[1], ast.Name)
                    and call.args[1].id == "operation"
                )
                if name_of(call.func) in ("read", "write", "pages") and given[:1] and is_open:
                    return given[0]
    return ""


def _statement(grant: Grant) -> dict[str, object]:
    made: dict[str, object] = {
        "Sid": grant.sid,
        "Effect": "Allow",
        "Action": list(grant.actions),
        "Resource": grant.resources[0] if len(grant.resources) == 1 else list(grant.resources),
    }
    return {**made, "Condition": grant.condition} if grant.condition else made


def _words(condition: Condition | None) -> str:
    return "\n".join(
        f"`{key}` is {' or '.join(f'`{one}`' for one in ([value] if isinstance(value, str) else value))}"
        for test in (condition or {}).values()
        for key, value in test.items()
    )
