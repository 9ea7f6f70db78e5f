"""How late a minute's datapoints can be read."""

from statistics import median

from orchestrator.verify.beliefs.belief import Belief, Need, Seen, judged, not_asked
from orchestrator.verify.scene import Scene

LAG = 2.0  # minutes: what a rollout file's `metrics.lag` is unless it says otherwise
LEAST = 3  # datapoints, before anything is said


async def ask(scene: Scene) -> Seen:
    """Look at what the run has read all along."""
    points = tuple(scene.means.datapoints)
    if len(points) < LEAST:
        return not_asked(
            f"only {len(points)} minutes with requests were read; run the rollouts too"
            if points
            else "no minute with requests was read; run the rollouts too"
        )
    first = sorted(point.delay.total_seconds() / scene.minute * 60 for point in points)
    whole = sorted(point.settled_after.total_seconds() / scene.minute * 60 for point in points)
    return judged(
        whole[-1] <= LAG * 60,
        f"{len(points)} datapoints: first readable {first[0]:.0f} to {first[-1]:.0f} s after their minute's end, half "
        f"of them by {median(first):.0f} s; the last change after {whole[-1]:.0f} s",
        datapoints=len(points),
        first_seconds_min=round(first[0], 1),
        first_seconds_median=round(median(first), 1),
        first_seconds_max=round(first[-1], 1),
        settled_seconds_max=round(whole[-1], 1),
    )


DATAPOINT_DELAY = Belief(
    name="datapoint-delay",
    believes="A minute's datapoint of a target group is whole 120 s after the minute's end.",
    asked_by="GetMetricData of the last minutes again and again while requests come; when each value was first read.",
    rests_on="general knowledge, read nowhere: 1 to 3 minutes",
    if_wrong="A datapoint that is missing at the lag counts as no data and holds; one that is read short is judged "
    "short. A longer `metrics.lag` in the rollout file mends both, and makes every step wait longer.",
    ask=ask,
    needs=frozenset({Need.BALANCER}),
    minutes=0,
    actions=("cloudwatch:GetMetricData",),
)
