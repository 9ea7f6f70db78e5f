"""May Teal make the calls that this rollout needs? As IAM's own simulation says, which carries nothing out."""

from collections.abc import Iterator

from orchestrator.core.cloud.resources import Unread
from orchestrator.core.cloud.survey import Finding
from orchestrator.core.preflight.environment import Denial, Surroundings
from orchestrator.preflight.findings import error, note, warning


def look(around: Surroundings) -> Iterator[Finding]:
    """An error for every action that is denied; a note where nobody may ask."""
    if isinstance(around.denials, Unread):
        yield note(
            "permissions-unchecked",
            "what Teal may change could not be asked beforehand; that it may read was seen by reading",
            f"{around.denials.why}; allow iam:SimulatePrincipalPolicy on Teal's own role to have it checked",
        )
        return
    actions = dict.fromkeys(denial.action for denial in around.denials)
    for action in actions:
        yield _finding(action, [denial for denial in around.denials if denial.action == action])
    if not actions:
        yield note(
            "permissions", "Teal may make every call that this rollout needs, as IAM's simulation says"
        )


def _finding(action: str, denials: list[Denial]) -> Finding:
    resources = " and ".join(denial.resource for denial in denials)
    what = f"Teal may not make {action} on {resources}"
    unknown = tuple(dict.fromkeys(key for denial in denials for key in denial.unknown))
    if unknown and not any(denial.is_explicit for denial in denials):
        return warning(
            "permission-unsure",
            f"{what}, as far as IAM's simulation can tell",
            f"a policy's condition looks at {' and '.join(unknown)}, which is not known beforehand",
            "see that the condition will hold, or allow the action without it",
        )
    why = "the rollout would stop there, with whatever was made before"
    if any(denial.is_explicit for denial in denials):
        return error("permission-denied", what, why, "remove the statement that denies it")
    return error("permission-missing", what, why, f"allow {action} to Teal's role (docs/permissions.md)")
