"""Gate ``window``: may green's traffic grow at this hour?

It says when a rollout starts and when green's weight grows. It never stops a rollback, and it does not stop blue from
taking over a revision whose watch has passed. Beside the file's own window it keeps the operators' calendar of
freezes. A rollout that was started with an override, a reason in a person's words, is bound by neither.
"""

from collections.abc import Sequence
from datetime import datetime

from orchestrator.core.domain.calendar import AtClose, Freeze, Standing, WindowSpec, shown, standing, zone_of
from orchestrator.core.domain.plan import ALL
from orchestrator.core.domain.verdict import Answer, fail, hold, not_applicable, passed
from orchestrator.core.gates.gate import Gate
from orchestrator.core.gates.scene import Colour, Scene

NAME = "window"


def judge(spec: WindowSpec, scene: Scene) -> Answer | None:
    """HOLD while it is closed; None where there is neither a window nor a freeze, or blue is judged."""
    if scene.judged is Colour.BLUE or not (spec.allow or scene.freezes):
        return None
    if scene.weight == ALL:
        return not_applicable(NAME, "green has all traffic already: nothing grows any more")
    return answer(spec, scene.freezes, scene.now, scene.override)


def answer(spec: WindowSpec, freezes: Sequence[Freeze], now: datetime, override: str) -> Answer:
    """The answer at a moment. FAIL: it is closed, and the file says to roll back then."""
    if override:
        return passed(NAME, f"overridden: {override}")
    found = standing(spec, freezes, now)
    if found.is_open:
        return passed(NAME, _open_words(found, zone_of(spec, freezes)))
    if spec.at_close is AtClose.ROLLBACK:
        return fail(NAME, f"the window has closed: {found.why}")
    return hold(
        NAME, f"closed: {found.why}", clears_when=opening_words(found, spec, freezes), is_evidence=False
    )


def opening_words(found: Standing, spec: WindowSpec, freezes: Sequence[Freeze]) -> str:
    """When a closed window opens, in words."""
    if found.until is None:
        return "the window opens: no time can be seen at which it does"
    return f"the window opens: {shown(found.until, zone_of(spec, freezes))}"


def _open_words(found: Standing, zone: str) -> str:
    return f"open until {shown(found.until, zone)}" if found.until else "open"


WINDOW = Gate(
    name=NAME,
    usual=WindowSpec(),
    is_on=lambda _: True,  # the operators' calendar binds whoever writes no window
    judge=judge,
)
