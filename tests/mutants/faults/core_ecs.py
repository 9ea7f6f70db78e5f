"""Faults in core/ecs: access to AWS."""

from tests.mutants.fault import Fault

AWS_ACCESS = "orchestrator/core/ecs/aws_access.py"

BY_38_AWS_DOES_NOT_ANSWER = "tests/cases/test_38_aws_does_not_answer.py"

FAULTS = (
    Fault(
        name="no access holds nothing",
        file=AWS_ACCESS,
        text="    if draft.row.phase.blue_is_safe_side:  # later",
        instead="    if not draft.row.phase.blue_is_safe_side:  # later",
        breaks="A rollout without access to AWS does not go on.",
        caught_by=(
            f"{BY_38_AWS_DOES_NOT_ANSWER}::test_case_39_without_access_nothing_moves_and_people_are_called_at_the_first_look",
        ),
    ),
)
