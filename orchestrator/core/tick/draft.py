"""One tick's judgement in the making: what the functions of each phase write into, and ``decide`` reads out."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar, Unpack

from orchestrator.core.cloud.effects import Effect, is_to_safety, must_not_stay
from orchestrator.core.cloud.resources import Absent, ServiceLook, TargetsLook, Unread
from orchestrator.core.domain.commands import Actor, Outcome
from orchestrator.core.domain.events import Event, EventKind, Fact, Record
from orchestrator.core.domain.phases import LEGAL, Phase
from orchestrator.core.gates.scene import Colour, floor_to
from orchestrator.core.rollout.changes import Changes, changed
from orchestrator.core.rollout.colours import Blue, Green
from orchestrator.core.rollout.handover import End, Retirement
from orchestrator.core.rollout.late_calls import with_asked
from orchestrator.core.rollout.rollout import Asked, Hold, HoldKind, Lasted, Paged, Rollout
from orchestrator.core.tick.seen import Seen

T = TypeVar("T")

TEAL = Actor(name="teal", source="teal")
ASK_AGAIN_FIRST = timedelta(seconds=2)
ASK_AGAIN_LAST = timedelta(seconds=30)
SLACK = timedelta(seconds=2)
LATE = timedelta(seconds=30)  # what AWS has answered shows by then, and hardly any call takes longer
CUT_SHORT = (Phase.ROLLING_BACK, Phase.ABANDONED)  # a phase that leads there did not come to its end
WATCHES_SPREAD = 24  # moments of a period at which watching rollouts look


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnBack:
    """The decision to roll back, and how far the tick had come when it was made: what came after does not count."""

    reason: str
    by: Actor
    row: Rollout
    events: int
    records: int


class Draft:
    """The row as it will be, and everything decided so far in this tick."""

    def __init__(self, rollout: Rollout, seen: Seen, now: datetime) -> None:
        self.before = rollout
        self.row = rollout
        self.seen = seen
        self.now = now
        self.effects: list[Effect] = []
        self.events: list[Event] = []
        self.records: list[Record] = []
        self.outcomes: list[Outcome] = []
        self.holds: list[Hold] = []
        self.wake_at: datetime | None = None
        self.turning_back: TurnBack | None = None
        self.calls_for_people: set[str] = set()  # what this tick would page people for, told now or before
        self.reading = (
            rollout.evidence.reading
        )  # the newest reading of what is not final, also if it follows the last closely

    def change(self, **changes: Unpack[Changes]) -> None:
        """Give the row new values."""
        self.row = changed(self.row, **changes)

    @property
    def blue(self) -> Blue:
        """Blue as first read. Every phase but the first has one."""
        return self.row.known.blue

    @property
    def green(self) -> Green:
        """Green as it is known. Every phase but the first has one."""
        return self.row.known.green

    @property
    def retirement(self) -> Retirement:
        """What was done about blue, where green is to stay. Retiring has one from its first tick."""
        assert self.row.retirement is not None, f"blue is not retired in {self.row.phase}"
        return self.row.retirement

    @property
    def late_until(self) -> datetime:
        """When nothing that was asked for, and must not be there after the end, can still land."""
        last = self.row.ticks.created_last
        return self.now if last is None else last + LATE

    @property
    def may_land_late(self) -> bool:
        """True while a call that makes something may have been sent and not have landed."""
        return self.now < self.late_until

    def is_ready_twice(self, what: str, waiting: str) -> bool:
        """True once `what` was ready in two looks, far enough apart; `waiting`: what it still lacks, in words."""
        if waiting:
            self.change(ready_since=None, waiting_for=waiting)
            return False
        since = self.row.progress.ready_since or self.now
        self.change(ready_since=since, waiting_for=f"a second look at {what}")
        return self.now - since >= self.row.spec.metrics.look_gap

    def is_agreed(self, since: datetime | None) -> bool:
        """True once what has been so in every look since then was seen in two that are far enough apart.

        One look alone may be an answer from before the last write: nothing that is for good hangs on it.
        """
        return since is not None and self.now - since >= self.row.spec.metrics.look_gap

    def tell(self, kind: EventKind, message: str, **facts: Fact) -> None:
        """Add a fact to the audit log."""
        self.events.append(Event(kind=kind, at=self.now, message=message, facts=tuple(facts.items())))

    def hold(self, kind: HoldKind, reason: str, *, clears_when: str) -> None:
        """Do not advance, for this reason; since when is known from the row if it held before."""
        if any((h.kind, h.clears_when) == (kind, clears_when) for h in self.holds):
            return
        known = next(
            (h for h in self.before.waiting.holds if (h.kind, h.clears_when) == (kind, clears_when)), None
        )
        since = known.since if known else self.now
        self.holds.append(Hold(kind=kind, reason=reason, clears_when=clears_when, since=since))

    def keep_holds(self, *clears_when: str) -> None:
        """Go on holding for what the last tick knew and this one could not look at: unknown is not over."""
        for hold in self.before.waiting.holds:
            if hold.clears_when in clears_when:
                self.hold(hold.kind, hold.reason, clears_when=hold.clears_when)

    def read(
        self, seen: T | Unread | None, what: str, *, kind: HoldKind = HoldKind.AWS, clears_when: str = ""
    ) -> T | str:
        """What was seen of something; or what is waited for, in words, if nobody looked or it could not be read.

        What could not be read holds; what nobody looked at is only waited for, since the next tick looks.
        """
        match seen:
            case None:
                return f"a look at {what}"
            case Unread(why=why):
                clears = clears_when or f"{what} can be read"
                self.hold(kind, f"{what} could not be read: {why}", clears_when=clears)
                return f"{what} to be readable"
            case found:
                return found

    def must_read(
        self, seen: T | Unread | None, what: str, *, kind: HoldKind = HoldKind.AWS, clears_when: str = ""
    ) -> T | str:
        """As `read`, of something that had to be looked at in this tick: it holds where nobody did."""
        known = Unread(why="it was not looked at") if seen is None else seen
        return self.read(known, what, kind=kind, clears_when=clears_when)

    def must_find(
        self, seen: T | Absent | Unread | None, what: str, *, kind: HoldKind = HoldKind.AWS
    ) -> T | str:
        """As `must_read`, of something that has to be there: what is not there cannot be read either, and holds."""
        known = Unread(why="it is not there") if isinstance(seen, Absent) else seen
        return self.must_read(known, what, kind=kind)

    def ask(self, effect: Effect, message: str) -> None:
        """Ask for an effect, unless it was asked for a moment ago and its outcome may just not show yet.

        A write to safety is asked for in every tick until it is seen to have worked.
        """
        known = next((a for a in self.before.ticks.asked if a.key == effect.key), None)
        if known is None:
            self.tell(EventKind.EFFECT_ASKED, message, effect=effect.key)
            known = Asked(key=effect.key, at=self.now, times=0, since=self.now)
        elif any(failure.key == effect.key for failure in self.seen.failures):
            known = replace(known, refusals=known.refusals + 1)
        again = known.at + min(ASK_AGAIN_FIRST * 2 ** min(max(known.times - 1, 0), 5), ASK_AGAIN_LAST)
        if known.times and not is_to_safety(effect) and self.now < again:
            self._remember(known)
            self.wake_by(again)
            return
        self._remember(replace(known, at=self.now, times=known.times + 1))
        if must_not_stay(effect):
            self.change(created_last=self.now)
        self.change(unanswered=with_asked(self.row.ticks, effect, self.now))
        self.effects.append(effect)

    def _remember(self, asked: Asked) -> None:
        others = tuple(a for a in self.row.ticks.asked if a.key != asked.key)
        self.change(asked=(*others, asked))

    def wake_by(self, at: datetime) -> None:
        """Look again by then."""
        if self.wake_at is None or at < self.wake_at:
            self.wake_at = at

    def move(self, phase: Phase, why: str) -> None:
        """Go to another phase; the move must stand in TRANSITIONS. Whoever ends the rollout tells ENDED instead."""
        start, since = self.row.phase, self.row.phase_since
        assert (start, phase) in LEGAL, f"{start} -> {phase} is no legal move"
        if since is not None and (start is Phase.ROLLING_BACK or phase not in CUT_SHORT):
            lasted = Lasted(phase=start, time=self.now - since - self.row.pause.paused_for)
            others = tuple(one for one in self.row.lasted if one.phase is not start)
            self.change(lasted=(*others, lasted))
        self.change(phase=phase, phase_since=self.now, paused_for=timedelta(0), ready_since=None, paged=())
        if not phase.is_final:
            self.tell(EventKind.PHASE_CHANGED, why, start=start.value, end=phase.value)

    def turn_back(self, reason: str, by: Actor) -> None:
        """Decide to roll back; the first reason of a tick is the one that counts."""
        if self.turning_back is None:
            self.turning_back = TurnBack(
                reason=reason, by=by, row=self.row, events=len(self.events), records=len(self.records)
            )

    def drop_what_followed(self, turn: TurnBack) -> None:
        """Be as the tick was when it turned back, and ask for nothing: what it had asked for was for going on."""
        self.row = turn.row
        del self.events[turn.events :]
        del self.records[turn.records :]
        self.effects.clear()
        self.holds.clear()
        self.change(asked=())

    def end(self, reason: str, by: Actor) -> None:
        """Remember why the rollout ends."""
        self.change(end=End(reason=reason, by=by, at=self.now))

    def page(self, words: str, *, about: str) -> None:
        """Page people: once for each reason of one standstill, and again where it lasts (`limits.page_again`)."""
        self.calls_for_people.add(about)
        known = next((one for one in self.row.waiting.paged if one.about == about), None)
        again = self.row.spec.limits.page_again
        if known is not None and (not again or self.now < known.at + again):
            return
        others = tuple(one for one in self.row.waiting.paged if one.about != about)
        self.change(paged=(*others, Paged(about=about, at=self.now)))
        self.tell(EventKind.PAGED, words if known is None else f"still: {words}")

    @property
    def poll(self) -> timedelta:
        """How often this phase looks."""
        metrics = self.row.spec.metrics
        return metrics.period if self.row.phase is Phase.WATCHING else metrics.poll

    @property
    def next_look(self) -> datetime:
        """When this phase looks again of itself.

        While watching these are moments that all rollouts have in common (2.5 s apart at periods of 60 s), so that one
        call can read for many of them.
        """
        at = self.now + self.poll
        return floor_to(at, self.poll / WATCHES_SPREAD) if self.row.phase is Phase.WATCHING else at

    def since_last(self, earlier: datetime | None) -> timedelta:
        """Time since an earlier tick, or nothing if so much passed that nobody was looking meanwhile."""
        if earlier is None:
            return timedelta(0)
        gap = self.now - earlier
        return gap if gap <= 2 * self.poll + SLACK else timedelta(0)


def service_of(draft: Draft, colour: Colour) -> ServiceLook:
    """What was seen of one colour's service."""
    return draft.seen.blue if colour is Colour.BLUE else draft.seen.green


def targets_of(draft: Draft, colour: Colour) -> tuple[TargetsLook, ...]:
    """What was seen of the targets in each of one colour's groups."""
    groups = [pair.blue if colour is Colour.BLUE else pair.green for pair in draft.row.pairs]
    return tuple(draft.seen.targets.get(group) if group else None for group in groups)
