"""Names and numbers as people know them, for messages; the facts beside a message hold the ARNs."""

from datetime import timedelta


def rule_name(*, is_default: bool, priority: str, load_balancer: str) -> str:
    """A rule as the console shows it: its priority, and its load balancer's name."""
    name = "the default rule" if is_default else f"rule {priority}"
    return f"{name} of load balancer {load_balancer_name(load_balancer)}"


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
