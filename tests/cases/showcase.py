"""A service as a team has it, rolled out, and what differs then: ``python -m tests.cases.showcase``.

Three rules on two listeners: one keeps its users by cookies, one authenticates by OIDC and rewrites, one shares its
requests with another team's target group. It scales by steps, by forecast and by schedule. Everything that can be
described is, before and after.
"""

import sys
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from orchestrator.core.commands import CommandKind
from orchestrator.core.ids import RolloutId
from orchestrator.core.phases import Phase
from orchestrator.sandbox.world.scenery_scaling import scale_by
from tests.cases.rule_stage import teams_own
from tests.support.everything import (
    OF_A_NEW_REVISION,
    OF_TIME,
    Answers,
    difference,
    everything,
    lines,
    sorted_out,
)
from tests.support.rehearsal import Rehearsal

SCALED_BY = ("steps", "forecast", "evening")  # what has no reason to act in the minutes that this takes


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One rollout's end, and what differs from before it."""

    phase: Phase
    values: int  # that were compared
    known: Mapping[str, int]  # lines of the difference that any deployment makes, by kind
    others: tuple[str, ...]  # all other lines of it
    whole: tuple[str, ...]  # the difference


def look(stage: Rehearsal) -> Answers:
    """Every Describe answer of the account, and the secrets that no answer shows."""
    world = stage.world
    found = everything(lambda service, operation, params: world.call(service, operation, params))
    return found | {"client secrets": [world.client_secret(rule) for rule in stage.scenery.rules]}


def on_to_the_end(_: Rehearsal, __: RolloutId) -> None:
    """Nobody interferes."""


def taken_back(stage: Rehearsal, rollout: RolloutId) -> None:
    """Somebody rolls back when green has all users."""
    stage.until(rollout, Phase.WATCHING)
    stage.wish(rollout, CommandKind.ROLLBACK)


Act = Callable[[Rehearsal, RolloutId], None]
# By what happens: the act, and what may differ after it.
SHOWS: Mapping[str, tuple[Act, Mapping[str, str]]] = {
    "settle": (on_to_the_end, OF_A_NEW_REVISION | OF_TIME),
    "rollback": (taken_back, OF_TIME),
}


def show(name: str) -> Shown:
    """Play one of the shows."""
    act, may_differ = SHOWS[name]
    with contextmanager(teams_own)() as stage:
        scale_by(stage.world, stage.scenery, *SCALED_BY)
        revision = stage.revision()
        before = look(stage)
        rollout = stage.start(stage.spec(revision))
        act(stage, rollout)
        row = stage.until(rollout)
        whole = difference(before, look(stage))
        known, others = sorted_out(whole, may_differ)
        return Shown(
            phase=row.phase,
            values=len(lines(before)),
            known=known,
            others=tuple(others),
            whole=tuple(whole),
        )


def main() -> None:
    """Play all shows, or those named, and print what differs; with --whole to the last line."""
    asked = [name for name in sys.argv[1:] if name in SHOWS] or list(SHOWS)
    for name in asked:
        shown = show(name)
        print(f"{name}: {shown.phase}; of {shown.values} values described, these differ:")
        for kind, count in shown.known.items():
            print(f"    {count} lines: {kind}")
        print(
            *(f"    {line}" for line in shown.others),
            f"    {len(shown.others)} lines: anything else",
            sep="\n",
        )
        if "--whole" in sys.argv:
            print(*shown.whole, sep="\n")


if __name__ == "__main__":
    main()
