"""A service as a team has it, rolled out by `teal` as a process while its users go on: what differs afterwards.

Three rules on two listeners, one with OIDC, one with group stickiness, one shared with another team's target group.
The answers of every Describe call, as an unmodified boto3 reads them, are compared before and after.
"""

import asyncio
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import boto3
from botocore import xform_name

from orchestrator.sandbox.world.scenery import Scenery
from orchestrator.sandbox.world.world import World
from tests.cases.rule_stage import make_sticky, on_https
from tests.endtoend.stage import Shop, Stage
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


async def settle_of_a_service_as_teams_have_it(made: Stage) -> None:
    shop = await made.shop("team", rules=1)
    around = Around(shop.sandbox.world, shop.scenery)
    make_sticky(around, life=LIFE)
    on_https(around, port=shop.sandbox.proxy.reserve())
    new = shop.revision(TEAL_DEMO_VERSION="2")
    before = await asyncio.to_thread(look, shop)
    ended = await (await shop.deploy(shop.file(new))).ended()
    assert ended.code == 0, ended
    changes = difference(before, await asyncio.to_thread(look, shop))
    known, others = sorted_out(changes, OF_A_NEW_REVISION | OF_TIME)
    print(f"of {len(lines(before))} values described, these differ:")
    print(*(f"    {count} lines: {kind}" for kind, count in known.items()), sep="\n")
    print(*(f"    {line}" for line in others), f"    {len(others)} lines: anything else", sep="\n")
    assert others == []
    seen = await shop.load.finish()
    assert (seen.failed_by_shift, seen.failed_by_revision) == (0, 0)


SCENES = (settle_of_a_service_as_teams_have_it,)
