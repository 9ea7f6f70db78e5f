"""A service as a team has it, rolled out, and what differs then: ``python -m tests.cases.showcase [--whole] [NAME …]``.

``python -m tests.cases.showcase --table [PART …]`` plays every exit from every phase beside every rival (`exits`).

Three rules on two listeners: one keeps its users by cookies, one authenticates by OIDC and rewrites, one shares its
requests with another team's target group. It scales by every kind of policy, and by the clock. Everything that can be
described is, before and after.
"""

import sys
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.core.rollout.spec import Ending
from sandbox.scenarios.scenery import Scenery
from sandbox.scenarios.scenery_scaling import KINDS, scale_by
from tests.cases import exits
from tests.cases.rule_stage import teams_own
from tests.support.everything import (
    OF_A_NEW_REVISION,
    OF_TIME,
    Answers,
    difference,
    everything,
    lines,
    renamed,
    sorted_out,
)
from tests.support.rehearsal import Rehearsal

TARGET = 215.0  # requests a minute for each task: a little more than three tasks get, so nothing scales
Kinds = Mapping[str, str]
# What differs between green in blue's place and blue as it was, green's names read as blue's.
OF_A_SWAP = {
    **OF_A_NEW_REVISION,
    r"ecs DescribeServices \S+\.created": "when the service was made, and by whom",
    r"(ecs DescribeServices \S+\.tags|elbv2 DescribeTags )": "Teal's tags beside the team's",
}
# What differs of a blue that is kept without tasks.
OF_A_KEPT_BLUE: Kinds = {
    r"ecs DescribeServices \S+\.(desired|running)Count": "blue kept, without tasks",
    r"ecs DescribeServices \S+\.(deployments|events|currentService(Deployment|Revisions))\b": "ECS's own record",
    r"ecs (ListTasks|DescribeTasks) ": "blue kept, without tasks",
    r"elbv2 DescribeTargetHealth ": "blue kept, without tasks",
    r"elbv2 DescribeTargetGroups \S+\.LoadBalancerArns": "blue's group in no rule",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One rollout's end, and what differs from before it."""

    phase: Phase
    values: int  # that were compared
    known: Mapping[str, int]  # lines of the difference that are as they must be, by kind
    others: tuple[str, ...]  # all other lines of it
    whole: tuple[str, ...]  # the difference


def look(stage: Rehearsal) -> Answers:
    """Every Describe answer of the account, and the secrets that no answer shows."""
    world = stage.world
    found = everything(lambda service, operation, params: world.call(service, operation, params))
    return found | {"client secrets": [world.client_secret(rule) for rule in stage.scenery.rules]}


def settle() -> Shown:
    """Blue takes the revision over, and everything else is as it was."""
    return _played(Ending.SETTLE, OF_A_NEW_REVISION | OF_TIME)


def rollback() -> Shown:
    """Somebody rolls back when green has all users: everything is as it was."""
    return _played(Ending.SETTLE, OF_TIME, turns=True)


def swap_keep() -> Shown:
    """Green stays in blue's place, and blue stays without tasks."""
    return _played(Ending.KEEP, OF_A_SWAP | OF_TIME)


def swap_delete() -> Shown:
    """Green stays in blue's place, and blue goes; its target group, which Teal did not make, stays."""
    return _played(Ending.DELETE, OF_A_SWAP | OF_TIME)


SHOWS = {
    "settle": settle,
    "rollback": rollback,
    "swap: keep": swap_keep,
    "swap: delete": swap_delete,
}


def _played(ending: Ending, kinds: Kinds, *, turns: bool = False) -> Shown:
    with contextmanager(teams_own)(scalable=not ending.is_swap) as stage:
        if not ending.is_swap:
            scale_by(stage.world, stage.scenery, *KINDS, target=TARGET)
        revision = stage.revision()
        before = look(stage)
        rollout = stage.start(stage.spec(revision, ending=ending))
        if turns:
            stage.until(rollout, Phase.WATCHING)
            stage.command(rollout, CommandKind.ROLLBACK)
        row = stage.until(rollout)
        after = look(stage)
        if ending.is_swap:
            whole = after_a_swap(stage.scenery, row, before, after)
            return _shown(row, whole, len(lines(before)), {**kinds, **OF_A_KEPT_BLUE})
        return _shown(row, difference(before, after), len(lines(before)), kinds)


def _shown(row: Rollout, whole: list[str], values: int, kinds: Kinds) -> Shown:
    known, others = sorted_out(whole, kinds)
    return Shown(phase=row.phase, values=values, known=known, others=tuple(others), whole=tuple(whole))


def after_a_swap(scenery: Scenery, row: Rollout, before: Answers, after: Answers) -> list[str]:
    """How green in blue's place differs from blue as it was, and what is left of blue from itself."""
    blue, green = _parted(scenery, after)
    mine = {name: answer for name, answer in before.items() if name in blue}
    return [
        *difference(renamed(before, {}), renamed(green, _names(scenery, row))),
        *difference(renamed(mine, {}), renamed(blue, {})),
    ]


def _parted(scenery: Scenery, after: Answers) -> tuple[Answers, Answers]:
    """What is told of blue and its group, if they are still there, and everything else."""
    blues = {scenery.service, scenery.target_group.split("/")[1], scenery.target_group}
    told = {name: answer for name, answer in after.items() if name.rpartition(" ")[2] in blues}
    return told, {name: answer for name, answer in after.items() if name not in told}


def _names(scenery: Scenery, row: Rollout) -> dict[str, str]:
    """Green's names, and those of blue that they stand for."""
    (pair,) = row.pairs
    assert row.green is not None
    assert pair.green is not None
    return {
        row.green.name: scenery.service,
        pair.green: pair.blue,
        pair.green_name: pair.blue.split("/")[1],
    }


def main() -> None:
    """Play all shows, or those named, and print what differs; with --whole to the last line, with --table the table."""
    if "--table" in sys.argv:
        sys.exit(not exits.main([part for part in sys.argv[1:] if part != "--table"]))
    asked = [name for name in sys.argv[1:] if name in SHOWS] or list(SHOWS)
    for name in asked:
        shown = SHOWS[name]()
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
