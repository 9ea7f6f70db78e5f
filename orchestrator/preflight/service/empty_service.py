"""A blue that runs no task: there is nothing to compare green with and nothing to go back to."""

from collections.abc import Iterator

from orchestrator.core.cloud.survey import Finding, Survey
from orchestrator.core.domain.plan import ALL
from orchestrator.core.domain.text import counted
from orchestrator.core.rollout.spec import Spec
from orchestrator.preflight.findings import error, warning


def look(spec: Spec, survey: Survey) -> Iterator[Finding]:
    """Whether what the file says of a first deployment is so, and can be rolled out."""
    blue = survey.blue
    if blue.desired > 0:
        if spec.first_tasks:
            yield error(
                "not-first",
                f"{blue.name} runs {counted(blue.desired, 'task')}: this is no first deployment",
                "blue decides how many tasks green has, and can take everything back",
                "remove first_deployment",
            )
        return
    if not spec.first_tasks:
        yield error(
            "blue-empty",
            f"{blue.name}'s desired count is 0",
            "there is nothing to compare green with, and nothing to go back to",
            "give the service at least one task; or, if it never served, write first_deployment: {tasks: 2} and "
            "plan: instant",
        )
        return
    if blue.running or blue.pending:
        yield error(
            "blue-not-empty-yet",
            f"{blue.name}'s desired count is 0, and it still has {blue.running + blue.pending}",
            "they serve, and are being stopped",
            "wait until they have stopped",
        )
    if spec.plan.auto is not None or any(step.weight < ALL for step in spec.plan.steps):
        yield error(
            "first-in-steps",
            f"plan {spec.plan.name} gives green a part of the traffic",
            f"the other part would go to {blue.name}, which has no task to answer it",
            "write plan: instant, or one step of 100 %",
        )
    if survey.scaling is not None and not (
        survey.scaling.min_capacity <= spec.first_tasks <= survey.scaling.max_capacity
    ):
        yield error(
            "first-outside-scaling",
            f"{counted(spec.first_tasks, 'task')} are wanted, its scaling allows {survey.scaling.min_capacity} to "
            f"{survey.scaling.max_capacity}",
            "Application Auto Scaling would move blue's count as soon as it takes the revision over",
            "write a number in between, or change the scalable target",
        )
    yield warning(
        "first-deployment",
        f"{blue.name} runs no task: green gets {spec.first_tasks}, then all traffic, then blue gets as many",
        "nothing is compared, and a rollback sends traffic where it goes now: to a target group without a target",
        "see that the revision starts and answers before users are sent to it: gates.probe with a test listener",
    )
