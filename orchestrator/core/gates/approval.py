"""Gate ``approval``: has a person said that this step may be left?"""

from collections.abc import Sequence

from orchestrator.core.domain.identity import identity_of
from orchestrator.core.domain.verdict import Answer, hold, passed

NAME = "approval"


def judge(approved_by: Sequence[str], required: int, *, of: str) -> Answer:
    """PASS once as many different people have approved as must; `of` says what they approve."""
    people = {identity_of(name): name for name in reversed(approved_by)}
    names = [people[one] for one in dict.fromkeys(identity_of(name) for name in approved_by)]
    if len(people) >= required:
        return passed(NAME, f"{of} was approved by {', '.join(names)}")
    missing = required - len(people)
    return hold(
        NAME,
        f"{of} waits for {missing} approval{'s' if missing > 1 else ''}",
        clears_when=f"{of} is approved",
        is_evidence=False,
    )
