"""How a wait for a goal goes on and ends: the same for both clients."""

import time

from api.client.failures import GaveUp, NotReached
from api.client.goals import goal_of
from api.client.requests import Request, get
from api.client.values import Rollout

POLL_SECONDS = 30.0
SOON_SECONDS = 0.5


class Wait:
    """One wait. Give it what is seen of the rollout; it says what to ask next.

    Raises ValueError for what cannot be waited for, or a step beyond the plan.
    """

    def __init__(self, until: str, seconds: float | None) -> None:
        self._goal = goal_of(until)
        self._end = None if seconds is None else time.monotonic() + seconds
        self._known: int | None = None

    def is_over(self, rollout: Rollout) -> bool:
        """True once the goal is reached. Raises NotReached if it cannot be any more, GaveUp once time is over."""
        goal = self._goal
        if goal.is_beyond(rollout):
            raise ValueError(f"{rollout.id} has {len(rollout.steps)} steps; {goal.words} never comes")
        if goal.is_reached(rollout):
            return True
        if goal.is_lost(rollout):
            why = f": {rollout.reason}" if rollout.reason else ""
            raise NotReached(f"{rollout.id} will not come to {goal.words}: {rollout.phase}{why}", rollout)
        if self._end is not None and time.monotonic() >= self._end:
            raise GaveUp(
                f"{rollout.id} has not come to {goal.words} in time: it is {rollout.phase}",
                rollout,
                next_step="It goes on: wait again, or roll it back.",
            )
        return False

    def next(self, rollout: Rollout) -> tuple[float, Request]:
        """A pause, and the request for the rollout's next version."""
        # A server that shuts down answers at once with what was known: it is not to be asked in a tight loop.
        pause = SOON_SECONDS if self._known == rollout.version else 0.0
        self._known = rollout.version
        left = POLL_SECONDS if self._end is None else min(POLL_SECONDS, self._end - time.monotonic())
        return pause, get(rollout.id, wait=max(0.01, left), version=rollout.version)
