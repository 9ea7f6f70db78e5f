"""Rules, groups and targets behave as Elastic Load Balancing says."""

import pytest

from sandbox.ports import FixedView, ForwardView
from sandbox.world import AwsRefusal
from tests.sandbox.world.places import Shop, calm, seconds, shop


def in_force(s: Shop, rule: int = 0) -> dict[str, int]:
    rules = {view.arn: view for view in s.world.traffic.listeners()[0].rules}
    action = rules[s.scenery.rules[rule]].action
    assert isinstance(action, ForwardView)
    return dict(action.weights)


def test_a_single_forward_reads_back_in_both_forms() -> None:
    s = shop()
    blue = s.scenery.target_group
    config = {
        "TargetGroups": [{"TargetGroupArn": blue, "Weight": 1}],
        "TargetGroupStickinessConfig": {"Enabled": False},
    }
    assert s.actions() == [{"Type": "forward", "TargetGroupArn": blue, "ForwardConfig": config}]


def test_two_groups_read_back_without_a_top_level_group_and_can_be_written_as_read() -> None:
    s = shop()
    s.split(blue=999, green=1)
    read = s.actions()
    assert "TargetGroupArn" not in read[0]
    s.world.call("elbv2", "ModifyRule", {"RuleArn": s.scenery.rules[0], "Actions": read})
    assert s.actions() == read


def test_a_written_weight_reads_back_at_once_and_steers_requests_later() -> None:
    s = shop(calm(propagation=seconds(0.5), propagation_jitter=seconds(0.25)))
    blue = s.scenery.target_group
    s.world.advance(seconds(1))
    s.split(blue=9, green=1)
    green = s.group("green")
    assert s.actions()[0]["ForwardConfig"]["TargetGroups"][1] == {"TargetGroupArn": green, "Weight": 1}
    assert in_force(s) == {blue: 1}
    version = s.world.traffic.route_version
    s.world.advance(seconds(0.75))
    assert in_force(s) == {blue: 9, green: 1}
    assert s.world.traffic.route_version > version


def test_the_later_of_two_writes_wins_however_they_propagate() -> None:
    s = shop(calm(propagation=seconds(0.5), propagation_jitter=seconds(0.5)))
    for weight in range(20):
        s.split(blue=10, green=weight)
    s.world.advance(seconds(2))
    assert in_force(s)[s.group("green")] == 19


def test_a_group_is_associated_while_a_rule_refers_to_it() -> None:
    s = shop()
    green = s.group("green")

    def balancers() -> list[str]:
        shown = s.world.call("elbv2", "DescribeTargetGroups", {"TargetGroupArns": [green]})["TargetGroups"][0]
        return list(shown["LoadBalancerArns"])

    assert balancers() == []
    s.split(blue=1, green=0)
    assert balancers() == [s.scenery.load_balancer]
    s.split(blue=1)
    assert balancers() == []


def test_targets_of_a_group_in_no_rule_are_unused_and_start_anew_in_one() -> None:
    s = shop()
    s.split(green=1)
    assert s.states() == ["unused"] * 3
    s.split(green=1, blue=1)
    assert s.states() == ["initial"] * 3
    s.world.advance(seconds(6))
    assert s.states() == ["healthy"] * 3


def test_targets_stay_in_use_until_their_removal_has_propagated() -> None:
    s = shop(calm(propagation=seconds(1)))
    s.world.advance(seconds(2))
    s.split(green=1)
    assert s.states() == ["healthy"] * 3
    s.world.advance(seconds(1))
    assert s.states() == ["unused"] * 3


def test_targets_stay_in_use_until_every_rule_has_stopped_to_send_there() -> None:
    s = shop(calm(propagation=seconds(1)), rules=2)
    s.world.advance(seconds(2))
    s.split(green=1)
    s.world.advance(seconds(0.5))
    s.split(1, green=1)
    s.world.advance(seconds(0.5))
    assert in_force(s) == {s.group("green"): 1}
    assert in_force(s, 1) == {s.scenery.target_group: 1}
    assert s.states() == ["healthy"] * 3
    s.world.advance(seconds(0.5))
    assert s.states() == ["unused"] * 3


