"""What a rollout holds alone until it ends, so that no rule and no service ever has two writers."""

from orchestrator.core.cloud.survey import Survey
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.core.traffic.discovery import in_scope, test_rules_of


def claims_of(row: Rollout, survey: Survey) -> frozenset[str]:
    """The service of record and every rule that the rollout moves or points elsewhere."""
    moved = (*in_scope(row.spec, survey), *test_rules_of(row.spec, survey))
    return frozenset({service_claim(row, survey), *(rule.arn for rule in moved)})


def service_claim(row: Rollout, survey: Survey) -> str:
    """The claim on the service of record: by where it is, since two aliases may lead to the same account."""
    return f"service {row.spec.service.path} in {survey.account} {survey.region}"
