"""A service as a team has it, rolled out by `teal` as a process while its users go on: what differs afterwards.

Three rules on two listeners, one with OIDC, one with group stickiness, one shared with another team's target group; by
``settle`` it scales by every kind of policy.
The answers of every Describe call, as an unmodified boto3 reads them, are compared before and after.
"""

import asyncio
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import boto3
from botocore import xform_name

from orchestrator.core.domain.ids import RolloutId
from sandbox.scenarios.scenery import Scenery
from sandbox.scenarios.scenery_scaling import KINDS, scale_by
from sandbox.world.world import World
from tests.cases.rule_stage import make_sticky, on_https
from tests.cases.showcase import OF_A_KEPT_BLUE, OF_A_SWAP, Kinds, after_a_swap
from tests.endtoend.stage import RATE, Shop, Stage
from tests.support.everything import (
    OF_A_NEW_REVISION,
    OF_TIME,
    Answers,
    difference,
    everything,
    lines,
    sorted_out,
)

LIFE = 5  # seconds that a cookie keeps its user


@dataclass(frozen=True, slots=True)
class Around:
    """The World and the service's names, as what furnishes rules wants them."""

    world: World
    scenery: Scenery


def look(shop: Shop) -> Answers:
    """Every Describe answer of the account, over its API."""
    told = {"endpoint_url": shop.sandbox.endpoint, "region_name": shop.sandbox.world.region}
    keys = {"aws_access_key_id": "sandbox", "aws_secret_access_key": "sandbox"}
    names = ("ecs", "elbv2", "application-autoscaling", "cloudwatch")
    with ExitStack() as stack:
        clients = {name: boto3.client(name, **told, **keys) for name in names}
        for client in clients.values():
            stack.callback(client.close)

        def ask(service: str, operation: str, params: dict[str, Any]) -> dict[str, Any]:
            answer: dict[str, Any] = getattr(clients[service], xform_name(operation))(**params)
            return {name: value for name, value in answer.items() if name != "ResponseMetadata"}

        return everything(ask)


async def furnished(made: Stage, name: str, **furniture: bool) -> Shop:
    """A service as teams have it, with users."""
    shop = await made.shop(name, rules=1, **furniture)
    around = Around(shop.sandbox.world, shop.scenery)
    make_sticky(around, life=LIFE)
    on_https(around, port=shop.sandbox.proxy.reserve())
    return shop


async def settle_of_a_service_as_teams_have_it(made: Stage) -> None:
    shop = await furnished(made, "team")
    scale_by(shop.sandbox.world, shop.scenery, *KINDS, target=RATE * 60)
    new = shop.revision(TEAL_DEMO_VERSION="2")
    before = await asyncio.to_thread(look, shop)
    ended = await (await shop.deploy(shop.file(new))).ended()
    assert ended.code == 0, ended
    after = await asyncio.to_thread(look, shop)
    assert told(difference(before, after), before, OF_A_NEW_REVISION | OF_TIME) == []
    seen = await shop.load.finish()
    assert (seen.shift, seen.failed_by_revision) == ({}, 0)


async def swap_of_a_service_as_teams_have_it(made: Stage) -> None:
    shop = await furnished(made, "swapped", scalable=False)
    new = shop.revision(TEAL_DEMO_VERSION="2")
    before = await asyncio.to_thread(look, shop)
    ended = await (await shop.deploy(shop.file(new, "ending: {swap: keep}"))).ended()
    assert ended.code == 0, ended
    after = await asyncio.to_thread(look, shop)
    row = (await shop.store.load(RolloutId((await shop.newest()).id))).rollout
    changes = after_a_swap(shop.scenery, row, before, after)
    assert told(changes, before, {**OF_A_SWAP, **OF_TIME, **OF_A_KEPT_BLUE}) == []
    seen = await shop.load.finish()
    assert (seen.shift, seen.failed_by_revision) == ({}, 0)


def told(changes: list[str], before: Answers, kinds: Kinds) -> list[str]:
    """Print how much differs of what, and return the lines that should not."""
    known, others = sorted_out(changes, kinds)
    print(f"of {len(lines(before))} values described, these differ:")
    print(*(f"    {count} lines: {kind}" for kind, count in known.items()), sep="\n")
    print(*(f"    {line}" for line in others), f"    {len(others)} lines: anything else", sep="\n")
    return others


SCENES = (settle_of_a_service_as_teams_have_it, swap_of_a_service_as_teams_have_it)
