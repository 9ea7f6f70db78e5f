"""Short ways to make a finding."""

from orchestrator.core.cloud.survey import Finding, Severity


def error(code: str, what: str, why: str, next_step: str, *, passes: bool = False) -> Finding:
    """A finding that refuses the rollout. `passes`: it ends without anybody's doing."""
    return Finding(severity=Severity.ERROR, code=code, what=what, why=why, next_step=next_step, passes=passes)


def warning(code: str, what: str, why: str, next_step: str = "") -> Finding:
    """A finding that a person should know of before the start."""
    return Finding(severity=Severity.WARNING, code=code, what=what, why=why, next_step=next_step)


def note(code: str, what: str, why: str = "") -> Finding:
    """What was found."""
    return Finding(severity=Severity.NOTE, code=code, what=what, why=why)
