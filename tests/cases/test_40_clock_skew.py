"""Case 40: this machine's clock is wrong, which the ``Date`` of AWS's answers tells."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from orchestrator.aws.client.call import Caller
from orchestrator.aws.client.clock_skew import Skew
from orchestrator.aws.client.transport import Answer
from orchestrator.aws.cloud import AwsCloud
from orchestrator.core.cloud.survey import Finding, Severity
from orchestrator.core.domain.errors import Unfit
from orchestrator.core.domain.phases import Phase
from orchestrator.engine.aws_time import AwsTime
from orchestrator.engine.commands import look_before
from sandbox.world.kernel.errors import AwsRefusal, CallLost
from tests.support.direct_transport import DirectTransport
from tests.support.rehearsal import Rehearsal
from tests.support.virtual import LoopClock


class Dated:
    """A transport whose answers say the World's time, as real ones say AWS's."""

    def __init__(self, stage: Rehearsal, skew: Skew) -> None:
        self._stage, self._skew = stage, skew
        self._inner = DirectTransport(stage.world.call, refusal=AwsRefusal, lost=CallLost)

    async def call(self, service: str, operation: str, params: Mapping[str, Any]) -> Answer:
        answer = await self._inner.call(service, operation, params)
        date = format_datetime(self._stage.world.now.replace(microsecond=0), usegmt=True)
        self._skew.hear({"ResponseMetadata": {"HTTPHeaders": {"date": date}}})
        return answer


@contextmanager
def wrong_by(behind: timedelta) -> Iterator[Rehearsal]:
    """A stage whose machine's clock is so far behind AWS's."""
    with Rehearsal() as stage:
        wrong = LoopClock(stage.loop, stage.clock.now() - behind)
        skew = Skew(wrong.now)
        caller = Caller(Dated(stage, skew), chance=lambda: 0.5)
        stage.cloud = AwsCloud(caller, region=stage.world.region, skew=skew)
        stage.clock = AwsTime(wrong, stage.cloud)  # type: ignore[assignment] # another Clock
        yield stage


def found(stage: Rehearsal) -> dict[str, Finding]:
    spec = stage.spec(stage.revision())
    looked = stage.run(look_before(spec, cloud=stage.cloud, clock=stage.clock))
    return {one.code: one for one in looked.findings}


@pytest.mark.parametrize("behind", [timedelta(seconds=90), timedelta(seconds=-90)])
def test_case_40_a_clock_that_is_wrong_by_more_than_a_minute_is_told_and_aws_time_is_used(
    behind: timedelta,
) -> None:
    """By its own clock the windows of metrics would lie where nothing is yet, or where nothing is any more."""
    with wrong_by(behind) as stage:
        told = found(stage)["clock-off"]
        assert told.what.startswith("this machine's clock is 1 min 30 s ")
        assert abs(stage.clock.now() - stage.world.now) <= timedelta(seconds=1)
        rollout = stage.start(stage.spec(stage.revision()))
        row = stage.until(rollout)
        assert row.phase is Phase.SUCCEEDED, stage.story(rollout)
        assert row.end is not None
        assert abs(row.end.at - stage.world.now) <= timedelta(seconds=2)


def test_case_40_a_clock_that_is_four_minutes_off_refuses_the_start() -> None:
    """A little more, and AWS would refuse every call: the rollout could not even be taken back."""
    with wrong_by(timedelta(seconds=250)) as stage:
        with pytest.raises(Unfit, match="this machine's clock is 4 min 10 s behind AWS's"):
            stage.start(stage.spec(stage.revision()))
        assert found(stage)["clock-far-off"].severity is Severity.ERROR


def test_case_40_a_few_seconds_are_nobodys_business() -> None:
    with wrong_by(timedelta(seconds=30)) as stage:
        assert not {"clock-off", "clock-far-off"} & set(found(stage))
        assert stage.world.now - stage.clock.now() > timedelta(seconds=29)
