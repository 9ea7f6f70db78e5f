"""Test rules, probes and webhooks: is there a way to green before users, and may Teal ask whom the file names?"""

import json
from collections.abc import Callable, Iterator

from orchestrator.core.cloud.resources import RuleSeen
from orchestrator.core.cloud.survey import Finding, Survey, is_elsewhere
from orchestrator.core.gates.probe import ProbeSpec, could_have_missed
from orchestrator.core.rollout.spec import Spec
from orchestrator.core.traffic.discovery import in_scope, test_rules_of
from orchestrator.preflight.findings import error, note, warning

Refuses = Callable[[str, str], tuple[str, str] | None]
"""(URL, name of a settings' hook or empty) -> why no request may go there and what to do, or None."""

KEEPS_OUT = frozenset({"source-ip", "http-header"})  # conditions that keep strangers off a test rule


def look(spec: Spec, survey: Survey, refuses: Refuses | None) -> Iterator[Finding]:
    """What speaks against the file's test rules, probe and webhooks. `refuses` None: nobody here sends requests."""
    yield from _test_rules(spec, survey)
    if not spec.test_rules:
        yield note(
            "no-test-rule",
            "the first requests that green gets are users' own: no test rule is named",
            "a rule of a test listener in traffic.test_rules lets gates.probe and people try green before",
        )
    if spec.gates.probe.on:
        yield from _address("probe", spec.gates.probe.url, "", refuses)
        yield _plan(spec.gates.probe)
    for number, hook in enumerate(spec.gates.webhooks):
        yield from _address(f"webhook {number + 1}", hook.url, hook.secret, refuses)
        if not hook.secret:
            yield warning(
                "webhook-unsigned",
                f"webhook {number + 1} ({hook.host}) is asked without a signature",
                "whoever gets the question cannot tell that it comes from Teal",
                "name a hook of the server's settings as its secret",
            )


def _test_rules(spec: Spec, survey: Survey) -> Iterator[Finding]:
    known = {rule.arn for rule in survey.rules} | {rule.listener for rule in survey.rules if rule.is_default}
    for arn in spec.test_rules:
        is_foreign = is_elsewhere(arn, account=survey.account, region=survey.region)
        if arn not in known and arn not in survey.missing_rules and not is_foreign:
            yield error(
                "test-rule-not-blues",
                f"{arn} does not forward to a target group of {survey.blue.name}",
                "there is nothing in it that could be pointed at green",
                f"have it forward to {survey.blue.name}'s target group, or correct traffic.test_rules",
            )
    moved = in_scope(spec, survey)
    for rule in test_rules_of(spec, survey):
        if rule in moved:
            yield error(
                "test-rule-moved",
                f"{rule.name} is among traffic.rules and traffic.test_rules",
                "users come by it: it would give green everything before the first step",
                "take it out of one of them",
            )
        if _is_open(rule) and any(_asks_who(user) for user in moved):
            yield error(
                "test-rule-open",
                f"{rule.name}, a test rule, leads to green without asking who comes, and users' rules do ask",
                "whoever finds the test listener would be let in without signing in",
                "add a source-ip or http-header condition to the test rule",
            )
        yield note(
            "test-rule",
            f"{rule.name} will point at green before users meet it, and lead back to blue at the end",
            f"its listener is {rule.listener}",
        )


def _asks_who(rule: RuleSeen) -> bool:
    """True if the rule has users sign in, or checks their tokens."""
    types = [str(action.get("Type", "")) for action in json.loads(rule.actions)]
    return any(kind.startswith("authenticate-") or kind == "jwt-validation" for kind in types)


def _is_open(rule: RuleSeen) -> bool:
    fields = {condition.get("Field") for condition in json.loads(rule.conditions or "[]")}
    return not _asks_who(rule) and not fields & KEEPS_OUT


def _address(name: str, url: str, secret: str, refuses: Refuses | None) -> Iterator[Finding]:
    if refuses is None:
        yield error(
            f"{name.partition(' ')[0]}-not-sent",
            f"{name} cannot be asked from here",
            "this process sends no requests to addresses of rollout files",
            f"start it through a server, or take {name.partition(' ')[0]} out of the file's gates",
        )
        return
    found = refuses(url, secret)
    if found is not None:
        yield error(
            f"{name.partition(' ')[0]}-not-allowed",
            f"{name}: {found[0]}",
            "no request would be sent, and the rollout would be held until it is given up",
            found[1],
        )


def _plan(probe: ProbeSpec) -> Finding:
    missed = could_have_missed(probe.count, probe.max_failures)
    warm_up = f" after {probe.warm_up} that warm it up" if probe.warm_up else ""
    return note(
        "probe",
        f"green gets {probe.count} requests of Teal's own{warm_up}, {probe.rate:g} a second, before users meet it; "
        f"a pass will say that a green failing more than {missed * 100:.2g} % would have shown itself",
        "they come from one address: a WAF rule on its rate must let them through, and a load balancer that is "
        "internal must be reachable from where Teal runs (else the rollout is held)",
    )
