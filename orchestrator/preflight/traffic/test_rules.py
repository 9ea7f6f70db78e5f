"""Test rules: is there a way to green before users, and does it let in nobody whom users' rules would stop?"""

import json
from collections.abc import Iterator

from orchestrator.core.cloud.resources import RuleSeen
from orchestrator.core.cloud.survey import Finding, Survey, is_elsewhere
from orchestrator.core.rollout.spec import Spec
from orchestrator.core.traffic.discovery import in_scope, test_rules_of
from orchestrator.preflight.findings import error, note

KEEPS_OUT = frozenset({"source-ip", "http-header"})  # conditions that keep strangers off a test rule


def look(spec: Spec, survey: Survey) -> Iterator[Finding]:
    """What speaks against the file's test rules; that there is none is a note."""
    known = {rule.arn for rule in survey.rules} | {rule.listener for rule in survey.rules if rule.is_default}
    for arn in spec.test_rules:
        is_foreign = is_elsewhere(arn, account=survey.account, region=survey.region)
        if arn not in known and arn not in survey.missing_rules and not is_foreign:
            yield error(
                "test-rule-not-blues",
                f"{arn} does not forward to a target group of {survey.blue.name}",
                "there is nothing in it that could be forwarded to green",
                f"have it forward to {survey.blue.name}'s target group, or correct traffic.test_rules",
            )
    moved = in_scope(spec, survey)
    for rule in test_rules_of(spec, survey):
        if rule in moved:
            yield error(
                "test-rule-moved",
                f"{rule.name} is among traffic.rules and traffic.test_rules",
                "users' requests match it: it would give green everything before the first step",
                "take it out of one of them",
            )
        if _is_open(rule) and any(_asks_who(user) for user in moved):
            yield error(
                "test-rule-open",
                f"{rule.name}, a test rule, forwards to green without authentication, and users' rules authenticate",
                "whoever finds the test listener would be let in without signing in",
                "add a source-ip or http-header condition to the test rule",
            )
        yield note(
            "test-rule",
            f"{rule.name} will forward to green before users reach it, and to blue again at the end",
            f"its listener is {rule.listener}",
        )
    if not spec.test_rules:
        yield note(
            "no-test-rule",
            "the first requests that green gets are users' own: no test rule is named",
            "a rule of a test listener in traffic.test_rules lets gates.probe and people try green before",
        )


def _asks_who(rule: RuleSeen) -> bool:
    """True if the rule has users sign in, or checks their tokens."""
    types = [str(action.get("Type", "")) for action in json.loads(rule.actions)]
    return any(kind.startswith("authenticate-") or kind == "jwt-validation" for kind in types)


def _is_open(rule: RuleSeen) -> bool:
    fields = {condition.get("Field") for condition in json.loads(rule.conditions or "[]")}
    return not _asks_who(rule) and not fields & KEEPS_OUT
