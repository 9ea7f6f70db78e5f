"""What holds of every row, asserted in pairs: where a row is decided, and where one is read from a store."""

from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.plan import ALL, NONE
from orchestrator.core.rollout.rollout import Rollout


def contradiction(row: Rollout) -> str:
    """What in this row cannot be, in words; empty: it is sound. A tick on a row that is not would act on a mistake."""
    for rule in (*row.rules, *row.test_rules):
        for weight in (rule.verified, rule.wanted, *rule.intended):
            if weight is not None and not NONE <= weight <= ALL:
                return f"{rule.name} has green at {weight} tenths of a percent, which is no share"
    if row.rules and row.colours is None:
        return "it has rules and knows neither colour"
    if row.phase is Phase.ROLLING_BACK and row.end is None:
        return "it is rolling back and does not know why"
    if row.phase is Phase.ROLLING_BACK and row.pause.paused_by is not None:
        return "it is rolling back and paused: a rollback waits for nobody"
    return ""
