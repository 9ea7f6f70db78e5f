"""The rollout file that `init` writes: what it chooses, why it says so, and that it reads back as what was meant."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.config import load_text
from orchestrator.config.rollout_file.commented import write
from orchestrator.config.rollout_file.proposal import Proposal, propose
from orchestrator.core.analysis.detectable_regression import Load
from orchestrator.core.cloud.definition_differences import Difference
from orchestrator.core.cloud.resources import Absent, AlarmSeen, ScalingSeen, Unread
from orchestrator.core.preflight.environment import Surroundings
from orchestrator.core.preflight.initial_service import Beginning
from orchestrator.core.rollout.spec import ServiceName
from tests.builders import (
    BLUE_GROUP,
    NOON,
    forward,
    good_alarm,
    good_blue,
    good_definition,
    good_group,
    good_rule,
    good_survey,
)

OWN = {"groups_per_load_balancer": 1}
BUSY = Load(requests=6000, error_rate=0.001)


def beginning(
    *watchers: AlarmSeen,
    load: Load | Absent | Unread = BUSY,
    task_definition: str = "checkout:43",
    account: str = "",
    **survey: Any,  # noqa: ANN401 - the fields of Survey
) -> Beginning:
    return Beginning(
        service=ServiceName(cluster="prod", service="checkout", account=account),
        task_definition=task_definition,
        survey=good_survey(**{**OWN, **survey}),
        around=Surroundings(load=load),
        watchers=watchers,
    )


def proposed(*watchers: AlarmSeen, **more: Any) -> Proposal:  # noqa: ANN401 - as beginning
    return propose(beginning(*watchers, **more), NOON)


def text(*watchers: AlarmSeen, **more: Any) -> str:  # noqa: ANN401 - as beginning
    written = write(proposed(*watchers, **more))
    return " ".join(line.lstrip("# ") for line in written.splitlines())


def names(proposal: Proposal) -> tuple[str, ...]:
    return tuple(alarm.name for alarm in proposal.spec.gates.alarms.alarms)


def test_an_ordinary_service_gets_plan_auto_and_the_alarms_that_see_green() -> None:
    made = proposed(good_alarm())
    assert (made.spec.plan.name, names(made)) == ("auto", ("checkout-5xx",))
    assert (made.refused, made.lacks_revision) == ((), False)
    assert load_text(write(made)) == made.spec


def test_the_file_says_what_was_found_and_why_it_is_as_it_is() -> None:
    told = text(good_alarm())
    for words in (
        "The rollout of prod/checkout in account 123456789012, eu-west-1",
        "blue runs checkout:42",
        "rule 10 of load balancer public, for host-header checkout.example.com",
        "at 100 requests/s and 0.1 % errors",
        "`careful`: errors from",
        "checkout-5xx: it is on blue's names, which never see green; it is judged with green's names",
        "Scaling: between 2 and 10 tasks",
        "Blue rolls between 100 % and 200 %",
        "grace period 30 s",
    ):
        assert words in told


def test_the_file_is_as_people_would_write_it() -> None:
    written = write(proposed(good_alarm()))
    lines = [line for line in written.splitlines() if line and not line.lstrip().startswith("#")]
    assert lines == [
        "service: prod/checkout",
        "revision:",
        "  task_definition: checkout:43",
        "region: eu-west-1",
        "plan: auto",
        "gates:",
        "  alarms:",
        "    - checkout-5xx",
    ]
    assert all(len(line) <= 104 for line in written.splitlines() if " " in line.strip("# "))


@pytest.mark.parametrize(
    ("changes", "survey", "words"),
    [
        ({"state": "ALARM", "reason": "12 > 10"}, {}, "Not taken: checkout-5xx: it fires now (12 > 10)"),
        ({"state": "INSUFFICIENT_DATA"}, {}, "Not taken: checkout-5xx: it has no data now"),
        ({"is_anomaly": True}, {}, "Not taken: checkout-5xx: it does not cover green"),
        (
            {"dimensions": (("LoadBalancer", "app/public/50dc6c495c0c9188"),)},
            {"groups_per_load_balancer": 4},
            "Not taken: checkout-5xx: it is on what others share with this service",
        ),
    ],
)
def test_an_alarm_that_would_not_judge_is_left_out_with_the_reason(
    changes: dict[str, Any], survey: dict[str, Any], words: str
) -> None:
    found = good_alarm(**changes)
    assert names(proposed(found, **survey)) == ()
    assert words in text(found, **survey)


def test_an_alarm_on_a_load_balancer_of_its_own_is_taken() -> None:
    found = good_alarm(dimensions=(("LoadBalancer", "app/public/50dc6c495c0c9188"),))
    assert names(proposed(found)) == ("checkout-5xx",)
    assert "sees both colours" in text(found)


def test_no_traffic_makes_a_fixed_plan_and_advises_a_probe() -> None:
    assert proposed(load=Absent()).spec.plan.name == "canary"
    assert "have a probe judge green" in text(load=Absent())


def test_unread_traffic_keeps_auto_and_says_so() -> None:
    assert proposed(load=Unread(why="CloudWatch is away")).spec.plan.name == "auto"
    assert "CloudWatch is away" in text(load=Unread(why="CloudWatch is away"))


def test_grpc_switches_off_the_gates_that_would_be_blind_to_it() -> None:
    survey = {"groups": (good_group(protocol_version="GRPC"),)}
    spec = proposed(**survey).spec
    assert (spec.gates.guard.on, spec.gates.compare.on, spec.gates.health.on) == (False, False, True)
    assert "an HTTP 200 to the load balancer" in text(**survey)


def test_shorter_minutes_of_a_sandbox_are_taken_over() -> None:
    made = proposed(good_alarm(period=timedelta(seconds=5)))
    assert (made.spec.metrics.period, made.spec.metrics.lag) == (timedelta(seconds=5), timedelta(seconds=10))
    assert load_text(write(made)) == made.spec


def test_stickiness_of_a_rule_is_told_with_its_life() -> None:
    sticky = {"Enabled": True, "DurationSeconds": 3600}
    survey = {"rules": (good_rule(actions=forward((BLUE_GROUP, 1), stickiness=sticky)),)}
    assert "keeps users on a colour by a cookie for 1 h" in text(**survey)


def test_without_a_newer_revision_the_file_waits_for_one_and_refuses_nothing_else() -> None:
    made = proposed(task_definition="checkout:42", revision=good_definition(arn=good_blue().task_definition))
    assert (made.lacks_revision, made.refused) == (True, ())
    assert "name the revision to release" in write(made).replace("\n# ", " ")


def test_what_cannot_be_rolled_out_is_told_with_the_way_round() -> None:
    made = proposed(controller="CODE_DEPLOY")
    assert [finding.code for finding in made.refused] == ["controller-not-ecs"]
    assert "--deployment-controller type=ECS" in made.refused[0].next_step


def test_an_account_by_alias_is_written() -> None:
    made = proposed(account="production")
    assert "account: production" in write(made)
    assert load_text(write(made)) == made.spec


anything = st.text(min_size=1, max_size=60)
names_of_alarms = st.from_regex(
    r"[A-Za-z0-9][A-Za-z0-9 #:{}\[\]'\"&*!|>%@`,_.-]{0,40}[A-Za-z0-9]", fullmatch=True
)


@st.composite
def beginnings(draw: st.DrawFn) -> Beginning:
    """Services whose names and reasons hold whatever AWS lets people write."""
    alarms = tuple(
        good_alarm(
            name=name,
            reason=draw(anything),
            state=draw(st.sampled_from(["OK", "ALARM", "INSUFFICIENT_DATA"])),
            period=draw(st.sampled_from([timedelta(seconds=5), timedelta(seconds=60), timedelta(minutes=5)])),
            is_anomaly=draw(st.booleans()),
        )
        for name in sorted(draw(st.sets(names_of_alarms, max_size=4)))
    )
    load: Load | Absent | Unread = draw(
        st.one_of(
            st.builds(Load, requests=st.floats(0.01, 1e6), error_rate=st.floats(0, 1)),
            st.just(Absent()),
            st.builds(Unread, why=anything),
        )
    )
    scaling = draw(
        st.none()
        | st.just(
            ScalingSeen(
                min_capacity=1,
                max_capacity=9,
                scale_in_suspended=False,
                scale_out_suspended=False,
                scheduled_suspended=False,
            )
        )
    )
    found = beginning(
        *alarms,
        load=load,
        account=draw(st.sampled_from(["", "production"])),
        scaling=scaling,
        policies=tuple(draw(st.lists(anything, max_size=2))),
        groups=(
            good_group(protocol_version=draw(st.sampled_from(["HTTP1", "GRPC"])), container=draw(anything)),
        ),
        groups_per_load_balancer=draw(st.integers(1, 5)),
    )
    return replace(found, task_definition=draw(st.sampled_from(["checkout:43", "12e3:7", "a_b-c:7"])))


@pytest.mark.long
@settings(deadline=None)
@given(beginnings())
def test_whatever_runs_the_file_reads_back_as_the_spec_that_was_proposed(found: Beginning) -> None:
    made = propose(found, NOON)
    assert load_text(write(made)) == made.spec


def test_newest_revision_is_named_with_a_warning_and_with_what_it_changes() -> None:
    image = Difference(container="app", field="image", before="shop:1", after="shop:2")
    told = text(differences=(image,))
    assert "CHECK THIS: blue runs checkout:42. checkout:43 stands here for one reason" in told
    assert "nobody has said that it is good" in told
    assert "app image: shop:1 → shop:2" in told
    assert "could not be read: look with `teal diff -f FILE`" in text(differences=None)
    named = propose(replace(beginning(differences=(image,)), is_named=True), NOON)
    assert "CHECK THIS" not in write(named)
    assert "app image: shop:1 → shop:2" in write(named)
