"""How long to leave a receiver alone that did not take what it was sent, and when to give up."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from orchestrator.core.domain.errors import Outside, Rejected
from orchestrator.notify.sink import Later
from orchestrator.ports.rollouts import EventSeen

SOON = timedelta(seconds=1)  # after the first silence
SLOWLY = timedelta(minutes=1)  # after the first no: somebody must change something before it becomes a yes
LONGEST = timedelta(minutes=10)
AWAY_LONGEST = timedelta(minutes=1)
QUIET_LONGEST = timedelta(days=1)  # of what a receiver may ask for
GIVEN_UP_AFTER = timedelta(days=3)

Chance = Callable[[], float]  # from 0 up to, not including, 1


def pause(why: Outside, *, attempts: int, chance: Chance) -> timedelta:
    """The time until the next attempt: what the receiver asked for, else doubling with every one that failed.

    ``attempts``: failed ones before this one. A random part keeps many rollouts from coming back at one moment.
    """
    if isinstance(why, Later):
        return min(max(why.after, SOON), QUIET_LONGEST)
    first = SLOWLY if isinstance(why, Rejected) else SOON
    whole = min(first * (1 << min(attempts, 16)), LONGEST)
    return whole / 2 + whole / 2 * chance()


def away(attempts: int) -> timedelta:
    """How long a receiver is asked nothing at all that is away, after so many attempts to find it back."""
    return min(SOON * (1 << min(attempts, 16)), AWAY_LONGEST)


def given_up(events: Sequence[EventSeen], now: datetime) -> int | None:
    """The number of the last event that is too old to be delivered; None: none of these is.

    News of three days ago helps nobody, and what came after it still does: so old events alone are passed over.
    """
    old = [seen.number for seen in events if now - seen.event.at >= GIVEN_UP_AFTER]
    return max(old, default=None)
