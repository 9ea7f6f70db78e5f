"""What a rollout holds alone until it ends, so that no rule and no service ever has two writers."""

from orchestrator.core.rollout import Rollout
from orchestrator.core.starting import in_scope
from orchestrator.core.survey import Survey


def claims_of(row: Rollout, survey: Survey) -> frozenset[str]:
    """The service of record and every rule that the rollout moves."""
    return frozenset({service_claim(row), *(rule.arn for rule in in_scope(row.spec.rules, survey))})


def service_claim(row: Rollout) -> str:
    """The claim on the service of record."""
    return f"service {row.spec.service}"
