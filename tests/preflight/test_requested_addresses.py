"""Preflight on test rules, probes and webhooks: is there a way to green, and may Teal ask whom the file names?"""

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator import preflight
from orchestrator.core.cloud.forward_action import canonical
from orchestrator.core.cloud.resources import RuleSeen
from orchestrator.core.cloud.survey import Finding, Severity, Survey
from orchestrator.core.domain.ids import RuleArn
from orchestrator.core.gates.probe import ProbeSpec
from orchestrator.core.gates.registry import GatesSpec
from orchestrator.core.gates.webhook import WebhookSpec
from orchestrator.core.rollout.spec import Spec
from orchestrator.core.traffic.discovery import in_scope
from orchestrator.outbound.http_outbound import HttpOutward
from orchestrator.settings import Hook, Hosts, Secret
from tests.builders import (
    BLUE_GROUP,
    LISTENER,
    NOON,
    OTHER_GROUP,
    RULE,
    default_rule,
    forward,
    good_rule,
    good_spec,
    good_survey,
)
from tests.notify.receiver import SECRET
from tests.outbound.test_webhooks import Now

TEST_RULE = RuleArn(RULE.replace("9683b2d02a6cabee", "0123456789abcdef"))
INSIDE = canonical([{"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.0/8"]}}])
OIDC = canonical(
    [
        {"Type": "authenticate-cognito", "Order": 1, "AuthenticateCognitoConfig": {}},
        {"Type": "forward", "Order": 2, "TargetGroupArn": BLUE_GROUP},
    ]
)


def side_rule(**changes: str) -> RuleSeen:
    made = replace(good_rule(), arn=TEST_RULE, priority="20", conditions=canonical([]))
    return replace(made, **changes)  # type: ignore[arg-type]  # replace checks the names itself


def found(
    spec: Spec, survey: Survey, *, hosts: Hosts | None = None, hooks: tuple[Hook, ...] = ()
) -> dict[str, Finding]:
    outward = HttpOutward(hosts or Hosts(), hooks, Now())
    return {
        finding.code: finding
        for finding in preflight.findings(spec, survey, now=NOON, refuses=outward.refusal)
        if finding.severity is not Severity.NOTE
    }


def probing(url: str = "https://test.example.com:8443") -> Spec:
    return good_spec(test_rules=(TEST_RULE,), gates=GatesSpec(probe=ProbeSpec(url=url)))


def test_a_test_rule_and_a_probe_that_are_as_they_should_be_are_fine() -> None:
    assert found(probing(), good_survey(rules=(good_rule(), side_rule()))) == {}


def test_without_named_rules_every_rule_but_the_test_rules_is_moved_case_7() -> None:
    survey = good_survey(rules=(good_rule(), default_rule(), side_rule()))
    assert [rule.arn for rule in in_scope(probing(), survey)] == [RULE, default_rule().arn]
    assert "rule-left-out" not in found(probing(), survey)


def test_a_listener_that_is_not_configured_as_a_test_listener_is_named_case_7() -> None:
    survey = good_survey(rules=(good_rule(), side_rule()))
    assert "rule-left-out" in found(good_spec(rules=(RULE,)), survey)


def test_a_test_rule_that_does_not_exist_is_refused() -> None:
    seen = found(probing(), good_survey(missing_rules=(TEST_RULE,)))
    assert "traffic.test_rules" in seen["test-rule-missing"].next_step


def test_a_test_rule_that_leads_elsewhere_is_refused() -> None:
    assert "test-rule-not-blues" in found(probing(), good_survey())
    elsewhere = good_survey(rules=(good_rule(), side_rule(actions=forward((OTHER_GROUP, 1)))))
    assert "rule-not-blues" in found(probing(), elsewhere)


@pytest.mark.parametrize("named", [(RULE, TEST_RULE), (TEST_RULE,)])
def test_a_rule_that_users_come_by_is_no_side_rule(named: tuple[str, ...]) -> None:
    seen = found(replace(probing(), rules=named), good_survey(rules=(good_rule(), side_rule())))
    assert "test-rule-moved" in seen


def test_a_test_listeners_default_rule_may_be_named_by_its_listener() -> None:
    survey = good_survey(rules=(good_rule(), default_rule()))
    spec = replace(probing(), test_rules=(LISTENER,))
    assert found(spec, survey) == {}
    assert [rule.arn for rule in in_scope(spec, survey)] == [RULE]


@pytest.mark.parametrize(("conditions", "is_open"), [("[]", True), (INSIDE, False)])
def test_case_71_a_test_rule_that_lets_strangers_into_a_tool_behind_a_sign_in_is_refused(
    conditions: str, is_open: bool
) -> None:
    survey = good_survey(rules=(good_rule(actions=OIDC), side_rule(conditions=conditions)))
    seen = found(probing(), survey)
    assert ("test-rule-open" in seen) is is_open


def test_case_71_preflight_says_that_an_internal_load_balancer_must_be_reached_and_a_waf_let_it_through() -> (
    None
):
    findings = preflight.findings(
        probing(), good_survey(rules=(good_rule(), side_rule())), now=NOON, refuses=lambda _url, _secret: None
    )
    (plan,) = [finding for finding in findings if finding.code == "probe"]
    assert "150 requests" in plan.what
    assert "more than 2 %" in plan.what
    assert "WAF" in plan.why
    assert "internal" in plan.why


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://test.example.com", "is addressed without TLS"),
        ("https://other.example.org", "is not among hosts.allowed"),
    ],
)
def test_a_probe_of_a_host_that_the_settings_do_not_allow_is_refused(url: str, why: str) -> None:
    survey = good_survey(rules=(good_rule(), side_rule()))
    seen = found(probing(url), survey, hosts=Hosts(allowed=("test.example.com",)))
    assert why in seen["probe-not-allowed"].what


def test_a_process_that_sends_no_requests_refuses_a_probe() -> None:
    findings = preflight.findings(probing(), good_survey(rules=(good_rule(), side_rule())), now=NOON)
    assert [one.code for one in preflight.errors(findings)] == ["probe-not-sent"]


def asking(secret: str) -> Spec:
    hook = WebhookSpec(url="https://smoke.example/run", timeout=timedelta(minutes=1), secret=secret)
    return good_spec(gates=GatesSpec(webhooks=(hook,)))


def test_an_unsigned_webhook_is_told() -> None:
    assert set(found(asking(""), good_survey())) == {"webhook-unsigned"}


def test_a_secret_that_the_settings_do_not_have_is_refused() -> None:
    assert "no hook named smoke" in found(asking("smoke"), good_survey())["webhook-not-allowed"].what
    hooks = (Hook(name="smoke", url="https://smoke.example/events", secret=Secret(SECRET)),)
    assert found(asking("smoke"), good_survey(), hooks=hooks) == {}
