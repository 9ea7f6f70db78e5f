"""What becomes of a service's scaling while both colours run: what green gets of it, and what blue is kept from."""

from collections.abc import Iterator
from datetime import datetime

from orchestrator.core.cloud.resources import ScalesSeen
from orchestrator.core.cloud.survey import Finding, Survey
from orchestrator.core.phases.pending import blues_names
from orchestrator.core.scaling import green_scaling, policies_for_green
from orchestrator.preflight.findings import note, warning


def look(survey: Survey, now: datetime) -> Iterator[Finding]:
    """What of blue's scaling green gets, what it does not get and why, and what is suspended meanwhile."""
    if survey.scaling is None:
        return
    if survey.scales is not None:
        yield from _copies(survey, survey.scales, now)
    yield from _suspends(survey)


def _copies(survey: Survey, scales: ScalesSeen, now: datetime) -> Iterator[Finding]:
    name, names = survey.blue.name, blues_names(survey)
    policies = policies_for_green.copied(scales, names)
    schedules = green_scaling.schedules_of(scales, now)
    given = [f"policy {policy.name}" for policy in policies]
    given += [f"scheduled action {action.name}" for action in schedules]
    if given:
        yield note(
            "green-scales",
            f"green scales as {name} does: {', '.join(given)}",
            "its scale-in is suspended, so that it never shrinks before its traffic comes; all of it goes with green",
        )
    for policy in policies:
        if (
            policy.kind == "PredictiveScaling"
            and policies_for_green.FORECAST_ONLY not in policy.configuration
        ):
            yield note(
                "forecast-only",
                f"policy {policy.name} only forecasts on green",
                "a forecast needs a day of the service's own past, and green has none",
            )
    for policy in scales.policies:
        why = policies_for_green.left_out(policy, scales, names)
        if why:
            yield warning(
                "policy-left-out",
                f"policy {policy.name} is not given to green: {why}",
                f"green has as many tasks as {name} at least, and does not scale out by this policy",
                "start when little change of load is expected, or write the query by dimensions",
            )
    over = [action.name for action in scales.schedules if green_scaling.is_over(action, now)]
    if over:
        yield note("schedule-over", f"green does not get what is over: scheduled action {', '.join(over)}")


def _suspends(survey: Survey) -> Iterator[Finding]:
    name, scaling = survey.blue.name, survey.scaling
    assert scaling is not None
    if scaling.scale_in_suspended:
        yield note(
            "scale-in-suspended", f"{name}'s scale-in is suspended already, and stays so after the rollout"
        )
        return
    if survey.scales is not None and survey.scales.schedules:
        yield note(
            "minimum-will-be-raised",
            f"{name}'s minimum is raised to what all traffic needs during the rollout, and restored after it",
            "its scheduled actions go on, and may set bounds below that",
        )
    yield note(
        "scale-in-will-be-suspended",
        f"{name}'s scale-in is suspended during the rollout, and restored after it",
        f"blue keeps what it has, between {scaling.min_capacity} and {scaling.max_capacity} tasks",
    )
