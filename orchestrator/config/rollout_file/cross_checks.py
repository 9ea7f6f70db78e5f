"""Mistakes between values that are each right alone: steps that do not rise, more approvals than approvers.

They are looked for in what was written rather than in the finished models, so that one wrong value elsewhere does not
hide them; a value that cannot be read here has its own mistake already.
"""

from collections.abc import Iterator

from orchestrator.config.gates.forms import gates_mistakes
from orchestrator.config.rollout_file.ending import ending_relations
from orchestrator.config.rollout_file.metrics import counting_relations
from orchestrator.config.text.quantities import parse_weight, steps_written
from orchestrator.config.text.yaml_document import Document, Value
from orchestrator.core.domain.errors import Mistake
from orchestrator.core.domain.identity import identity_of
from orchestrator.core.domain.ids import Tenths
from orchestrator.core.domain.plan import ALL, AUTO_PLANS, percent

STEPS_MAX = 100


def relations(document: Document) -> Iterator[Mistake]:
    """Every mistake between values."""
    if isinstance(document.value, dict):
        yield from _revision(document, document.value)
        yield from _plan(document, document.value.get("plan"))
        yield from _approval(document, document.value)
        yield from gates_mistakes(document)
        yield from counting_relations(document, document.value)
        yield from ending_relations(document, document.value)


def _revision(document: Document, value: dict[str, Value]) -> Iterator[Mistake]:
    revision = value.get("revision")
    if not isinstance(revision, dict):
        return
    named, images = revision.get("task_definition"), revision.get("images")
    if named is None and images is None:
        what = "revision.task_definition is missing"
        instead = "write task_definition: family:revision, such as checkout:43, or images: {container: image}"
        yield document.mistake("/revision/task_definition", what, instead)
    elif named is not None and images is not None:
        what = "revision names a task definition, and images for blue's own"
        yield document.mistake("/revision/images", what, "write one of both")
    if value.get("background") == "suspend" and not revision.get("colour_variable"):
        what = "background: suspend, but nothing tells green's tasks that they are green"
        instead = "write revision: {colour_variable: TEAL_COLOUR} and let them heed it, or safe"
        yield document.mistake("/background", what, instead)


def _plan(document: Document, plan: Value) -> Iterator[Mistake]:
    if not isinstance(plan, list):
        return
    if not 0 < len(plan) <= STEPS_MAX:
        yield document.mistake(
            "/plan", f"a plan of {len(plan)} steps", f"write 1 to {STEPS_MAX} steps, or auto"
        )
        return
    weights = [_weight(step) for step in plan]
    before: Tenths | None = None
    for index, weight in enumerate(weights):
        if weight is None:
            continue
        if before is not None and weight <= before:
            what = f"a weight of {percent(weight)} after {percent(before)}"
            yield document.mistake(f"/plan/{index}/weight", what, "write weights that rise from step to step")
        before = max(weight, before or weight)
    if weights[-1] is not None and weights[-1] != ALL:
        what = f"the plan ends at {percent(weights[-1])}"
        place = f"/plan/{len(plan) - 1}/weight"
        yield document.mistake(place, what, "end it with a step of 100 %, whose bake is the watch")


def _weight(step: Value) -> Tenths | None:
    if not isinstance(step, dict) or "weight" not in step:
        return None
    try:
        return parse_weight(step["weight"])
    except ValueError:
        return None


def _approval(document: Document, value: dict[str, Value]) -> Iterator[Mistake]:
    approval = value.get("approval")
    if not isinstance(approval, dict):
        return
    approvers, required = approval.get("approvers"), approval.get("required", 1)
    has_group = isinstance(approvers, list) and any(str(one).startswith("group:") for one in approvers)
    if isinstance(approvers, list) and approvers and not has_group and isinstance(required, int):
        people = len({identity_of(str(approver)) for approver in approvers})
        if required > people:
            what = f"{required} approvals are required of {people} approver{'s' * (people > 1)}"
            yield document.mistake("/approval/required", what, "name more approvers, or require fewer")
    when = approval.get("when")
    if isinstance(when, list) and "every_step" in when and _is_auto(value.get("plan")):
        what = "auto plans its steps as it goes, and cannot wait for people before each"
        yield document.mistake("/approval/when", what, "write before_full, or spell the steps out")
    waits_between = isinstance(when, list) and any(word in ("before_full", "every_step") for word in when)
    if waits_between and steps_written(value.get("plan")) == 1:
        yield document.mistake(
            "/approval/when", "the plan has no step to wait before", "add a step below 100 %"
        )


def _is_auto(plan: Value) -> bool:
    return isinstance(plan, dict) or (isinstance(plan, str) and plan in AUTO_PLANS)
