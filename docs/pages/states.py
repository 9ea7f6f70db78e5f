"""docs/states.md: the phases of a rollout, drawn from the table of legal moves."""

from docs.pages.markdown import code, document, table
from orchestrator.core.domain.commands import ACCEPTED
from orchestrator.core.domain.phases import TRANSITIONS, Phase, mermaid

WANTED = {
    Phase.PENDING: "Nothing yet: blue, its rules, its scaling and its alarms are read.",
    Phase.PREPARING: "Green's target groups exist, are tagged, and are in every rule at weight 0.",
    Phase.PROVISIONING: "Green runs at its wanted size and its targets are healthy in two looks.",
    Phase.SHIFTING: "The current step's weight on every rule, verified by reading back.",
    Phase.WATCHING: "The last weight; blue's revision is untouched and its capacity kept, so going back is one write.",
    Phase.SETTLING: "Blue runs the new revision; traffic returns to it in steps; then green and what was made is gone.",
    Phase.RETIRING: "Green stands in blue's place on every rule; then blue has no task, and is kept so or gone.",
    Phase.SUCCEEDED: "Nothing more: blue serves the new revision, and nothing that Teal made is left; "
    "after a swap green serves it, and nothing else that Teal made is left.",
    Phase.ROLLING_BACK: "Every rule gives blue everything, on its former revision; then what was made is removed.",
    Phase.ROLLED_BACK: "Nothing more: blue serves its former revision, and nothing that Teal made is left.",
    Phase.ABANDONED: "Nothing more, whatever is left: Teal writes nothing for this rollout again.",
}


def page() -> str:
    """The page's text."""
    reached = {Phase.PENDING} | {move.end for move in TRANSITIONS}
    return document(
        "Phases of a rollout",
        "`orchestrator/core/domain/phases.py`",
        "A rollout is in one phase at a time, and moves only along these lines. A *hold* is no phase: any phase can "
        "carry holds, each a reason why it does not advance, with since when and what would clear it.",
        code(mermaid(), "mermaid"),
        table(
            ["phase", "what is wanted", "it is left for", "rolling back means"],
            [
                [f"`{phase}`", WANTED[phase], _ways(phase), _back(phase)]
                for phase in Phase
                if phase in reached
            ],
        ),
        "While blue is the safe side, a failing gate, a reject and a rollback all mean the same: the next write to "
        "every rule gives blue everything, and no later one gives green more.",
    )


def _ways(phase: Phase) -> str:
    ways = [f"`{move.end}`: {move.when}" for move in TRANSITIONS if move.start is phase]
    return "\n".join(ways) or "nothing: it is final"


def _back(phase: Phase) -> str:
    if phase.blue_is_safe_side:
        return "100 % blue, one write"
    if phase is Phase.SETTLING:
        return "blue gets its former revision in place, then 100 % blue"
    if phase is Phase.RETIRING:
        return "blue is in the rules again, gets its tasks back or is created again, then 100 % blue"
    if phase is Phase.ROLLING_BACK:
        return "it is on its way"
    assert phase.is_final or not ACCEPTED[phase], f"say what a rollback means in {phase}"
    return "a new rollout of the former revision"
