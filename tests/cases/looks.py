"""What tests of edge cases look at in a rehearsal's World, past the adapters."""

from datetime import timedelta
from typing import Any

from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from tests.support.rehearsal import Rehearsal


def service_of(stage: Rehearsal, name: str = "") -> dict[str, Any]:
    """A service as ECS describes it now; the service of record unless named, empty if there is none."""
    asked = {
        "cluster": stage.scenery.cluster,
        "services": [name or stage.scenery.service],
        "include": ["TAGS"],
    }
    services: list[dict[str, Any]] = stage.world.call("ecs", "DescribeServices", asked)["services"]
    return services[0] if services else {}


def live_services(stage: Rehearsal) -> list[str]:
    """The names of the services that have not ended."""
    found = stage.world.call("ecs", "ListServices", {"cluster": stage.scenery.cluster})["serviceArns"]
    return [arn.rpartition("/")[2] for arn in found]


def groups_of(stage: Rehearsal) -> list[str]:
    """Every target group's ARN."""
    found = stage.world.call("elbv2", "DescribeTargetGroups", {})["TargetGroups"]
    return [group["TargetGroupArn"] for group in found]


def rules_of(stage: Rehearsal) -> list[dict[str, Any]]:
    """The service's rules, whole."""
    found = stage.world.call("elbv2", "DescribeRules", {"RuleArns": list(stage.scenery.rules)})
    rules: list[dict[str, Any]] = found["Rules"]
    return rules


def active_revisions(stage: Rehearsal, family: str) -> list[str]:
    """The ACTIVE revisions of a family, oldest first, as ``family:revision``."""
    found = stage.world.call("ecs", "ListTaskDefinitions", {"familyPrefix": family})["taskDefinitionArns"]
    return [arn.rpartition("/")[2] for arn in found]


def definition_of(stage: Rehearsal, name: str) -> dict[str, Any]:
    """A task definition as ECS describes it, with its tags."""
    answer = stage.world.call("ecs", "DescribeTaskDefinition", {"taskDefinition": name, "include": ["TAGS"]})
    return {**answer["taskDefinition"], "tags": {tag["key"]: tag["value"] for tag in answer.get("tags", ())}}


def tasks_of(stage: Rehearsal, service: str = "") -> list[str]:
    """The running ECS tasks of a service; of the service of record unless named."""
    asked = {"cluster": stage.scenery.cluster, "serviceName": service or stage.scenery.service}
    found: list[str] = stage.world.call("ecs", "ListTasks", asked)["taskArns"]
    return found


def green_of(stage: Rehearsal, rollout: RolloutId) -> str:
    """The name of a rollout's green."""
    green = stage.row(rollout).green
    assert green is not None
    return green.name


def reason_of(stage: Rehearsal, rollout: RolloutId) -> str:
    """Why a rollout was taken back, or how it ended; empty before."""
    end = stage.row(rollout).end
    return end.reason if end else ""


def shifting(stage: Rehearsal, **spec: Any) -> RolloutId:  # noqa: ANN401 - the fields of Spec
    """A rollout that has begun to shift, two seconds ago."""
    rollout = stage.start(stage.spec(stage.revision(), **spec))
    stage.until(rollout, Phase.SHIFTING)
    stage.let_run(timedelta(seconds=2))
    return rollout


def paged(stage: Rehearsal, rollout: RolloutId) -> list[str]:
    """What people were called for."""
    return [seen.event.message for seen in stage.events(rollout, EventKind.PAGED)]