def test_targets_of_a_group_that_a_default_action_still_sends_to_stay_in_use() -> None:
    s = shop(calm(propagation=seconds(1)), default_rule=True)
    s.world.advance(seconds(2))
    s.split(green=1)
    s.world.advance(seconds(0.5))
    gone = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "410"}}
    listener = {"ListenerArn": s.scenery.listeners[0], "DefaultActions": [gone]}
    s.world.call("elbv2", "ModifyListener", listener)
    s.world.advance(seconds(0.5))
    assert s.states() == ["healthy"] * 3
    s.world.advance(seconds(0.5))
    assert s.states() == ["unused"] * 3


def test_targets_of_a_group_that_comes_back_before_its_removal_has_propagated_are_not_checked_anew() -> None:
    s = shop(calm(propagation=seconds(1)))
    s.world.advance(seconds(2))
    s.split(green=1)
    s.world.advance(seconds(0.5))
    s.split(green=1, blue=1)
    assert s.states() == ["healthy"] * 3
    s.world.advance(seconds(2))
    assert s.states() == ["healthy"] * 3


def test_one_passed_check_makes_a_new_target_healthy_and_a_recovered_one_needs_the_threshold() -> None:
    s = shop()
    target = s.world.traffic.group(s.scenery.target_group).targets[0]

    def check(passed: bool) -> str:
        reason = "" if passed else "Target.Timeout"
        s.world.traffic.check_result(
            s.scenery.target_group, target.host, target.port, passed=passed, reason=reason
        )
        return s.world.traffic.group(s.scenery.target_group).targets[0].state

    s.update(healthCheckGracePeriodSeconds=3600)
    assert [check(False), check(False)] == ["healthy", "unhealthy"]
    assert [check(True), check(True)] == ["unhealthy", "healthy"]


def test_making_a_group_again_with_the_same_settings_answers_the_group_there_is() -> None:
    s = shop()
    assert s.group("green") == s.group("green")


def test_of_a_health_check_that_is_modified_what_is_not_given_stays() -> None:
    s = shop()
    arn = s.scenery.target_group
    before = s.world.call("elbv2", "DescribeTargetGroups", {"TargetGroupArns": [arn]})["TargetGroups"][0]
    changed = {"TargetGroupArn": arn, "HealthCheckPath": "/other", "HealthCheckIntervalSeconds": 20}
    after = s.world.call("elbv2", "ModifyTargetGroup", changed)["TargetGroups"][0]
    assert after == {**before, **changed}


def test_deleting_a_group_twice_is_no_error() -> None:
    s = shop()
    green = s.group("green")
    for _ in range(2):
        assert s.world.call("elbv2", "DeleteTargetGroup", {"TargetGroupArn": green}) == {}


def test_tags_are_added_replaced_and_removed_by_key() -> None:
    s = shop()
    arn = s.scenery.target_group
    tags = [{"Key": "teal:rollout", "Value": "1"}, {"Key": "a", "Value": "b"}]
    s.world.call("elbv2", "AddTags", {"ResourceArns": [arn], "Tags": tags})
    s.world.call("elbv2", "AddTags", {"ResourceArns": [arn], "Tags": [{"Key": "a", "Value": "c"}]})
    s.world.call("elbv2", "RemoveTags", {"ResourceArns": [arn], "TagKeys": ["teal:rollout", "none"]})
    shown = s.world.call("elbv2", "DescribeTags", {"ResourceArns": [arn]})["TagDescriptions"]
    assert shown == [{"ResourceArn": arn, "Tags": [{"Key": "a", "Value": "c"}]}]


