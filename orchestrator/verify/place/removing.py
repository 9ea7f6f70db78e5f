"""Takes everything away that the journal knows of, the newest first, and what rollouts left in the run's cluster."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace

from orchestrator.core.domain import tags as teals
from orchestrator.verify.journal import Journal, Made
from orchestrator.verify.means import Calls, Refusal
from orchestrator.verify.place.kinds import KINDS, Stranger, is_gone
from orchestrator.verify.place.making import Tell
from orchestrator.verify.wanted import Wanted

ROUNDS = 36  # looks, a twelfth of a minute apart: a service drains before its cluster goes


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What could not be removed, why, and what removes it by hand."""

    kind: str
    name: str
    why: str
    command: str


async def remove_all(
    calls: Calls, journal: Journal, wanted: Wanted, tell: Tell, *, rounds: int = ROUNDS
) -> tuple[Left, ...]:
    """Remove everything that is left. What another thing still holds is tried again; gives what stays."""
    why: dict[Made, str] = {}
    for number in range(rounds):
        if number:
            await asyncio.sleep(wanted.minute.total_seconds() / 12)
        for made in tuple(_guests(await _found_guests(calls, journal, wanted), journal)):
            journal.making(made)
        why = {}
        for made in journal.left:
            said = await _removed(calls, made, wanted, journal)
            if said:
                why[made] = said
            else:
                journal.removed(made)
                tell(f"removed {made.kind} {made.name}")
        if not journal.left:
            return ()
    return tuple(
        Left(kind=made.kind, name=made.name, why=said, command=KINDS[made.kind].command(made))
        for made, said in why.items()
    )


async def _removed(calls: Calls, made: Made, wanted: Wanted, journal: Journal) -> str:
    """Remove one thing; why it is still there, empty if it is gone."""
    kind = KINDS[made.kind]
    try:
        arn = made.arn or await kind.find(calls, made, wanted.id)
        if arn:
            await kind.remove(calls, replace(made, arn=arn), arn)
            if made.kind == "service" and await kind.find(calls, made, wanted.id):
                return "it is still there"
    except Stranger as stranger:
        return str(stranger)
    except Refusal as refusal:
        if is_gone(refusal) or (kind.goes_with and _holder_is_gone(made, kind.goes_with, journal)):
            return ""
        return f"{refusal.code}: {refusal.message}"
    return ""


def _holder_is_gone(made: Made, holder: str, journal: Journal) -> bool:
    """True where what would have taken it along is no longer there."""
    return made.within != "" and not any(one.kind == holder for one in journal.left) and not made.arn


async def _found_guests(calls: Calls, journal: Journal, wanted: Wanted) -> tuple[Made, ...]:
    """Greens that a rollout made in the run's own cluster, with their target groups: found by Teal's own tags."""
    if not any(made.kind == "cluster" for made in journal.left):
        return ()
    found: list[Made] = []
    try:
        arns = (await calls("ecs", "ListServices", cluster=wanted.name))["serviceArns"]
        found += [Made(kind="service", name=arn.rpartition("/")[2], within=wanted.name) for arn in arns]
        groups = (await calls("elbv2", "DescribeTargetGroups"))["TargetGroups"]
        ours = [group for group in groups if group["TargetGroupName"].startswith(teals.MANAGED.split(":")[0])]
        for part in (ours[start : start + 20] for start in range(0, len(ours), 20)):
            shown = await calls(
                "elbv2", "DescribeTags", ResourceArns=[group["TargetGroupArn"] for group in part]
            )
            named = {group["TargetGroupArn"]: group["TargetGroupName"] for group in part}
            for one in shown["TagDescriptions"]:
                known = {tag["Key"]: tag.get("Value", "") for tag in one.get("Tags", ())}
                if teals.is_of(known, cluster=wanted.name, service=wanted.name):
                    arn = one["ResourceArn"]
                    found.append(Made(kind="target group", name=named[arn], arn=arn))
    except Refusal:
        return tuple(found)  # the next round looks again
    return tuple(found)


def _guests(found: tuple[Made, ...], journal: Journal) -> Iterator[Made]:
    """Those that the journal does not know yet."""
    known = {(made.kind, made.name) for made in journal.left}
    for made in found:
        if (made.kind, made.name) not in known:
            yield made
