"""What all tasks share, such as a database's connections: a revision that exhausts it fails everybody's requests.

A task with TEAL_DEMO_ERROR_SHARED that has weight makes every task of the sandbox fail that share of its requests,
blue's as well as green's; taking the weight away ends it. That is what no comparison of colours can tell from an
outage.
"""

import asyncio

from sandbox.plane.tasks.supervisor import Misbehaviour, Supervisor
from sandbox.ports import ForwardView, Traffic

LOOK_SECONDS = 0.1
EXHAUSTED = "TEAL_DEMO_EXHAUSTED"
_NAME = "what all tasks share"


class SharedPool:
    """Watches the weights in force and tells every task how exhausted the pool is."""

    def __init__(self, traffic: Traffic, tasks: Supervisor) -> None:
        self._traffic = traffic
        self._tasks = tasks
        self._harm = 0.0

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(LOOK_SECONDS)

    def look(self) -> None:
        """See who serves, and tell every task if that changes anything."""
        harm = max(
            (
                self._harm_of(rule.action)
                for view in self._traffic.listeners()
                for rule in view.rules
                if isinstance(rule.action, ForwardView)
            ),
            default=0.0,
        )
        if harm != self._harm:
            self._harm = harm
            told = Misbehaviour(environment={EXHAUSTED: f"{harm:g}"}) if harm else None
            self._tasks.misbehave(_NAME, told)

    def _harm_of(self, action: ForwardView) -> float:
        whole = sum(weight for _, weight in action.weights)
        harm = 0.0
        for arn, weight in action.weights:
            for target in self._traffic.group(arn).targets if weight else ():
                spec = self._tasks.spec_at(target.host, target.port)
                told = self._tasks.environment(spec) if spec else {}
                if weight / whole > _number(told.get("TEAL_DEMO_SHARED_ABOVE", "")):
                    harm = max(harm, _number(told.get("TEAL_DEMO_ERROR_SHARED", "")))
        return harm


def _number(text: str) -> float:
    """A setting as the application reads it; its process has exited over one that is no number."""
    try:
        return float(text or 0)
    except ValueError:
        return 0.0
