"""Services, their tasks and deployments behave as Elastic Container Service says."""

from dataclasses import replace

import pytest

from sandbox.world import AwsRefusal
from tests.sandbox.world.places import Shop, Wire, seconds, shop

BREAKER = {"enable": True, "rollback": True}


def rollouts(s: Shop) -> list[str]:
    asked = {"cluster": "prod", "service": "checkout"}
    return [r["status"] for r in s.world.call("ecs", "ListServiceDeployments", asked)["serviceDeployments"]]


def tasks(s: Shop, status: str = "RUNNING") -> list[Wire]:
    asked = {"cluster": "prod", "serviceName": "checkout", "desiredStatus": status}
    arns = s.world.call("ecs", "ListTasks", asked)["taskArns"]
    if not arns:
        return []
    return list(s.world.call("ecs", "DescribeTasks", {"cluster": "prod", "tasks": arns})["tasks"])


def test_a_furnished_service_becomes_steady_and_healthy() -> None:
    s = shop()
    service = s.service()
    assert (service["runningCount"], service["pendingCount"]) == (3, 0)
    assert [(d["status"], d["rolloutState"]) for d in service["deployments"]] == [("PRIMARY", "COMPLETED")]
    assert s.states() == ["healthy"] * 3
    assert "has reached a steady state." in service["events"][0]["message"]
    assert rollouts(s) == ["SUCCESSFUL"]


def test_tasks_are_pending_then_running_then_initial_then_healthy() -> None:
    s = shop()
    s.update(desiredCount=4)
    s.world.advance(seconds(1))
    assert (s.service()["pendingCount"], len(s.states())) == (1, 3)
    s.world.advance(seconds(5))
    assert (s.service()["runningCount"], sorted(s.states())) == (4, ["healthy"] * 3 + ["initial"])
    s.world.advance(seconds(5))
    assert s.states() == ["healthy"] * 4


def test_a_new_task_definition_rolls_without_going_below_the_minimum() -> None:
    s = shop()
    wanted = s.define(TEAL_DEMO_VERSION="2")
    s.update(taskDefinition=wanted)
    healthy, most = [], []
    while len(s.service()["deployments"]) > 1 or s.service()["deployments"][0]["rolloutState"] != "COMPLETED":
        s.world.advance(seconds(0.5))
        healthy.append(s.states().count("healthy"))
        most.append(len(tasks(s)))
    assert min(healthy) == 3
    assert max(most) == 6
    assert {t["taskDefinitionArn"] for t in tasks(s)} == {wanted}
    assert s.service()["taskDefinition"] == wanted


def test_a_roll_with_no_room_above_goes_below_as_far_as_the_minimum() -> None:
    s = shop(desired=4, deployment={"minimumHealthyPercent": 50, "maximumPercent": 100})
    s.update(taskDefinition=s.define())
    least, most = 4, 0
    for _ in range(200):
        s.world.advance(seconds(0.5))
        least, most = min(least, s.states().count("healthy")), max(most, len(tasks(s)))
    assert (least, most) == (2, 4)
    assert rollouts(s) == ["SUCCESSFUL", "SUCCESSFUL"]


def test_a_roll_without_any_room_never_moves() -> None:
    s = shop(deployment={"minimumHealthyPercent": 100, "maximumPercent": 100})
    s.update(taskDefinition=s.define())
    s.world.advance(seconds(600))
    assert [d["runningCount"] for d in s.service()["deployments"]] == [0, 3]


@pytest.mark.parametrize(
    "change",
    [
        {"desiredCount": 5},
        {"deploymentConfiguration": {"maximumPercent": 150}},
        {"enableExecuteCommand": True},
    ],
)
def test_counts_and_configuration_start_no_deployment(change: dict[str, object]) -> None:
    s = shop()
    before = s.service()["deployments"][0]["id"]
    s.update(**change)
    assert [d["id"] for d in s.service()["deployments"]] == [before]


def test_the_same_task_definition_starts_a_deployment_only_if_forced() -> None:
    s = shop()
    s.update(taskDefinition=s.scenery.task_definition)
    assert len(s.service()["deployments"]) == 1
    s.update(taskDefinition=s.scenery.task_definition, forceNewDeployment=True)
    assert [d["status"] for d in s.service()["deployments"]] == ["PRIMARY", "ACTIVE"]


def test_a_configuration_that_is_sent_in_part_keeps_the_rest() -> None:
    s = shop(deployment={"minimumHealthyPercent": 50})
    s.update(deploymentConfiguration={"maximumPercent": 150})
    shown = s.service()["deploymentConfiguration"]
    assert (shown["minimumHealthyPercent"], shown["maximumPercent"], shown["strategy"]) == (
        50,
        150,
        "ROLLING",
    )


