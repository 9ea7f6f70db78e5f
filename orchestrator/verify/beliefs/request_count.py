"""In which minute a request is counted: when it is routed, or when it is answered."""

from datetime import datetime

from orchestrator.verify.beliefs.belief import (
    MEMORY,
    Belief,
    Need,
    Seen,
    as_believed,
    not_asked,
    unclear,
    wrong,
)
from orchestrator.verify.scene import UNREACHED, Scene

SENT_AT, LASTS = 1 / 3, 70 / 60  # parts of a minute: it is answered half a minute into the second one
READS, SETTLES = 4, 3  # minutes: looked at for so long at most, and long enough once both are there


async def ask(scene: Scene) -> Seen:
    """Send one request across a minute's end on an idle service, and see which minute counts it."""
    if scene.users is None:
        return not_asked(UNREACHED)
    await scene.wait(1)  # whatever was sent before belongs to an earlier minute
    start = await scene.into_minute(SENT_AT)
    answered = await scene.users.send(wait=LASTS * scene.minute)
    if answered.status != 200:
        return unclear(
            f"the request was answered with {answered.status}: {answered.why}", status=answered.status
        )
    await scene.wait(SETTLES)
    minute = scene.wanted.minute
    requests = await _by_minute(scene, "RequestCount", start)
    answers = await _by_minute(scene, "HTTPCode_Target_2XX_Count", start)
    facts: dict[str, float] = {}
    for name, found in (("requests", requests), ("answers", answers)):
        for number in range(READS):
            facts[f"{name}_in_minute_{number + 1}"] = found.get(start + number * minute, 0.0)
    counted = [number for number in range(READS) if requests.get(start + number * minute)]
    replied = [number for number in range(READS) if answers.get(start + number * minute)]
    if len(counted) != 1 or len(replied) != 1:
        return unclear("the minutes show more or fewer than the one request", **facts)
    words = (
        f"sent in minute 1 and answered in minute 2, it is counted in minute {counted[0] + 1}, its answer in "
    )
    words += f"minute {replied[0] + 1}"
    return (as_believed if counted == replied else wrong)(words, **facts)


async def _by_minute(scene: Scene, metric: str, start: datetime) -> dict[datetime, float]:
    end = start + READS * scene.wanted.minute
    return await scene.counts(metric, scene.place.group, start=start, end=end)


REQUEST_COUNT = Belief(
    name="request-count",
    believes="A request is counted (RequestCount) in the same minute as its answer (HTTPCode_Target_…).",
    asked_by="One request of 70 s, sent 20 s into a minute on an idle service; both metrics of the minutes after it.",
    rests_on=MEMORY,
    if_wrong="Teal does not rely on it. Requests less answers are summed with their signs over consecutive minutes: "
    "what was in flight at a minute's end is given back by the next, and only a sum higher than any before is new. "
    "`unanswered` of `compare` counts it once it is beyond what may be in flight, which Teal learns from how far the "
    "sum falls back. Requests of a green that answers slowly speak against nobody; requests that are never answered "
    "do, some minutes later than if both were counted in the same minute.",
    ask=ask,
    needs=frozenset({Need.THROW_AWAY, Need.USERS, Need.BALANCER}),
    minutes=7,
    actions=("cloudwatch:GetMetricData",),
)
