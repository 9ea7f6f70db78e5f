"""Mistakes between values that are each right alone: steps that do not rise, more approvals than approvers.

They are looked for in what was written rather than in the finished models, so that one wrong value elsewhere does not
hide them; a value that cannot be read here has its own mistake already.
"""

from collections.abc import Iterator

from orchestrator.config.gates.metric import metric_mistakes
from orchestrator.config.rollout_file.ending import ending_relations
from orchestrator.config.rollout_file.metrics import counting_relations
from orchestrator.config.text.quantities import parse_weight
from orchestrator.config.text.yaml_document import Document, Value
from orchestrator.core.domain.errors import Mistake
from orchestrator.core.domain.ids import Tenths
from orchestrator.core.domain.plan import ALL, AUTO_PLANS, NAMED_PLANS, percent
from orchestrator.core.gates.probe import ProbeSpec
from orchestrator.core.gates.webhook import HookWhen

STEPS_MAX = 100


def relations(document: Document) -> Iterator[Mistake]:
    """Every mistake between values."""
    if isinstance(document.value, dict):
        yield from _revision(document, document.value)
        yield from _plan(document, document.value.get("plan"))
        yield from _approval(document, document.value)
        yield from _metrics(document, document.value.get("gates"))
        yield from counting_relations(document, document.value)
        yield from _probe(document, document.value)
        yield from _webhooks(document, document.value)
        yield from ending_relations(document, document.value)


def _metrics(document: Document, gates: Value) -> Iterator[Mistake]:
    if isinstance(gates, dict):
        yield from metric_mistakes(document, gates.get("metric"))


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
        people = len({str(approver) for approver in approvers})
        if required > people:
            what = f"{required} approvals are required of {people} approver{'s' * (people > 1)}"
            yield document.mistake("/approval/required", what, "name more approvers, or require fewer")
    when = approval.get("when")
    if isinstance(when, list) and "every_step" in when and _is_auto(value.get("plan")):
        what = "auto plans its steps as it goes, and cannot wait for people before each"
        yield document.mistake("/approval/when", what, "write before_full, or spell the steps out")
    waits_between = isinstance(when, list) and any(word in ("before_full", "every_step") for word in when)
    if waits_between and _steps(value.get("plan")) == 1:
        yield document.mistake(
            "/approval/when", "the plan has no step to wait before", "add a step below 100 %"
        )


def _is_auto(plan: Value) -> bool:
    return isinstance(plan, dict) or (isinstance(plan, str) and plan in AUTO_PLANS)


def _probe(document: Document, value: dict[str, Value]) -> Iterator[Mistake]:
    gates, traffic = value.get("gates"), value.get("traffic")
    probe = gates.get("probe") if isinstance(gates, dict) else None
    tests = traffic.get("test_rules") if isinstance(traffic, dict) else None
    if isinstance(probe, dict) and not tests:
        what = "a probe without traffic.test_rules has no way to green before users meet it"
        yield document.mistake("/gates/probe", what, "name the test listener's rule in traffic.test_rules")
    if not isinstance(probe, dict):
        return
    allowed, count = probe.get("max_failures", 0), probe.get("count", ProbeSpec().count)
    if isinstance(allowed, int) and isinstance(count, int) and allowed >= count:
        what = f"{allowed} failures are allowed of {count} requests: the probe could never fail"
        yield document.mistake("/gates/probe/max_failures", what, "allow fewer, 0 at best")


def _webhooks(document: Document, value: dict[str, Value]) -> Iterator[Mistake]:
    gates = value.get("gates")
    hooks = gates.get("webhook") if isinstance(gates, dict) else None
    for number, hook in enumerate(hooks if isinstance(hooks, list) else ()):
        is_before_full = isinstance(hook, dict) and hook.get("when") == HookWhen.BEFORE_FULL.value
        if is_before_full and _steps(value.get("plan")) == 1:
            what = "the plan has no step before full weight"
            instead = "write before_traffic, or add a step below 100 %"
            yield document.mistake(f"/gates/webhook/{number}/when", what, instead)


def _steps(plan: Value) -> int | None:
    if isinstance(plan, list):
        return len(plan)
    named = NAMED_PLANS.get(plan) if isinstance(plan, str) else None
    return len(named.steps) if named else None
