"""docs/events.md: the kinds of facts in the audit log, and the named facts that each carries."""

import ast

from docs.pages.markdown import document, table
from docs.pages.source import calls, name_of, trees
from orchestrator.core.domain.events import EventKind

MEANINGS = {
    EventKind.STARTED: "Somebody started the rollout.",
    EventKind.WINDOW_OVERRIDDEN: "Somebody started it outside its window or in a freeze, and said why.",
    EventKind.PHASE_CHANGED: "It went to another phase; the last one is recorded as `ended`.",
    EventKind.BLUE_READ: "Blue, its rules, scaling and alarms were read, before anything was made.",
    EventKind.REVISION_REGISTERED: "A task definition that the rollout registers was found, and has this ARN.",
    EventKind.IMAGES_RESOLVED: "ECS says which images, by digest, green's tasks run.",
    EventKind.WEIGHT_WANTED: "Another weight is wanted on every rule; the writes follow.",
    EventKind.WEIGHT_VERIFIED: "A rule was read back and has this weight.",
    EventKind.TASK_STOPPED: "A task of the judged colour stopped though nobody asked for it, in ECS's own words.",
    EventKind.TEST_RULE_POINTED: "A test rule was read back: it forwards to green, or again where it did at first.",
    EventKind.STEP_PLANNED: "The plan `auto` chose its next weight, and says why.",
    EventKind.SCALING_GIVEN: "Green scales by itself, by blue's policies and schedules, until it goes.",
    EventKind.BLUE_RAISED: "Blue is to run more tasks until the end, so that it could take all traffic back.",
    EventKind.STEP_STARTED: "The step's weight is on every rule: its bake begins.",
    EventKind.STEP_PASSED: "The step's time is over, its verdict is PASS, and its approval is given or waived.",
    EventKind.GATE_ANSWERED: "A gate's verdict is another one than before.",
    EventKind.FORESEEN: "The smallest regression that the plan can see with this traffic, and a total failure's cost.",
    EventKind.EVIDENCE_FROZEN: "What a comparison will judge by is fixed, before green's first traffic.",
    EventKind.INTERVAL_TAKEN: "One whole interval's counts are final, and are kept as evidence.",
    EventKind.EVIDENCE_LOST: "Evidence could not be read for `limits.unseen`: green goes back to a weight that passed.",
    EventKind.INTERVENTION_BEGUN: "Blue failed soon after green grew: green's last step is undone to see why.",
    EventKind.INTERVENTION_ENDED: "Green is the cause of what hurt blue, or is not.",
    EventKind.HELD: "There is a new reason not to advance.",
    EventKind.HOLD_CLEARED: "A reason not to advance is gone.",
    EventKind.COMMAND_APPLIED: "A person's command took effect.",
    EventKind.COMMAND_OVERTAKEN: "A person's command came too late; it says why.",
    EventKind.DRIFT_FOUND: "Somebody else changed what Teal looks after.",
    EventKind.EFFECT_ASKED: "A change on the account was asked for, for the first time.",
    EventKind.EFFECT_FAILED: "A change on the account did not succeed; it is looked at again.",
    EventKind.ROLLBACK_DECIDED: "All traffic goes back to blue; why, and by whom.",
    EventKind.ACTED_UNRECORDED: "While the store could not be written, Teal gave blue all traffic without it; told "
    "first once it could.",
    EventKind.STORE_WENT_BACK: "The store was put back to an earlier time: whether AWS agrees with what it knows, and "
    "what follows.",
    EventKind.TRAFFIC_ON_BLUE: "Every rule was read back and gives blue everything.",
    EventKind.TRAFFIC_ON_GREEN: "Every rule was read back with green in blue's place, for good (`ending: swap`).",
    EventKind.BLUE_DRAINED: "Blue's tasks are to stop, since green stays.",
    EventKind.BLUE_CALLED_BACK: "A rollback wants blue's tasks, or blue itself, again; about how long that takes.",
    EventKind.BLUE_UPDATE_ASKED: "Blue is to run another revision, in place.",
    EventKind.BLUE_STEADY: "Blue runs the revision it was given, steadily.",
    EventKind.PAGED: "People are paged: Teal cannot go on by itself.",
    EventKind.ENDED: "The rollout is over; how, and by whom.",
    EventKind.CHANGED_AFTERWARDS: "After its end somebody changed what it left, or it is there again; a server looks.",
}


def page() -> str:
    """The page's text."""
    facts = _facts()
    return document(
        "Events",
        "`orchestrator/core/domain/events.py` and the places that record them",
        "The audit log of a rollout: every event has a number (1, 2, 3 …), a kind, a time, a message for people and "
        "named facts for programs. `teal events ID` and `GET /v1/rollouts/ID/events` show it; with "
        "`Accept: text/event-stream` it comes live. Every decision can be explained from it alone.",
        table(
            ["kind", "what happened", "facts"],
            [
                [f"`{kind}`", MEANINGS[kind], ", ".join(f"`{name}`" for name in sorted(facts.get(kind, ())))]
                for kind in EventKind
            ],
        ),
        "`started` also has each of the file's labels, as `label.NAME`, and `images_resolved` each container's digest, "
        "as `digest.CONTAINER`. "
        "Weights are in tenths of a percent where a fact's name ends in `_tenths`. A fact may be missing where it "
        "does not apply.",
    )


def _facts() -> dict[EventKind, set[str]]:
    """The names of each kind's facts, as the code that records it writes them."""
    found: dict[EventKind, set[str]] = {}
    for folder in ("orchestrator/core", "orchestrator/engine", "orchestrator/store"):
        for _, tree in trees(folder):
            for call in calls(tree):
                kind = _kind(call)
                if kind is not None:
                    found.setdefault(kind, set()).update(_names(call, tree))
    return found


def _kind(call: ast.Call) -> EventKind | None:
    given = [*call.args, *(keyword.value for keyword in call.keywords if keyword.arg == "kind")]
    for value in given:
        if isinstance(value, ast.Attribute) and name_of(value.value) == "EventKind":
            return EventKind[value.attr] if name_of(call.func) in ("tell", "Event") else None
    return None


def _names(call: ast.Call, tree: ast.Module) -> set[str]:
    if name_of(call.func) == "tell":
        names = {keyword.arg for keyword in call.keywords if keyword.arg is not None}
        spread = [keyword.value for keyword in call.keywords if keyword.arg is None]
        return names | {key for value in spread for key in _keys(value, tree)}
    facts = next((keyword.value for keyword in call.keywords if keyword.arg == "facts"), None)
    return _pairs(facts) if facts is not None and not isinstance(facts, ast.Name) else set()


def _pairs(facts: ast.AST) -> set[str]:
    """The first of each pair in ``(("by", …), ("source", …))``."""
    pairs = [node for node in ast.walk(facts) if isinstance(node, ast.Tuple) and len(node.elts) == 2]
    firsts = [pair.elts[0] for pair in pairs]
    return {
        first.value for first in firsts if isinstance(first, ast.Constant) and isinstance(first.value, str)
    }


def _keys(value: ast.expr, tree: ast.Module) -> set[str]:
    """The keys of the mapping that a function of the same module returns, for ``**_facts(command)``."""
    wanted = name_of(value.func) if isinstance(value, ast.Call) else ""
    made = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == wanted]
    keys = [key for one in made for node in ast.walk(one) if isinstance(node, ast.Dict) for key in node.keys]
    return {key.value for key in keys if isinstance(key, ast.Constant) and isinstance(key.value, str)}