def test_a_task_is_told_to_stop_only_after_its_target_has_drained() -> None:
    s = shop(draining=seconds(30))
    s.update(desiredCount=2)
    s.world.advance(seconds(1))
    assert sorted(s.states()) == ["draining", "healthy", "healthy"]
    assert [t["lastStatus"] for t in tasks(s, "STOPPED")] == ["DEACTIVATING"]
    s.world.advance(seconds(29))
    assert [t["lastStatus"] for t in tasks(s, "STOPPED")] == ["DEACTIVATING"]
    s.world.advance(seconds(0.6))
    assert [t["lastStatus"] for t in tasks(s, "STOPPED")] == ["STOPPING"]
    s.world.advance(seconds(1))
    assert s.states() == ["healthy"] * 2
    assert tasks(s, "STOPPED")[0]["stopCode"] == "ServiceSchedulerInitiated"


def test_a_stopped_task_is_remembered_for_an_hour() -> None:
    s = shop()
    s.update(desiredCount=2)
    s.world.advance(seconds(60))
    assert len(tasks(s, "STOPPED")) == 1
    s.world.advance(seconds(3600))
    assert tasks(s, "STOPPED") == []


def test_a_crashed_task_is_replaced_and_says_why() -> None:
    s = shop()
    s.world.virtual_tasks.crash(tasks(s)[0]["taskArn"], exit_code=137)
    assert (s.service()["runningCount"], s.states().count("healthy")) == (2, 2)
    stopped = tasks(s, "STOPPED")[0]
    assert (stopped["stopCode"], stopped["containers"][0]["exitCode"]) == ("EssentialContainerExited", 137)
    s.world.advance(seconds(20))
    assert s.states() == ["healthy"] * 3


def test_a_task_that_turns_unhealthy_is_replaced() -> None:
    s = shop()
    s.world.advance(seconds(60))
    s.world.virtual_tasks.change(tasks(s)[0]["taskArn"], never_healthy=True)
    s.world.advance(seconds(60))
    assert s.states() == ["healthy"] * 3
    assert "failed ELB health checks" in tasks(s, "STOPPED")[0]["stoppedReason"]
    assert any("is unhealthy in" in event["message"] for event in s.service()["events"])


def test_a_task_that_flaps_is_healthy_and_then_replaced_by_the_scheduler_again_and_again() -> None:
    s = shop()
    s.update(taskDefinition=s.define(TEAL_DEMO_FLAP="30"))
    s.world.advance(seconds(20))
    assert s.states().count("healthy") >= 3
    s.world.advance(seconds(300))
    killed = [
        t for t in tasks(s, "STOPPED") if t["stoppedReason"].startswith("Task failed ELB health checks in (")
    ]
    assert len(killed) >= 9
    assert {t["stopCode"] for t in killed} == {"ServiceSchedulerInitiated"}
    assert s.service()["deployments"][0]["rolloutState"] == "COMPLETED"


def test_the_breaker_puts_the_last_completed_revision_back() -> None:
    s = shop(deployment={"deploymentCircuitBreaker": BREAKER})
    s.update(taskDefinition=s.define(TEAL_DEMO_CRASH_AFTER="0"))
    s.world.advance(seconds(120))
    service = s.service()
    assert service["taskDefinition"] == s.scenery.task_definition
    assert [(d["status"], d["rolloutState"]) for d in service["deployments"]] == [("PRIMARY", "COMPLETED")]
    assert rollouts(s) == ["ROLLBACK_SUCCESSFUL", "SUCCESSFUL"]
    assert s.states() == ["healthy"] * 3


def test_the_breaker_without_rollback_fails_and_starts_no_more_tasks() -> None:
    s = shop(deployment={"deploymentCircuitBreaker": {"enable": True, "rollback": False}})
    s.update(taskDefinition=s.define(TEAL_DEMO_CRASH_AFTER="0"))
    s.world.advance(seconds(120))
    primary = s.service()["deployments"][0]
    assert (primary["rolloutState"], primary["failedTasks"]) == ("FAILED", 3)
    assert "circuit breaker" in primary["rolloutStateReason"]
    started = len(tasks(s, "STOPPED"))
    s.world.advance(seconds(600))
    assert len(tasks(s, "STOPPED")) == started
    assert s.states().count("healthy") == 3


