"""As far as moto goes: it starts no task, so the place is made, never steady, and taken away again."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from orchestrator.aws.client.call import Caller
from orchestrator.verify.journal import Journal
from orchestrator.verify.means import Calls
from orchestrator.verify.place.making import Maker, Unsteady, make_place
from orchestrator.verify.place.removing import remove_all
from sandbox.world.kernel.errors import AwsRefusal, CallLost
from tests.contract.moto_cloud import MotoAccount
from tests.support.direct_transport import DirectTransport
from tests.support.virtual import VirtualLoop, close
from tests.verify.stage import WANTED


@pytest.mark.long
def test_everything_is_made_and_removed_on_moto(tmp_path: Path) -> None:
    account, said = MotoAccount(), list[str]()
    wanted = replace(WANTED, minute=timedelta(minutes=1))
    subnets = tuple(account._place(subnet) for subnet in ("vpc-0a1b2c3d", *WANTED.subnets))[1:]
    wanted = replace(wanted, subnets=subnets, security_group=account._place("sg-0123"))
    transport = DirectTransport(account.call, refusal=AwsRefusal, lost=CallLost)
    calls = Calls(Caller(transport))
    journal = Journal.begin(tmp_path / "run", wanted)
    loop = VirtualLoop()

    async def run() -> None:
        with pytest.raises(Unsteady, match="was not steady"):
            await make_place(Maker(calls, journal, wanted, said.append))
        assert len(journal.left) == 8
        assert await remove_all(calls, journal, wanted, said.append) == ()

    loop.run_until_complete(asyncio.wait_for(run(), 3600))
    close(loop)
    assert account.call("elbv2", "DescribeTargetGroups", {})["TargetGroups"] == []
    shown = account.call("ecs", "DescribeClusters", {"clusters": [wanted.name]})["clusters"]
    assert [one["status"] for one in shown] in ([], ["INACTIVE"])  # which moto lists on
