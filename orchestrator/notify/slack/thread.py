"""The thread under a rollout's message: a line for each event that matters, and who is called when.

Pure, like the message itself.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from orchestrator.core.domain.events import Event, EventKind
from orchestrator.core.domain.verdict import Verdict
from orchestrator.core.rollout.rollout import HoldKind, Rollout
from orchestrator.notify.sink import StorePage
from orchestrator.notify.slack.message import Act
from orchestrator.notify.slack.text import SECTION_MAX, clipped, clock_time, escaped
from orchestrator.ports.rollouts import EventSeen
from orchestrator.settings import Settings

APPROVERS = "approvers"  # the group of people that is called where a rollout file names no approvers
_LINE_MAX, _CALL_MAX = 400, 600
# What is of no use to somebody who reads along.
_QUIET = frozenset(
    {
        EventKind.WEIGHT_WANTED,
        EventKind.EFFECT_ASKED,
        EventKind.EVIDENCE_FROZEN,
        EventKind.INTERVAL_TAKEN,
        EventKind.BLUE_READ,
    }
)
# A gate that holds is told by its answer; the hold that follows from it would say so once more.
_TOLD_BY_GATES = frozenset({HoldKind.GATE, HoldKind.APPROVAL})
_DID = {
    "approve": "approved",
    "reject": "rejected",
    "pause": "paused",
    "resume": "resumed",
    "promote": "promoted",
    "back": "went back a step",
    "rollback": "rolled back",
    "abandon": "abandoned",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """A page. ``key``: the same page has the same, so that it is sent once."""

    key: str
    words: str


def lines(events: Iterable[EventSeen]) -> tuple[str, ...]:
    """Each event that matters as one line."""
    return tuple(_line(seen.event) for seen in events if _matters(seen.event))


def _matters(event: Event) -> bool:
    facts = dict(event.facts)
    if event.kind in (EventKind.HELD, EventKind.HOLD_CLEARED):
        return facts.get("hold") not in _TOLD_BY_GATES
    if event.kind is EventKind.GATE_ANSWERED:
        return facts.get("verdict") != Verdict.NOT_APPLICABLE
    return event.kind not in _QUIET


def _line(event: Event) -> str:
    return clipped(f"{clock_time(event.at)} {escaped(event.message)}", _LINE_MAX)


def batches(told: Sequence[str]) -> tuple[str, ...]:
    """Lines put together into as few messages as Slack's limit allows."""
    found: list[str] = []
    for line in told:
        if found and len(found[-1]) + len(line) + 1 <= SECTION_MAX:
            found[-1] = f"{found[-1]}\n{line}"
        else:
            found.append(line)
    return tuple(found)


def acts(events: Iterable[EventSeen]) -> tuple[Act, ...]:
    """What people did, among these events."""
    return tuple(_act(seen.event) for seen in events if seen.event.kind is EventKind.COMMAND_APPLIED)


def _act(event: Event) -> Act:
    facts = dict(event.facts)
    command, reason = str(facts.get("command", "")), str(facts.get("reason", ""))
    words = f"{facts.get('by', 'somebody')} {_DID.get(command, command)}"
    return Act(at=event.at, words=clipped(f"{words}: {reason}" if reason else words, 300))


def mentions(row: Rollout, events: Iterable[EventSeen], settings: Settings) -> tuple[Mention, ...]:
    """Who is to be called for what has happened: an approval that waits, a rollback, Teal at its wits' end."""
    whom = called(row, settings)
    found = []
    for hold in row.waiting.holds if not row.phase.is_final else ():
        if hold.kind is HoldKind.APPROVAL:
            key = f"approval {hold.since.isoformat()}"
            found.append(_mention(key, whom, f"{hold.reason}."))
    for seen in events:
        if seen.event.kind is EventKind.ROLLBACK_DECIDED:
            found.append(
                _mention("rollback", whom, f"{row.spec.service} is rolled back: {seen.event.message}")
            )
        if seen.event.kind is EventKind.PAGED:
            found.append(_mention(f"page {seen.number}", whom, f"Teal needs a person: {seen.event.message}"))
    return tuple({one.key: one for one in found}.values())


def _mention(key: str, whom: str, words: str) -> Mention:
    text = f"{whom} {escaped(words)}" if whom else escaped(words)
    return Mention(key=key, words=clipped(text, _CALL_MAX))


def of_store(page: StorePage, settings: Settings) -> str:
    """What is told of the store itself; people are called where it needs them."""
    whom = "" if page.is_over else _mentioned((), settings)
    words = escaped(f"Teal: {page.words}" if page.is_over else f"Teal needs a person: {page.words}")
    return f"{whom} {words}".strip()


def called(row: Rollout, settings: Settings) -> str:
    """The mentions of those who may approve: the file's approvers, else the group `approvers`; empty: nobody known."""
    return _mentioned(row.spec.approval.approvers, settings)


def _mentioned(names: tuple[str, ...], settings: Settings) -> str:
    groups = dict(settings.slack.groups) if settings.slack is not None else {}
    found = []
    for name in names or (f"group:{APPROVERS}",):
        person = settings.person_named(name)
        if name.startswith("group:"):
            group = groups.get(name.removeprefix("group:"), "")
            found.append(f"<!subteam^{group}>" if group else "")
        elif person is not None and person.slack:
            found.append(f"<@{person.slack}>")
    return " ".join(dict.fromkeys(mention for mention in found if mention))
