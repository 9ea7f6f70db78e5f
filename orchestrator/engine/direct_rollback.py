"""Break glass: looks, makes the next move, and looks again until all traffic is on blue. No store and no lease.

It gives up for nothing that may pass (throttling, no answer), and stops at a refusal, naming it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar, assert_never

from orchestrator.core.break_glass.direct_rollback import DirectState, Move, next_move
from orchestrator.core.break_glass.snapshot import Place, Step, TagGreen
from orchestrator.core.cloud.effects import (
    RestoreDeploymentConfiguration,
    ScaleService,
    UpdateService,
    WriteRule,
)
from orchestrator.core.domain.errors import Missing, Outside, Throttled, Unreachable
from orchestrator.core.domain.ids import revision_name
from orchestrator.core.domain.text import counted, span
from orchestrator.core.rollout.spec import ServiceName
from orchestrator.ports.break_glass import Direct
from orchestrator.ports.clock import Clock

SOON, LATER, LATEST = (
    1.0,
    5.0,
    10.0,
)  # seconds until the next look: after a step, while waiting, while AWS is away
SAY_AGAIN = timedelta(seconds=30)


T = TypeVar("T")


async def until_answered(ask: Callable[[], Awaitable[T]], tell: Callable[[str], object]) -> T:
    """What `ask` gives; asks again for as long as AWS throttles or does not answer. Raises other Outside errors."""
    wait = SOON
    while True:
        try:
            return await ask()
        except (Throttled, Unreachable) as error:
            tell(f"AWS could not be read, trying again: {error}")
        await asyncio.sleep(wait)
        wait = min(2 * wait, LATEST)


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectEnd:
    """How a run ended."""

    place: Place
    has_acted: bool  # False: there was nothing to do
    on_blue_after: timedelta  # until all traffic was read back on blue
    took: timedelta
    cannot_tag: str  # why green could not be marked as rolled back; empty: it is


class DirectRun:
    """One run of it. ``tell`` hears, in a person's words, what is done and what is waited for."""

    def __init__(
        self, direct: Direct, service: ServiceName, *, clock: Clock, tell: Callable[[str], object]
    ) -> None:
        self._direct, self._service, self._clock, self._tell = direct, service, clock, tell
        self._said, self._said_at = "", clock.now()
        self.place: Place | None = None
        """What was seen last."""

    async def look(self) -> Place:
        """Blue and green as they are; tries again for as long as AWS throttles or is away. Raises Outside."""
        known = self.place.greens if self.place else frozenset()
        self.place = await until_answered(lambda: self._direct.look(self._service, known), self._say)
        return self.place

    async def run(self, *, by: str) -> DirectEnd:
        """Bring all traffic to blue. `by`: who and why, for green's tag. Raises Outside, NotFound."""
        began, state = self._clock.now(), DirectState(by=by)
        on_blue_at: datetime | None = None
        while True:
            place = await self.look()
            now = self._clock.now()
            if not (place.guests or place.unread or state.switched_off):
                return self._end(place, state, began, on_blue_at or now)
            move = next_move(place, state, now)
            state = move.state
            on_blue_at = self._say_on_blue(state, on_blue_at, began)
            if move.is_done:
                return self._end(place, state, began, on_blue_at or now)
            if move.waiting_for:
                self._say(f"waiting for {move.waiting_for} ({span(now - began)} so far)", move.waiting_for)
            state = await self._make(move, place)
            await asyncio.sleep(SOON if move.steps else LATER)

    async def _make(self, move: Move, place: Place) -> DirectState:
        """Make the steps in order; one that fails does not keep the others, and a refusal is raised at the end."""
        state, refused = move.state, None
        for step in move.steps:
            try:
                self._say(words_of(step, place))
                await self._direct.perform(step)
            except (Throttled, Unreachable) as error:
                self._say(f"it may have worked, looking again: {error}")
            except Outside as error:
                if isinstance(step, TagGreen):
                    self._say(f"green could not be tagged: {error}")
                    state = replace(state, cannot_tag=str(error))
                elif not (isinstance(error, Missing) and isinstance(step, WriteRule)):
                    refused = refused or error  # a rule that is gone carries no traffic
        if refused is not None:
            raise refused
        return state

    def _say_on_blue(self, state: DirectState, before: datetime | None, began: datetime) -> datetime | None:
        if state.on_blue_since is not None and before is None and state.has_acted:
            self._say(
                f"all traffic is on blue, read back {span(state.on_blue_since - began)} after the start"
            )
        return before or state.on_blue_since

    def _say(self, words: str, key: str = "") -> None:
        """Tell something that is new, or that has lasted for a while."""
        key, now = key or words, self._clock.now()
        if key != self._said or now >= self._said_at + SAY_AGAIN:
            self._said, self._said_at = key, now
            self._tell(words)

    def _end(self, place: Place, state: DirectState, began: datetime, on_blue_at: datetime) -> DirectEnd:
        return DirectEnd(
            place=place,
            has_acted=state.has_acted,
            on_blue_after=on_blue_at - began,
            took=self._clock.now() - began,
            cannot_tag=state.cannot_tag,
        )


def words_of(step: Step, place: Place) -> str:
    """A step that is made now, in a person's words."""
    match step:
        case WriteRule():
            name = next((rule.name for rule in place.rules if rule.arn == step.rule), step.rule)
            return f"giving blue all traffic on {name}"
        case UpdateService():
            return f"giving {step.service} {revision_name(step.task_definition)} in place"
        case ScaleService():
            return f"raising {step.service} to {counted(step.desired, 'task')}"
        case RestoreDeploymentConfiguration():
            return f"giving {step.service} its deployment alarms and its breaker's rollback back"
        case TagGreen():
            return "tagging green as rolled back"
        case never:
            assert_never(never)
