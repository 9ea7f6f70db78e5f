"""Which of the rules that a survey found are moved, and which point at green before any user does."""

from orchestrator.core.cloud.resources import RuleSeen
from orchestrator.core.cloud.survey import Survey
from orchestrator.core.rollout.spec import Spec


def in_scope(spec: Spec, survey: Survey) -> tuple[RuleSeen, ...]:
    """The rules that the rollout moves: those the file names, or every one that forwards to blue's groups.

    Test rules are not among the latter: no user comes by them.
    """
    if not spec.rules:
        tests = test_rules_of(spec, survey)
        return tuple(rule for rule in survey.rules if rule not in tests)
    return _named(spec.rules, survey)


def test_rules_of(spec: Spec, survey: Survey) -> tuple[RuleSeen, ...]:
    """The rules that the file wants pointed at green before any user does."""
    return _named(spec.test_rules, survey)


def _named(named: tuple[str, ...], survey: Survey) -> tuple[RuleSeen, ...]:
    return tuple(r for r in survey.rules if r.arn in named or (r.is_default and r.listener in named))
