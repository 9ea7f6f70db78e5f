"""How preflight speaks: short ways to make a finding, and names of things as people know them."""

from datetime import timedelta

from orchestrator.core.observed import RuleSeen
from orchestrator.core.survey import Finding, Severity


def error(code: str, what: str, why: str, next_step: str) -> Finding:
    """A finding that refuses the rollout."""
    return Finding(severity=Severity.ERROR, code=code, what=what, why=why, next_step=next_step)


def warning(code: str, what: str, why: str, next_step: str = "") -> Finding:
    """A finding that a person should know of before the start."""
    return Finding(severity=Severity.WARNING, code=code, what=what, why=why, next_step=next_step)


def note(code: str, what: str, why: str = "") -> Finding:
    """What was found."""
    return Finding(severity=Severity.NOTE, code=code, what=what, why=why)


def rule_name(rule: RuleSeen) -> str:
    """A rule as the console shows it: its priority, and its load balancer's name."""
    name = "the default rule" if rule.is_default else f"rule {rule.priority}"
    return f"{name} of load balancer {load_balancer_name(rule.load_balancer)}"


def load_balancer_name(arn: str) -> str:
    """The name in a load balancer's ARN (``…:loadbalancer/app/name/id``)."""
    return arn.split("/")[2] if arn.count("/") >= 3 else arn


def group_name(arn: str) -> str:
    """The name in a target group's ARN (``…:targetgroup/name/id``)."""
    return arn.split("/")[1] if arn.count("/") >= 2 else arn


def counted(number: int, noun: str) -> str:
    """``1 task``, ``3 tasks``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def span(time: timedelta) -> str:
    """A time in whole units: ``1 h 30 min``, ``5 min``, ``15 s``."""
    seconds = round(time.total_seconds())
    parts = ((seconds // 3600, "h"), (seconds // 60 % 60, "min"), (seconds % 60, "s"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "0 s"
