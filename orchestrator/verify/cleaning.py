"""Takes back and away what a run began and made, whatever ended it, and only where it was made."""

import asyncio
from contextlib import suppress

from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.errors import TealError, first_of
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.text import counted
from orchestrator.engine import commands
from orchestrator.ports.rollouts import Filter
from orchestrator.verify.journal import Journal, Where
from orchestrator.verify.means import Means, Refusal
from orchestrator.verify.place.making import Tell
from orchestrator.verify.place.removing import Left, remove_all
from orchestrator.verify.rollouts.play import AUTHOR, running, until
from orchestrator.verify.wanted import Wanted

BACK_WITHIN = 30  # minutes: how long a rollout that was left under way is waited for, at the end


class Elsewhere(TealError):
    """The run made its things in another account or region than this one, or none can be read; nothing was touched."""

    code = "run-elsewhere"
    http_status = 409
    exit_code = 5


async def here(means: Means) -> Where:
    """Where the calls go. Raises Refusal."""
    identity = await means.calls("sts", "GetCallerIdentity")
    return Where(account=str(identity["Account"]), region=means.region)


async def clean(wanted: Wanted, means: Means, journal: Journal, tell: Tell) -> tuple[Left, ...]:
    """Clean up after a run of another process; gives what stays. Raises Elsewhere, with nothing forgotten."""
    if journal.is_unfinished:
        await _must_be_here(means, journal, wanted)
    return await tidy(wanted, means, journal, tell)


async def tidy(wanted: Wanted, means: Means, journal: Journal, tell: Tell) -> tuple[Left, ...]:
    """Take everything away: first the rollouts under way, by the engine, then what the run made. Gives what stays."""
    under_way = await _end_rollouts(wanted, means, journal, tell)
    if journal.left:
        tell(f"removing {counted(len(journal.left), 'thing')}")
    left = await remove_all(means.calls, journal, wanted, tell)
    if wanted.is_throw_away and not left:
        under_way = ()  # whatever they made was removed with the service
    if not under_way:
        journal.rolled()
    return (*under_way, *left)


async def _must_be_here(means: Means, journal: Journal, wanted: Wanted) -> None:
    again = (
        f"use the credentials and the region of the run, then `teal verify-account --clean --id {wanted.id}`"
    )
    try:
        there = await here(means)
    except Refusal as refusal:
        raise Elsewhere(
            what=f"run {wanted.id} was not cleaned up",
            why=f"it is not known whether this is where it ran ({journal.where or 'not written down'}): {refusal}",
            next_step=again,
        ) from refusal
    if journal.where is None and not journal.left:
        return  # nothing was made: there is only a line that cannot be read
    if there != journal.where:
        was = f"in {journal.where}" if journal.where else "where its journal does not say"
        raise Elsewhere(
            what=f"run {wanted.id} was not cleaned up",
            why=f"it ran {was}, and this is {there}",
            next_step=again,
        )


async def _end_rollouts(wanted: Wanted, means: Means, journal: Journal, tell: Tell) -> tuple[Left, ...]:
    """Have the engine take back what is still under way in the run's own store; what it could not take back."""
    try:
        rows, _ = await means.engine.store.list(Filter(is_active=True), limit=100)
    except Exception as error:  # no fault of the store keeps what was made from being removed
        if not journal.rolls:
            return ()
        return (_under_way(wanted, wanted.service or wanted.name, _said(error), tell),)
    found = []
    for stored in rows:
        rollout = stored.rollout.id
        tell(f"taking {rollout} back")
        try:
            await _end(rollout, wanted, means)
        except Exception as error:  # one rollout's fault never keeps the others
            row = stored.rollout
            with suppress(Exception):
                row = (await means.engine.store.load(rollout)).rollout
            waits = row.waiting.waiting_for
            why = f"it is {row.phase.value}: {waits}" if isinstance(error, TimeoutError) else _said(error)
            found.append(_under_way(wanted, str(rollout), why, tell))
    return tuple(found)


def _under_way(wanted: Wanted, name: str, why: str, tell: Tell) -> Left:
    tell(f"rollout {name} is not known to be taken back: {why}")
    service = wanted.service or f"{wanted.name}/{wanted.name}"
    return Left(
        kind="rollout",
        name=name,
        why=f"it is not known to be taken back: {why}",
        command=f"teal rollback {service} --direct",
    )


async def _end(rollout: RolloutId, wanted: Wanted, means: Means) -> None:
    """Take one back, and wait for its end. Raises TimeoutError, or whatever stopped the engine."""
    engine = means.engine
    command = commands.command(
        CommandKind.ROLLBACK, by=AUTHOR, clock=engine.clock, reason="the run has ended"
    )
    with suppress(TealError):  # it is on its way back already
        await commands.accept(rollout, command, store=engine.store)
    async with (
        asyncio.timeout(BACK_WITHIN * wanted.minute.total_seconds() + 60),
        running(engine, rollout),
    ):
        await until(engine, rollout, lambda row: row.phase.is_final)


def _said(error: BaseException) -> str:
    first = first_of(error)
    return str(first) if isinstance(first, TealError) else f"{type(first).__name__}: {first}"
