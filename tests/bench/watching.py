"""Many rollouts that only watch: how many calls their metrics and alarms cost, beside each reading for itself."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from random import Random

from orchestrator.aws.client.batching import WINDOW_MAX
from orchestrator.aws.client.call import Caller
from orchestrator.aws.cloud import AwsCloud
from orchestrator.core.domain.ids import Tenths
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.plan import Plan, Step
from orchestrator.core.rollout.spec import Limits
from orchestrator.store.memory.store import MemoryStore
from sandbox.world.kernel.errors import AwsRefusal, CallLost
from sandbox.world.kernel.throttle import FAMILIES
from tests.bench.account import LONGEST, MINUTE, Account
from tests.bench.crowd import Crowd, row_of
from tests.bench.lines import line, ratio
from tests.support.direct_transport import DirectTransport

SEED = 5
COUNTS = (1, 100, 1000)
COUNTED = 2 * MINUTE
READS = {"GetMetricData": "get_metric_data", "DescribeAlarms": "describe_alarms"}
OTHERS = {
    "DescribeRules": "describe_rules",
    "DescribeServices": "describe_services",
    "DescribeTargetHealth": "describe_target_health",
}
PLAN = Plan(
    name="custom",
    steps=(Step(weight=Tenths(500), bake=MINUTE), Step(weight=Tenths(1000), bake=LONGEST)),
)


def measure() -> Iterator[str]:
    """Calls a minute of 1, 100 and 1,000 rollouts that watch, of one account and region."""
    with Account(SEED) as account:
        rollout = account.start(replace(account.canary(account.revision()), plan=PLAN, limits=Limits()))
        row = account.until(rollout, Phase.WATCHING, within=timedelta(hours=1))
        account.let_run(5 * MINUTE)
        row = account.row(rollout)
        assert row.phase is Phase.WATCHING
        crowd = Crowd(
            DirectTransport(account.world.call, refusal=AwsRefusal, lost=CallLost), account.clock.now
        )
        account.cloud = AwsCloud(Caller(crowd), region=account.world.region, window=WINDOW_MAX)
        alone: dict[str, float] = {}
        for count in COUNTS:
            store = account.store = MemoryStore()
            draw = Random(SEED)
            for number in range(count):
                mine = row_of(number, row)
                wake_at = account.clock.now() + draw.random() * MINUTE
                account.run(store.create(mine, claims=frozenset(), key=mine.id, events=(), wake_at=wake_at))
            account.let_run(MINUTE)
            crowd.calls.clear()
            account.let_run(COUNTED)
            for operation, name in {**READS, **OTHERS}.items():
                per_minute = crowd.calls[operation] / (COUNTED / MINUTE)
                alone.setdefault(operation, per_minute)
                yield line(f"{name}_per_minute_watching_{count}", per_minute)
                if count > 1 and operation in READS:
                    yield line(
                        f"baseline_{name}_per_minute_watching_{count}_each_for_itself",
                        count * alone[operation],
                    )
                    yield ratio(
                        f"{name}_watching_{count}", per_minute, count * alone[operation], to="each_for_itself"
                    )
        allowed = 60 * FAMILIES["elbv2 read"][1]
        health = alone["DescribeTargetHealth"] + alone["DescribeRules"] / 20
        yield line("watching_rollouts_within_aws_limit_of_elbv2_read", allowed / health, digits=0)
