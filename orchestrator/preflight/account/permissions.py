"""May Teal make the calls that this rollout needs? As IAM's own simulation says, which carries nothing out."""

from collections.abc import Iterator

from orchestrator.core.cloud.resources import Unread
from orchestrator.core.cloud.survey import Finding, Survey
from orchestrator.core.preflight.environment import Denial, Surroundings
from orchestrator.preflight import statements
from orchestrator.preflight.findings import error, note, warning

SAFE = "the rollout would stop there, with whatever was made before"


def look(survey: Survey, around: Surroundings) -> Iterator[Finding]:
    """An error for every statement that is missing, with the statement; a note where nobody may ask."""
    if isinstance(around.denials, Unread):
        yield note(
            "permissions-unchecked",
            "what Teal may change could not be asked beforehand; that it may read was seen by reading",
            f"{around.denials.why}; allow iam:SimulatePrincipalPolicy on Teal's own role to have it checked",
        )
        return
    asked = dict.fromkeys((denial.action, denial.sid) for denial in around.denials)
    for action, sid in asked:
        which = [one for one in around.denials if (one.action, one.sid) == (action, sid)]
        yield _finding(survey, action, which)
    if not asked:
        yield note(
            "permissions", "Teal may make every call that this rollout needs, as IAM's simulation says"
        )


def _finding(survey: Survey, action: str, denials: list[Denial]) -> Finding:
    what = f"Teal may not call {action} on {' and '.join(denial.resource for denial in denials)}"
    if any(denial.is_explicit for denial in denials):
        return error("permission-denied", what, SAFE, "remove the statement that denies it")
    unknown = dict.fromkeys(key for denial in denials for key in denial.unknown)
    never = dict.fromkeys(key for denial in denials for key in denial.never)
    add = statements.for_denial(survey, action, denials)
    if unknown:
        return warning(
            "permission-unsure",
            f"{what}, as far as IAM's simulation can tell",
            f"a policy's condition looks at {' and '.join(unknown)}, which is not known beforehand",
            f"see that the condition will hold, or {add}",
        )
    why = f"{SAFE}; a policy's condition looks at {' and '.join(never)}, which this call does not have"
    return error("permission-missing", what, why if never else SAFE, add)
