"""Follows one rollout through a door: what it is now, and every event since the last look."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from api.cli.backend.backend import EVENTS_A_PAGE, Reads
from orchestrator.engine.views.rollout_values import RolloutView
from orchestrator.ports.rollouts import EventSeen

LOOK_SECONDS = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A rollout at one moment, and the events that were not in an earlier look."""

    view: RolloutView
    events: tuple[EventSeen, ...]


class Screen(Protocol):
    """Where looks are shown."""

    def show(self, look: Look) -> None:
        """Show what is new."""
        ...

    def say(self, text: str) -> None:
        """Say a sentence of the command's own."""
        ...

    def close(self) -> None:
        """Leave the terminal as it was; the last look stays to be read."""
        ...


async def looks(
    door: Reads, rollout: str, *, enough: asyncio.Event, after: int = 0, every: float = LOOK_SECONDS
) -> AsyncIterator[Look]:
    """A look now and every `every` seconds, until the rollout has ended or `enough` is set.

    The last look of a rollout that ended holds its last event: both are committed together.
    """
    while not enough.is_set():
        view = await door.get(rollout)
        events: tuple[EventSeen, ...] = ()
        while page := await door.events(rollout, after):
            events, after = (*events, *page), page[-1].number
            if len(page) < EVENTS_A_PAGE:
                break
        yield Look(view=view, events=events)
        if not view.is_active:
            return
        await pause(enough, every)


async def pause(until: asyncio.Event, seconds: float) -> bool:
    """Wait so long, or until the event is set; True if it was."""
    try:
        async with asyncio.timeout(seconds):
            await until.wait()
    except TimeoutError:
        return False
    return True
