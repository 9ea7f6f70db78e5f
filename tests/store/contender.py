"""One process of several on one file: leases what it can get and prints ``rollout fence`` for each row it had.

With ``die`` as third argument it kills itself in the middle of its first commit, after everything has been written
and before the transaction ends. With ``tell`` it tells what it can get of the outbox and prints ``rollout sent``;
with ``die-telling`` it kills itself when it has told the first and written so, before that transaction ends.
"""

import asyncio
import os
import signal
import sys
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Connection

from orchestrator.core.rollout.rollout import Decision
from orchestrator.ports.leases import Leased
from orchestrator.ports.outbox import Delivery
from orchestrator.store.opening import open_store
from orchestrator.store.sql import leases, outbox
from orchestrator.store.sql.sqlite import SqliteDatabase
from tests.contract.store_values import NOON, TTL, a_decision, a_record, an_event


async def take_all(path: str, owner: str) -> None:
    store = open_store(f"sqlite:///{path}")
    try:
        while batch := await store.lease_due(owner=owner, now=NOON, ttl=TTL, limit=3):
            for leased in batch:
                done = await store.commit(leased, a_decision(leased, wake_at=NOON + timedelta(days=1)))
                await store.release(done)
                print(leased.stored.rollout.id, leased.fence)
    finally:
        await store.close()


async def die(path: str, owner: str) -> None:
    database = SqliteDatabase(Path(path))

    def half(connection: Connection, leased: Leased, decision: Decision) -> None:
        leases.commit(connection, leased, decision, shown=lambda _: None)
        os.kill(os.getpid(), signal.SIGKILL)

    (leased,) = await database.write(lambda c: leases.lease_due(c, owner=owner, now=NOON, ttl=TTL, limit=1))
    decision = a_decision(leased, events=(an_event("lost"),), records=(a_record("lost"),))
    print("leased", flush=True)
    await database.write(lambda c: half(c, leased, decision))


async def tell_all(path: str, owner: str) -> None:
    store = open_store(f"sqlite:///{path}")
    try:
        while batch := await store.lease_deliveries("sink", owner=owner, now=NOON, ttl=TTL, limit=3):
            for delivery in batch:
                rollout = delivery.stored.rollout.id
                for seen in await store.events(rollout, after=delivery.sent, limit=1):
                    print(rollout, seen.number)
                    await store.delivered(delivery, sent=seen.number, state=owner)
    finally:
        await store.close()


async def die_telling(path: str, owner: str) -> None:
    database = SqliteDatabase(Path(path))

    def half(connection: Connection, delivery: Delivery) -> None:
        outbox.delivered(connection, delivery, sent=1, state="lost")
        os.kill(os.getpid(), signal.SIGKILL)

    (delivery,) = await database.write(
        lambda c: outbox.lease_deliveries(c, "sink", owner=owner, now=NOON, ttl=TTL, limit=1)
    )
    print("told", flush=True)
    await database.write(lambda c: half(c, delivery))


WAYS = {"take": take_all, "die": die, "tell": tell_all, "die-telling": die_telling}

if __name__ == "__main__":
    way = sys.argv[3] if len(sys.argv) > 3 else "take"
    asyncio.run(WAYS[way](*sys.argv[1:3]))
