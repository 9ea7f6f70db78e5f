"""Takes everything away that the journal knows of, the newest first, and what rollouts left in the run's cluster."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from orchestrator.aws.services.autoscaling import resource_id
from orchestrator.core.domain import tags as teals
from orchestrator.verify.journal import FILE, Journal, Made
from orchestrator.verify.means import Calls, Refusal
from orchestrator.verify.place.kinds import KINDS, Stays, is_gone, listed, tags_of
from orchestrator.verify.place.making import Tell
from orchestrator.verify.wanted import Wanted

GREEN_GROUPS = "teal-"  # how the names of the target groups begin that rollouts make
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
    why: dict[tuple[str, str, str], str] = {}
    if journal.torn:
        tell(f"{_torn(journal)}: what it may have announced is looked for by its name")
        _add(_suspects(wanted), journal)
    for number in range(rounds):
        if number:
            await asyncio.sleep(wanted.minute.total_seconds() / 12)
        unseen = await _look_for_guests(calls, journal, wanted)
        why.clear()
        for made in journal.left:
            # Nobody finds what rollouts made once the cluster by which it is found is gone.
            keeps = unseen if made.kind == "cluster" else ""
            if said := keeps or await _removed(calls, made, wanted):
                why[made.key] = said
            else:
                journal.removed(made)
                tell(f"removed {made.kind} {made.name}")
        if not journal.left:
            if journal.torn:
                journal.searched()
            return ()
    return still_left(journal, why)


def still_left(
    journal: Journal, why: Mapping[tuple[str, str, str], str], otherwise: str = ""
) -> tuple[Left, ...]:
    """What the journal still knows of, each with why it is there: `otherwise`, where nothing is said of it."""
    return tuple(
        Left(
            kind=made.kind,
            name=made.name,
            why=why.get(made.key, otherwise),
            command=KINDS[made.kind].command(made),
        )
        for made in journal.left
    )


def _torn(journal: Journal) -> str:
    numbers = ", ".join(str(number) for number in journal.torn)
    return f"line{'s' if len(journal.torn) > 1 else ''} {numbers} of {journal.folder / FILE} cannot be read"


def _suspects(wanted: Wanted) -> Iterator[Made]:
    """Everything that a run may make by a name of its own, the last that can go first."""
    name = wanted.name
    yield Made(kind="task definitions", name=name)
    if not wanted.is_throw_away:
        return
    if not wanted.listener:
        yield Made(kind="load balancer", name=name)
    yield Made(kind="target group", name=name)
    if wanted.listener:
        yield Made(kind="rule", name=name, within=wanted.listener)
    yield Made(kind="cluster", name=name)
    yield Made(kind="alarm", name=name)
    yield Made(kind="alarm", name=f"{name}-all")
    yield Made(kind="service", name=name, within=name)
    yield Made(kind="service", name=f"{name}-client", within=name)
    yield Made(kind="scaling", name=resource_id(name, name))


def _add(found: Iterable[Made], journal: Journal) -> None:
    known = {(made.kind, made.name) for made in journal.left}
    for made in found:
        if (made.kind, made.name) not in known:
            journal.found(made)


async def _removed(calls: Calls, made: Made, wanted: Wanted) -> str:
    """Remove one thing; why it is still there, empty if it is gone."""
    kind = KINDS[made.kind]
    try:
        arn = made.arn or await kind.find(calls, made, wanted.id)
        if arn:
            await kind.remove(calls, replace(made, arn=arn), arn)
            if made.kind == "service" and await kind.find(calls, made, wanted.id):
                return "it is still there"
    except Stays as why:
        return str(why)
    except Refusal as refusal:
        return "" if is_gone(refusal) else f"{refusal.code}: {refusal.message}"
    except Exception as error:  # one thing's fault never keeps the others
        return f"{type(error).__name__}: {error}"
    return ""


async def _look_for_guests(calls: Calls, journal: Journal, wanted: Wanted) -> str:
    """Add greens that a rollout made in the run's own cluster, and their target groups, by Teal's own tags.

    Gives why not all of them could be looked for; empty: they were.
    """
    if not any(made.kind == "cluster" for made in journal.left):
        return ""
    try:
        services = await calls.pages(
            "ecs", "ListServices", items="serviceArns", token="nextToken", cluster=wanted.name
        )
        _add(
            (Made(kind="service", name=arn.rpartition("/")[2], within=wanted.name) for arn in services),
            journal,
        )
        groups = {
            group["TargetGroupArn"]: group["TargetGroupName"]
            for group in await listed(calls, "DescribeTargetGroups", "TargetGroups")
            if group["TargetGroupName"].startswith(GREEN_GROUPS)
        }
        for arn, tags in (await tags_of(calls, tuple(groups))).items():
            if teals.is_of(tags, cluster=wanted.name, service=wanted.name):
                _add((Made(kind="target group", name=groups[arn], arn=arn),), journal)
    except Refusal as refusal:
        if is_gone(refusal) and refusal.operation == "ListServices":
            return ""  # there is no such cluster
        return f"what rollouts made in it could not be looked for: {refusal}"
    except Exception as error:  # as above
        return f"what rollouts made in it could not be looked for: {type(error).__name__}: {error}"
    return ""
