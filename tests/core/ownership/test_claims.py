"""What a rollout holds alone, so that no rule and no service has two writers."""

from dataclasses import replace

from orchestrator.core.domain.phases import Phase
from orchestrator.core.ownership.claims import claims_of
from tests.builders import ACCOUNT, DEFAULT_RULE, REGION, RULE, good_rule, good_survey
from tests.core.stages import row, spec

SERVICE = f"service prod/checkout in {ACCOUNT} {REGION}"
TEST_RULE = type(RULE)(RULE + "9")


def claims(**changes: object) -> frozenset[str]:
    rules = (good_rule(), good_rule(arn=DEFAULT_RULE, is_default=True), good_rule(arn=TEST_RULE))
    known = row(Phase.PENDING, spec=spec(**changes))
    return claims_of(known, good_survey(rules=rules))


def test_the_service_and_every_rule_that_leads_to_it_are_claimed() -> None:
    assert claims() == {SERVICE, RULE, DEFAULT_RULE, TEST_RULE}


def test_where_the_file_names_rules_those_alone_are_and_its_test_rules_too() -> None:
    assert claims(rules=(RULE,)) == {SERVICE, RULE}
    assert claims(rules=(RULE,), test_rules=(TEST_RULE,)) == {SERVICE, RULE, TEST_RULE}
    assert claims(test_rules=(TEST_RULE,)) == {SERVICE, RULE, DEFAULT_RULE, TEST_RULE}


def test_a_service_is_claimed_by_where_it_is_whatever_alias_leads_there() -> None:
    both = [
        claims(rules=(RULE,), service=replace(spec().service, account=alias))
        for alias in ("main", "also-main")
    ]
    assert both[0] == both[1] == {SERVICE, RULE}
