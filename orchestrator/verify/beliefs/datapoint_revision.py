"""Whether a datapoint changes after it was first read."""

from orchestrator.verify.beliefs.belief import MEMORY, Belief, Need, Seen, judged, not_asked
from orchestrator.verify.scene import Scene


async def ask(scene: Scene) -> Seen:
    """Look at what the run has read all along."""
    points = tuple(scene.means.datapoints)
    if not points:
        return not_asked("no minute with requests was read; run the rollouts too")
    revised = [point for point in points if point.is_revised]
    late = [point for point in revised if point.settled_after > 2 * scene.wanted.minute]
    last = max((p.settled_after.total_seconds() / scene.minute * 60 for p in revised), default=0.0)
    return judged(
        not late,
        f"{len(revised)} of {len(points)} datapoints were read with another value later"
        + (f", the last {last:.0f} s after the minute's end" if revised else ""),
        datapoints=len(points),
        revised=len(revised),
        revised_after_lag=len(late),
        last_change_seconds=round(last, 1),
    )


DATAPOINT_REVISION = Belief(
    name="datapoint-revision",
    believes="A datapoint may be read short first and be revised, but not later than 120 s after its minute's end.",
    asked_by="The same reads as of the delay, and whether a value was ever another one than before.",
    rests_on=MEMORY,
    if_wrong="Teal takes a minute when two reads of it agree, and at the lag at the latest; it does not look again. "
    "What comes later is lost to the evidence of both colours alike. A longer `metrics.lag` mends it.",
    ask=ask,
    needs=frozenset({Need.BALANCER}),
    minutes=0,
    actions=("cloudwatch:GetMetricData",),
)
