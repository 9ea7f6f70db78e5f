"""docs/commands.md: which command is accepted in which phase."""

from api.http.calls.commands import MEANINGS
from docs.pages.markdown import document, table
from orchestrator.core.domain.commands import ACCEPTED, CommandKind, CommandState
from orchestrator.core.domain.phases import Phase

STATES = {
    CommandState.ACCEPTED: "It is kept with the rollout and will be applied by the next look.",
    CommandState.APPLIED: "A tick has applied it.",
    CommandState.OVERTAKEN: "The rollout had moved on before a tick could apply it; its text says how.",
}


def page() -> str:
    """The page's text."""
    phases = [phase for phase in Phase if ACCEPTED[phase]]
    return document(
        "Commands",
        "`orchestrator/core/domain/commands.py`",
        "A command is what a person asks of a rollout. It is checked against the phase when it comes in and again "
        "when it is applied, is kept for ever with who, why and when, and takes effect at most once. Every door "
        "has the same ones: `teal pause ID`, `POST /v1/rollouts/ID/pause`.",
        table(
            ["command", *[f"`{phase}`" for phase in phases]],
            [
                [f"`{kind}`", *["yes" if kind in ACCEPTED[phase] else "" for phase in phases]]
                for kind in CommandKind
            ],
        ),
        "In "
        + ", ".join(f"`{phase}`" for phase in Phase if not ACCEPTED[phase])
        + " a rollout is over and accepts nothing.",
        table(["command", "what it does"], [[f"`{kind}`", f"{MEANINGS[kind]}."] for kind in CommandKind]),
        "`approve` is refused at a step that needs none, and from someone who may not give it; `resume` where nothing "
        "is paused or stopped, and no hold is for what others set of blue's scaling (its bounds or "
        "suspensions); `back` to anything but the weight of an earlier step; `promote --full` "
        "where it would "
        "pass by an approval that is still missing; `rollback` once green is being removed; "
        "and any command that names a step other than the current one.",
        "## What becomes of a command",
        table(["state", "meaning"], [[f"`{state}`", STATES[state]] for state in CommandState]),
    )
