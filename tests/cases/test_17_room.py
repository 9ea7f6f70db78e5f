"""Room for both colours, and what preflight can know of it before anything is touched."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from orchestrator.core.cloud.survey import Finding, Severity
from orchestrator.core.domain.errors import Unfit
from orchestrator.core.domain.phases import Phase
from orchestrator.core.phases.pending import FAILOVER
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.core.rollout.spec import ServiceName, Spec
from orchestrator.engine.commands import look_before
from sandbox.world.other_services.service_quotas import FARGATE_VCPU
from tests.cases.rule_stage import call, green_group
from tests.support.rehearsal import Rehearsal


@pytest.fixture
def stage() -> Iterator[Rehearsal]:
    with Rehearsal(requests_per_second=5) as rehearsal:
        yield rehearsal


def found(stage: Rehearsal, spec: Spec, *others: Rollout) -> dict[str, Finding]:
    looked = stage.run(look_before(spec, cloud=stage.cloud, clock=stage.clock, others=others))
    return {finding.code: finding for finding in looked.findings}


def test_case_17_too_little_fargate_quota_and_too_few_addresses_are_warned_of_with_numbers(
    stage: Rehearsal,
) -> None:
    """Twice the tasks need vCPU and addresses: preflight says how many are free, used and needed."""
    stage.world.quotas.values["fargate"][FARGATE_VCPU] = 1
    stage.world.addresses.sizes |= {"subnet-0aaa": 8, "subnet-0bbb": 8}
    told = found(stage, stage.spec(stage.revision()))
    assert told["vcpu-short"].severity is Severity.WARNING
    assert "0.75 of 1 vCPU" in told["vcpu-short"].what
    assert "up to 6 more are needed" in told["addresses-short"].what


def test_case_64_a_load_balancer_that_dns_may_fail_over_is_told_before_the_start(stage: Rehearsal) -> None:
    """A Route 53 record that evaluates target health follows a broken green too: preflight says so."""
    told = found(stage, stage.spec(stage.revision()))
    assert "a Route 53 record of prod-lb that evaluates target health" in told["dns-failover"].what


def test_case_64_dns_never_judges_the_load_balancer_by_green(stage: Rehearsal) -> None:
    """Green's group is like blue's, but for what would fail the whole load balancer over; blue's is left alone."""
    rollout = stage.start(stage.spec(stage.revision()))
    stage.until(rollout, Phase.SHIFTING)
    assert failover_of(stage, green_group(stage)) == {"count": "off", "percentage": "off"}
    assert failover_of(stage, stage.scenery.target_group) == {"count": "1", "percentage": "off"}
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)


def failover_of(stage: Rehearsal, group: str) -> dict[str, str]:
    """What of a target group's attributes says when DNS fails its load balancer over."""
    read = call(stage, "DescribeTargetGroupAttributes", TargetGroupArn=group)["Attributes"]
    found = {attribute["Key"]: attribute["Value"] for attribute in read}
    return {key.removeprefix(FAILOVER): value for key, value in found.items() if key.startswith(FAILOVER)}


def test_case_72_an_image_of_blues_own_that_is_gone_is_warned_of_before_the_start(stage: Rehearsal) -> None:
    """Blue's running tasks go on, but none that stops could be replaced, so rolling back would not be safe."""
    world = stage.world
    definition = world.call(
        "ecs", "DescribeTaskDefinition", {"taskDefinition": stage.scenery.task_definition}
    )
    definition["taskDefinition"]["containerDefinitions"][0]["image"] = world.images.push("checkout", "1")
    assert "blue-image-missing" not in found(stage, stage.spec(stage.revision()))
    world.images.repositories["checkout"].clear()
    told = found(stage, stage.spec(stage.revision()))["blue-image-missing"]
    assert told.severity is Severity.WARNING
    assert "rolling back is not safe" in told.why


def test_case_72_a_wanted_image_that_is_gone_refuses_the_start_before_the_first_write(
    stage: Rehearsal,
) -> None:
    """No task of green could start: nothing is made for it."""
    wanted = stage.revision()
    definition = stage.world.call("ecs", "DescribeTaskDefinition", {"taskDefinition": wanted})
    image = stage.world.images.push("checkout", "1")
    definition["taskDefinition"]["containerDefinitions"][0]["image"] = image.replace(":1", ":2")
    before = len(stage.world.log)
    with pytest.raises(Unfit, match="not in its repository"):
        stage.start(stage.spec(wanted))
    calls = {record.operation for record in stage.world.log[before:]}
    assert all(name.startswith(("Describe", "List", "Get", "Simulate")) for name in calls)


def test_case_75_room_that_another_rollout_was_promised_is_not_given_away_twice(stage: Rehearsal) -> None:
    """Two rollouts that start in one minute see the same free addresses: the second is told of the first."""
    rollout = stage.start(stage.spec(stage.revision()))
    stage.until(rollout, Phase.PREPARING, Phase.PROVISIONING)
    row = stage.row(rollout)
    basket = replace(row, spec=replace(row.spec, service=ServiceName(cluster="prod", service="basket")))
    stage.world.addresses.sizes |= {"subnet-0aaa": 10, "subnet-0bbb": 10}
    spec = stage.spec(stage.revision())
    assert "addresses-short" not in found(stage, spec)
    assert "3 of them promised to" in found(stage, spec, basket)["addresses-short"].what
