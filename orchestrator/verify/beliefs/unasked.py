"""Beliefs that no run asks, each with why not and what stands in for an answer."""

from orchestrator.verify.beliefs.belief import MEMORY, Belief, Seen, not_asked
from orchestrator.verify.scene import Scene


def _unasked(name: str, believes: str, because: str, if_wrong: str) -> Belief:
    async def ask(_: Scene) -> Seen:
        return not_asked(because)

    return Belief(
        name=name,
        believes=believes,
        asked_by="Nothing.",
        rests_on=MEMORY,
        if_wrong=if_wrong,
        ask=ask,
        minutes=0,
    )


UNASKED = (
    _unasked(
        "old-models",
        "A client library whose model is older drops members of answers that it does not know.",
        "it is a library's doing: Teal refuses to start with one that is too old",
        "Nothing changes.",
    ),
    _unasked(
        "breaker-bounds",
        "A circuit breaker gives up after 3 to 200 failed tasks.",
        "it needs hundreds of tasks that fail",
        "A green that never starts ends later, at `limits.provision`.",
    ),
    _unasked(
        "forecast-history",
        "Predictive scaling forecasts nothing before it has 24 hours of history.",
        "it needs a service that is a day old",
        "Green's predictive policies are set to forecast alone: they scale nothing either way.",
    ),
    _unasked(
        "orphan-scaling",
        "A scalable target outlives its service and acts on the next one of that name.",
        "it needs tasks under load and a name that is used twice",
        "Teal removes green's target before green, and gives no name twice: nothing changes.",
    ),
    _unasked(
        "cognito",
        "Writing a rule with a Cognito action needs `cognito-idp:DescribeUserPoolClient`.",
        "it needs a user pool",
        "Preflight warns of such rules without need.",
    ),
    _unasked(
        "unruled-tasks",
        "ECS stops tasks whose target group is in no rule without waiting for the deregistration delay.",
        "only a task's own log shows it, and the throw-away service keeps none",
        "Green stays in its rules at weight 0 while its tasks are stopped and drained. Where it leaves a rule at once "
        "(group stickiness, or somebody took it out), Teal waits out the deregistration delay before it stops green's "
        "tasks. If ECS waited too, those would be drained twice: leaving takes longer, and nobody is cut.",
    ),
    _unasked(
        "timeouts-untimed",
        "TargetResponseTime leaves requests out that were never answered.",
        "a request must hang for longer than the load balancer waits, which is the user's setting",
        "Slow requests would be counted twice, as slow and as unanswered.",
    ),
    _unasked(
        "throttling-codes",
        "The codes by which AWS throttles, and refuses a wrong clock.",
        "it would disturb whatever else the account does",
        "A code that is not known holds the rollout with AWS's words, and is not waited out.",
    ),
    _unasked(
        "scaling-rates",
        "How many calls Application Auto Scaling takes a second.",
        "it would disturb whatever else the account does",
        "Teal is throttled and waits, or asks more slowly than it might.",
    ),
    _unasked(
        "rule-events",
        "A change of a rule is an event of EventBridge only where there is a trail.",
        "it needs a trail and a queue",
        "Teal sees changes by looking; events only make it look sooner.",
    ),
    _unasked(
        "shared-discovery",
        "Two services may register in one Cloud Map service.",
        "it needs a Cloud Map service",
        "`discovery: keep` would be refused by ECS when green is made, before any traffic.",
    ),
    _unasked(
        "policy-conditions",
        "Which condition keys each action knows.",
        "IAM's policy simulator tells: `teal preflight` asks it",
        "A permission that a condition takes away shows as denied in preflight.",
    ),
    _unasked(
        "stopped-tasks",
        "A stopped task is shown for about an hour.",
        "it needs an hour",
        "Reasons are kept in the rollout's row when they are first seen: nothing changes.",
    ),
)