def test_the_breaker_opens_for_tasks_that_never_pass_their_checks() -> None:
    s = shop(deployment={"deploymentCircuitBreaker": BREAKER})
    s.update(taskDefinition=s.define(TEAL_DEMO_UNHEALTHY="1"))
    s.world.advance(seconds(600))
    assert rollouts(s)[0] == "ROLLBACK_SUCCESSFUL"


@pytest.mark.parametrize(("resets", "ends"), [(True, "IN_PROGRESS"), (False, "ROLLBACK_SUCCESSFUL")])
def test_a_healthy_task_resets_the_breaker_unless_told_otherwise(resets: bool, ends: str) -> None:
    s = shop(deployment={"deploymentCircuitBreaker": BREAKER | {"resetOnHealthyTask": resets}})
    s.world.behaviour.start_spread = seconds(30)  # so that they are never healthy all together
    s.update(taskDefinition=s.define(TEAL_DEMO_CRASH_AFTER="4"))  # healthy by then
    s.world.advance(seconds(120))
    assert rollouts(s)[0] == ends


def test_a_deployment_alarm_takes_the_deployment_back() -> None:
    s = shop()
    alarms = {"alarmNames": ["checkout-5xx"], "enable": True, "rollback": True}
    s.update(deploymentConfiguration={"alarms": alarms})
    s.update(taskDefinition=s.define())
    s.world.advance(seconds(30))
    assert s.service()["deployments"][0]["rolloutState"] == "IN_PROGRESS"  # steady, but it bakes
    state = {"AlarmName": "checkout-5xx", "StateValue": "ALARM", "StateReason": "by hand"}
    s.world.call("cloudwatch", "SetAlarmState", state)
    s.world.advance(seconds(300))
    assert s.service()["taskDefinition"] == s.scenery.task_definition
    assert rollouts(s)[0] == "ROLLBACK_SUCCESSFUL"


def test_tasks_that_find_no_room_wait_and_say_so() -> None:
    s = shop()
    s.world.capacity.limit = 3
    s.update(desiredCount=5)
    s.world.advance(seconds(60))
    assert s.service()["runningCount"] == 3
    assert any("unable to place a task" in event["message"] for event in s.service()["events"])
    s.world.capacity.limit = None
    s.world.advance(seconds(60))
    assert s.service()["runningCount"] == 5


def test_tasks_that_cannot_start_say_why() -> None:
    s = shop()
    arn = s.define()
    s.world.behaviour.start_failures[arn.rsplit("/", 1)[1]] = "CannotPullContainerError: no such image"
    s.update(taskDefinition=arn)
    s.world.advance(seconds(10))
    stopped = tasks(s, "STOPPED")[0]
    assert (stopped["stopCode"], stopped["stoppedReason"][:24]) == (
        "TaskFailedToStart",
        "CannotPullContainerError",
    )


def green(s: Shop, **more: object) -> Wire:
    group = s.group("green")
    s.split(blue=1, green=0)
    return s.world.call("ecs", "CreateService", s.green_params(group, **more))["service"]


def test_creating_again_with_the_same_token_and_body_answers_the_same_service() -> None:
    s = shop()
    first = green(s, clientToken="t1")
    again = green(s, clientToken="t1")
    assert (again["serviceArn"], again["createdAt"]) == (first["serviceArn"], first["createdAt"])


def test_a_clone_has_defaults_at_creation_that_blue_may_not_have() -> None:
    s = shop()
    made = green(s)
    assert (made["healthCheckGracePeriodSeconds"], made["availabilityZoneRebalancing"]) == (0, "ENABLED")


def test_a_deleted_service_drains_keeps_its_name_and_is_then_inactive() -> None:
    s = shop(draining=seconds(10))
    s.world.call("ecs", "DeleteService", {"cluster": "prod", "service": "checkout", "force": True})
    assert s.service()["status"] == "DRAINING"
    assert s.world.call("ecs", "ListServices", {"cluster": "prod"})["serviceArns"] == []
    s.world.advance(seconds(15))
    assert s.service()["status"] == "INACTIVE"
    params = s.green_params(s.scenery.target_group, serviceName="checkout", networkConfiguration=NETWORK)
    assert s.world.call("ecs", "CreateService", params)["service"]["status"] == "ACTIVE"


NETWORK = {"awsvpcConfiguration": {"subnets": ["subnet-0aaa"]}}


