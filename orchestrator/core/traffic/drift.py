"""What somebody else's change of a rule does before settling, as the file says (`on_drift`)."""

from orchestrator.core.domain.commands import Actor
from orchestrator.core.rollout.draft import TEAL, Draft
from orchestrator.core.rollout.spec import OnDrift
from orchestrator.core.rollout.turn_back import roll_back
from orchestrator.core.traffic import rules
from orchestrator.core.traffic.rule_looks import Found, Look

SOMEBODY = Actor(name="somebody", source="aws")


def drift_ends_it(draft: Draft, looks: tuple[Look, ...]) -> bool:
    """True once a change of a rule has made this rollout roll back; what the file accepts becomes the new base."""
    for found in looks:
        if found.found is Found.TAKEN_BACK:
            # Blue raised to everything by hand is what a person without Teal at hand does to roll back.
            roll_back(draft, f"{found.words}: taken as a rollback", SOMEBODY)
            return draft.turning_back is not None
    if any(found.found is Found.DRIFT for found in looks):
        if draft.row.spec.on_drift is OnDrift.ROLLBACK:
            words = next(found.words for found in looks if found.found is Found.DRIFT)
            roll_back(draft, f"{words} (on_drift: rollback)", TEAL)
            return draft.turning_back is not None
        if draft.row.spec.on_drift is OnDrift.ACCEPT:
            rules.accept(draft, looks)
    return False
