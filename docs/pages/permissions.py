"""docs/permissions.md and docs/iam/*.json: the least policies, from the calls that `orchestrator/aws` makes.

Which operations are called is read from the source. What each may be called on stands in the table of
`orchestrator/core/preflight/grants.py`; an operation without a row, or a row without an operation, is an error, so
that neither can be forgotten.
"""

import ast
import json
from collections.abc import Iterator
from dataclasses import replace

from docs.pages.markdown import code, document, table
from docs.pages.source import calls, name_of, strings, trees
from orchestrator.aws.client.errors import iam_action
from orchestrator.aws.permissions import DIRECT, DISPENSABLE, FORWARDED, WITH_TAGS
from orchestrator.core.preflight.grants import GRANTS
from orchestrator.core.preflight.policy_statements import (
    PLACEHOLDERS,
    Condition,
    Grant,
    Part,
    Words,
    statement,
)

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
WHEN_MADE = frozenset({"TagGreenGroupsWhenMade", "TagGreenWhenMade"})
"""Grants that only whoever makes something needs."""
WITHOUT_PERMISSION = frozenset({"sts:GetCallerIdentity"})
"""Actions that need none. Source: AWS STS API Reference, GetCallerIdentity."""


BREAK_GLASS = "break-glass"
PURPOSES = {
    Part.READ: "What every command reads, and a rollout in each of its looks.",
    Part.PREFLIGHT: "What `teal preflight`, `teal init` and every start read besides: without one of its statements "
    "they "
    "say what they could not look at.",
    Part.ROLLOUT: "What a rollout changes.",
    BREAK_GLASS: "For people who may give `teal rollback --direct`, with their own credentials; it needs none of the "
    "others.",
    Part.OPTIONS: "What only some rollouts need: take the statements whose case is yours.",
}
"""The parts of the policy in their order, each a file in docs/iam/, and what each is for."""


def parts() -> dict[str, tuple[Grant, ...]]:
    """The grants of each part. Raises AssertionError where the calls and the grants do not cover each other."""
    called, granted = actions(), {action for grant in GRANTS for action in grant.actions}
    assert called - WITHOUT_PERMISSION - FOR_ACCOUNTS <= granted, f"no grant for {sorted(called - granted)}"
    granted -= {*WITH_TAGS, *FORWARDED}
    assert granted <= called, f"granted and never called: {sorted(granted - called)}"
    found = {str(part): tuple(grant for grant in GRANTS if grant.part is part) for part in Part}
    found[BREAK_GLASS] = tuple(_direct())
    return {str(part): found[part] for part in PURPOSES}


def policy(part: str, words: Words | None = None) -> dict[str, object]:
    """One part as a policy document; `words`: what stands for the words in capitals, if it is known."""
    return {"Version": "2012-10-17", "Statement": [statement(grant, words) for grant in parts()[part]]}


def policy_text(part: str) -> str:
    """docs/iam/<part>.json."""
    return json.dumps(policy(part), indent=2) + "\n"


def policies() -> dict[str, str]:
    """Every part's file: its name in docs/ and its text."""
    return {f"iam/{part}.json": policy_text(part) for part in PURPOSES}


def _direct() -> Iterator[Grant]:
    """What `teal rollback --direct` takes of each grant that names one of its actions, but for options."""
    for grant in GRANTS:
        own = tuple(action for action in grant.actions if action in DIRECT)
        if own and grant.part is not Part.OPTIONS and grant.sid not in WHEN_MADE:
            yield replace(grant, actions=own)


def page() -> str:
    """docs/permissions.md."""
    return document(
        "Permissions on AWS",
        "the calls of `orchestrator/aws`",
        "Teal runs with the credentials of its environment. The least policy for one cluster and one load balancer "
        "is in "
        "parts, each small enough for a managed policy (6,144 characters without white space): the files in `iam/`, "
        "beside "
        "this page. Put your own names in place of "
        + ", ".join(f"`{word}`" for word in PLACEHOLDERS)
        + "; repeat a resource where you have several; and write `aws-cn` or `aws-us-gov` for `aws` in those "
        "partitions.",
        table(
            ["file", "what for", "statements"],
            [
                [
                    f"[`iam/{part}.json`](iam/{part}.json)",
                    purpose,
                    ", ".join(f"`{one.sid}`" for one in parts()[part]),
                ]
                for part, purpose in PURPOSES.items()
            ],
        ),
        "A server that rolls out has `read`, `preflight` and `rollout`, and of `options` what its files use. `read` "
        "and "
        "`preflight` are enough for `teal preflight`, `teal init` and `teal simulate`, which write nothing.",
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
        "- `sts:AssumeRole` on the roles of the settings' `accounts`. Each of those roles has the policies below in "
        "its "
        "own account, and a trust policy that names the server's role, with `sts:ExternalId` as its condition. A "
        "rollout's writes are then confined further, by a session policy ([accounts](accounts.md)): it names the user "
        "pools of the rollout's rules too.\n"
        "- `iam:CreateServiceLinkedRole`: the services' own roles exist where blue has a load balancer and scaling.",
        "`ecs:UpdateService` cannot be bound to Teal's tag, since blue is the team's own service and is never tagged.",
        "The project has no AWS account. Its simulated AWS evaluates these policies, conditions included, and the "
        "tests "
        "play rollouts under exactly them; that each action has these resource types and condition keys is held to "
        "AWS's "
        "Service Authorization Reference. `teal preflight` asks your account itself, and names the statement that is "
        "missing.",
        "## For `teal rollback --direct`",
        "[Break glass](break-glass.md) runs with the credentials of whoever gives the command. It calls "
        + ", ".join(f"`{action}`" for action in DIRECT)
        + ". `iam/break-glass.json` allows all of them. Without "
        + ", ".join(f"`{action}`" for action in DISPENSABLE)
        + " it puts all traffic on blue all the same, and says what it could not do.",
        "## The policies",
        *(piece for part in PURPOSES for piece in (f"### `{part}`", code(policy_text(part), "json"))),
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


def _words(condition: Condition | None) -> str:
    return "\n".join(
        f"`{key}` is {' or '.join(f'`{one}`' for one in ([value] if isinstance(value, str) else value))}"
        for test in (condition or {}).values()
        for key, value in test.items()
    )