def test_an_empty_service_is_gone_at_once_and_missing_later() -> None:
    s = shop()
    s.update(desiredCount=0)
    s.world.advance(seconds(10))
    assert s.states() == []
    s.world.call("ecs", "DeleteService", {"cluster": "prod", "service": "checkout"})
    assert s.service()["status"] == "INACTIVE"
    s.world.advance(seconds(3601))
    answer = s.world.call("ecs", "DescribeServices", {"cluster": "prod", "services": ["checkout"]})
    assert [f["reason"] for f in answer["failures"]] == ["MISSING"]


def test_a_new_service_may_be_missing_for_a_moment() -> None:
    s = shop()
    s.world.kernel.settings = replace(s.world.settings, staleness=seconds(0.3), staleness_share=1.0)
    group = s.group("green")
    s.split(blue=1, green=0)
    with pytest.raises(AwsRefusal, match="associated load balancer"):
        s.world.call("ecs", "CreateService", s.green_params(group))
    s.world.advance(seconds(1))
    s.world.call("ecs", "CreateService", s.green_params(group))
    asked = {"cluster": "prod", "services": ["checkout-green"]}
    assert s.world.call("ecs", "DescribeServices", asked)["failures"][0]["reason"] == "MISSING"
    s.world.advance(seconds(1))
    assert s.world.call("ecs", "DescribeServices", asked)["services"][0]["status"] == "ACTIVE"


def test_revisions_show_what_services_do_not() -> None:
    s = shop()
    monitoring = {"metricConfigurations": [{"metricNames": ["CPUUtilization"], "resolutionSeconds": 20}]}
    service = green(s, monitoring=monitoring)
    assert "monitoring" not in service
    arn = service["currentServiceRevisions"][0]["arn"]
    answer = s.world.call("ecs", "DescribeServiceRevisions", {"serviceRevisionArns": [arn, arn + "9"]})
    revision = answer["serviceRevisions"][0]
    assert revision["taskDefinition"] == s.scenery.task_definition
    assert revision["monitoring"] == monitoring
    assert revision["containerImages"][0]["containerName"] == "checkout"
    assert [f["reason"] for f in answer["failures"]] == ["MISSING"]


def test_a_deployment_tells_its_story() -> None:
    s = shop(deployment={"deploymentCircuitBreaker": BREAKER})
    s.update(taskDefinition=s.define(TEAL_DEMO_CRASH_AFTER="0"))
    s.world.advance(seconds(120))
    arn = s.service()["currentServiceDeployment"]
    asked = {"serviceDeploymentArns": [arn]}
    story = s.world.call("ecs", "DescribeServiceDeployments", asked)["serviceDeployments"][0]
    assert story["deploymentCircuitBreaker"] == {"status": "TRIGGERED", "failureCount": 3, "threshold": 3}
    assert "circuit breaker" in story["rollback"]["reason"]


def test_services_carry_tags() -> None:
    s = shop()
    arn = s.scenery.service_arn
    s.world.call("ecs", "TagResource", {"resourceArn": arn, "tags": [{"key": "teal:rollout", "value": "1"}]})
    s.world.call("ecs", "UntagResource", {"resourceArn": arn, "tagKeys": ["team"]})
    assert s.world.call("ecs", "ListTagsForResource", {"resourceArn": arn})["tags"] == s.service()["tags"]
    assert s.service()["tags"] == [{"key": "teal:rollout", "value": "1"}]


def test_deleting_a_group_under_draining_tasks_lets_them_stop() -> None:
    s = shop(draining=seconds(300))
    s.update(desiredCount=0)
    s.world.advance(seconds(5))
    s.split(green=1)
    s.world.call("elbv2", "DeleteTargetGroup", {"TargetGroupArn": s.scenery.target_group})
    s.world.advance(seconds(5))
    assert [t["lastStatus"] for t in tasks(s, "STOPPED")] == ["STOPPED"] * 3


def test_draining_tasks_do_not_count_as_running() -> None:
    s = shop(draining=seconds(30))
    s.update(desiredCount=0)
    s.world.advance(seconds(2))
    assert (s.service()["runningCount"], s.states()) == (0, ["draining"] * 3)


def test_tasks_are_spread_over_the_zones_and_their_targets_with_them() -> None:
    s = shop(desired=4)
    zones = sorted(task["availabilityZone"] for task in tasks(s))
    assert zones == ["eu-west-1a", "eu-west-1a", "eu-west-1b", "eu-west-1b"]
    asked = {"TargetGroupArn": s.scenery.target_group}
    health = s.world.call("elbv2", "DescribeTargetHealth", asked)["TargetHealthDescriptions"]
    assert sorted(each["Target"]["AvailabilityZone"] for each in health) == zones