def test_the_default_rule_is_written_through_its_listener() -> None:
    s = shop(default_rule=True)
    assert len(s.scenery.rules) == 2
    action = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "410"}}
    s.world.call(
        "elbv2", "ModifyListener", {"ListenerArn": s.scenery.listeners[0], "DefaultActions": [action]}
    )
    rules = s.world.call("elbv2", "DescribeRules", {"ListenerArn": s.scenery.listeners[0]})["Rules"]
    assert (rules[-1]["IsDefault"], rules[-1]["Actions"]) == (True, [action])
    assert isinstance(s.world.traffic.listeners()[0].rules[-1].action, FixedView)


def test_rules_come_in_pages() -> None:
    s = shop(rules=3)
    asked = {"ListenerArn": s.scenery.listeners[0], "PageSize": 3}
    first = s.world.call("elbv2", "DescribeRules", asked)
    second = s.world.call("elbv2", "DescribeRules", asked | {"Marker": first["NextMarker"]})
    assert [r["Priority"] for r in first["Rules"] + second["Rules"]] == ["998", "999", "1000", "default"]
    assert "NextMarker" not in second


def test_a_read_may_be_stale_after_a_write_but_never_goes_back() -> None:
    s = shop(calm(staleness=seconds(0.3), staleness_share=0.5))
    s.world.advance(seconds(1))
    attribute = "deregistration_delay.timeout_seconds"

    def delay() -> str:
        asked = {"TargetGroupArn": s.scenery.target_group}
        shown = s.world.call("elbv2", "DescribeTargetGroupAttributes", asked)["Attributes"]
        value: str = next(a["Value"] for a in shown if a["Key"] == attribute)
        return value

    runs = []
    for value in range(10, 30):
        change = {
            "TargetGroupArn": s.scenery.target_group,
            "Attributes": [{"Key": attribute, "Value": str(value)}],
        }
        s.world.call("elbv2", "ModifyTargetGroupAttributes", change)
        runs.append([delay() for _ in range(8)])
        s.world.advance(seconds(1))
    seen = [int(value) for run in runs for value in run]
    assert seen == sorted(seen)
    assert any(run[0] != run[-1] for run in runs)


def test_a_write_that_is_refused_in_part_changes_nothing() -> None:
    s = shop()
    rule = s.scenery.rules[0]
    before = s.world.call("elbv2", "DescribeRules", {"RuleArns": [rule]})["Rules"]
    conditions = [{"Field": "path-pattern", "Values": ["/other"]}]
    with pytest.raises(AwsRefusal):
        s.world.call("elbv2", "ModifyRule", {"RuleArn": rule, "Conditions": conditions, "Actions": []})
    assert s.world.call("elbv2", "DescribeRules", {"RuleArns": [rule]})["Rules"] == before


def test_conditions_read_back_in_both_forms_and_propagate_with_the_actions() -> None:
    s = shop()
    given = [{"Field": "host-header", "HostHeaderConfig": {"Values": ["a.example", "b.example"]}}]
    params = {"RuleArn": s.scenery.rules[0], "Conditions": given}
    shown = s.world.call("elbv2", "ModifyRule", params)["Rules"][0]["Conditions"]
    assert shown == [given[0] | {"Values": ["a.example", "b.example"]}]
    in_force_now = s.world.traffic.listeners()[0].rules[0].conditions[0]
    assert (in_force_now.field, in_force_now.values) == ("host-header", ("a.example", "b.example"))


def test_source_addresses_of_both_families_are_read_back_as_they_were_written() -> None:
    s = shop()
    addresses = ["10.0.0.0/8", "203.0.113.9/32", "2001:db8::/32"]
    condition = {"Field": "source-ip", "SourceIpConfig": {"Values": addresses}}
    params = {"RuleArn": s.scenery.rules[0], "Conditions": [condition]}
    assert s.world.call("elbv2", "ModifyRule", params)["Rules"][0]["Conditions"] == [condition]
