"""Right rollout files: what they mean, written back, and the schema that editors read."""

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from orchestrator.config import (
    differences,
    dump,
    duration_text,
    from_json,
    load_file,
    load_text,
    minimal,
    schema,
)
from orchestrator.config.text.quantities import parse_duration, parse_weight
from orchestrator.core.domain.errors import Invalid
from orchestrator.core.domain.ids import Tenths
from orchestrator.core.domain.plan import NAMED_PLANS, Plan, Step
from orchestrator.core.gates.alarms import AlarmSpec, AlarmsSpec
from orchestrator.core.gates.gate import NoData
from orchestrator.core.gates.guard import GuardSpec
from orchestrator.core.gates.health import HealthSpec
from orchestrator.core.gates.registry import GatesSpec
from orchestrator.core.rollout.spec import ApprovalSpec, Background, Capacity, Discovery, MetricsSpec, Spec
from tests.builders import LISTENER, RULE, good_spec

LEAST = """\
service: prod/checkout            # cluster/service: the service of record
revision: {task_definition: checkout:43}
"""

ALL = f"""\
service: prod/checkout
revision: {{task_definition: checkout:43}}
region: eu-west-1
traffic:
  rules: ["{RULE}", {{listener: "{LISTENER}"}}]
plan:
  - {{weight: 1,  bake: 5m}}
  - {{weight: 10, bake: 10m}}
  - {{weight: 50, bake: 10m, approval: true}}
  - {{weight: 100, bake: 30m}}      # the watch
gates:
  alarms: [checkout-5xx, {{name: checkout-p99, no_data: pass}}]
  guard: {{errors: 5%}}
metrics: {{period: 60s, lag: 2 periods}}
approval:
  {{approvers: [lead, operator], required: 1, not_author: true, timeout: 2h, on_timeout: rollback, when: [before_full]}}
capacity: {{green: full}}
background: none
sticky: wait
ending: settle
limits: {{provision: 15m, hold: 2h, then: rollback, settle: 1h}}
on_failure: rollback
on_drift: hold
"""


def _step(weight: int, minutes: int, *, approval: bool = False) -> Step:
    return Step(weight=Tenths(weight), bake=timedelta(minutes=minutes), approval=approval)


def with_keys(**keys: Any) -> Spec:  # noqa: ANN401 - what a file may hold
    return minimal("prod/checkout", "checkout:43", **keys)


AUTO = NAMED_PLANS["auto"]


def test_the_least_file_means_the_cores_own_defaults() -> None:
    assert load_text(LEAST) == good_spec(plan=AUTO)


def test_a_file_with_every_key_means_what_it_says() -> None:
    assert load_text(ALL) == good_spec(
        region="eu-west-1",
        rules=(RULE, LISTENER),
        plan=Plan(
            name="custom",
            steps=(_step(10, 5), _step(100, 10), _step(500, 10, approval=True), _step(1000, 30)),
        ),
        gates=GatesSpec(
            alarms=AlarmsSpec(
                alarms=(AlarmSpec(name="checkout-5xx"), AlarmSpec(name="checkout-p99", no_data=NoData.PASS))
            )
        ),
        approval=ApprovalSpec(approvers=("lead", "operator"), not_author=True),
    )


def test_a_file_may_name_images_and_say_what_tasks_do_besides() -> None:
    text = """\
service: prod/checkout
revision: {images: {worker: "w:2", app: "registry.example.com/app@sha256:ab"}, colour_variable: TEAL_COLOUR}
capacity: {green: stepped}
background: suspend
discovery: keep
first_deployment: {tasks: 2}
"""
    assert load_text(text) == good_spec(
        plan=AUTO,
        task_definition="",
        images=(("app", "registry.example.com/app@sha256:ab"), ("worker", "w:2")),
        colour_variable="TEAL_COLOUR",
        capacity=Capacity.STEPPED,
        background=Background.SUSPEND,
        discovery=Discovery.KEEP,
        first_tasks=2,
    )


def test_a_file_on_disk_is_read_with_or_without_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "rollout.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + LEAST.encode())
    assert load_file(path) == good_spec(plan=AUTO)
    assert load_file(str(path)) == good_spec(plan=AUTO)


def test_a_json_body_means_the_same_as_the_file() -> None:
    body = {"service": "prod/checkout", "revision": {"task_definition": "checkout:43"}, "plan": "linear"}
    assert from_json(body) == load_text(LEAST + "plan: linear")


@pytest.mark.parametrize("name", NAMED_PLANS)
def test_a_plan_is_taken_by_its_name(name: str) -> None:
    assert with_keys(plan=name).plan == NAMED_PLANS[name]


@pytest.mark.parametrize(("period", "watch"), [("60s", 900), ("5m", 900), ("10s", 150), ("1s", 15)])
def test_plan_instant_watches_fifteen_minutes_and_as_many_periods_where_these_are_shorter(
    period: str, watch: int
) -> None:
    spec = with_keys(plan="instant", metrics={"period": period})
    assert [step.bake for step in spec.plan.steps] == [timedelta(seconds=watch)]
    assert (spec.plan.name, load_text(dump(spec)).plan) == ("instant", spec.plan)


def test_a_watch_that_the_file_writes_is_kept_whatever_the_period() -> None:
    spec = with_keys(plan=[{"weight": 100, "bake": "15m"}], metrics={"period": "1s"})
    assert (spec.plan.name, spec.plan.steps[0].bake) == ("custom", timedelta(minutes=15))
    assert load_text(dump(spec)).plan == spec.plan


def test_steps_that_say_what_a_named_plan_says_are_that_plan() -> None:
    steps = [{"weight": 10, "bake": "5m"}, {"weight": "100%", "bake": "30m"}]
    assert with_keys(plan=steps) == with_keys(plan="canary")


@pytest.mark.parametrize(
    ("when", "waiting"),
    [
        ([], [3]),
        (["before_full"], [3, 9]),
        (["every_step"], list(range(1, 10))),
        (["before_full", "every_step"], list(range(1, 10))),
    ],
)
def test_steps_wait_for_people_by_themselves_or_by_rule(when: list[str], waiting: list[int]) -> None:
    steps = [{"weight": 10 * n, "bake": "1m", "approval": n == 3} for n in range(1, 11)]
    plan = with_keys(plan=steps, approval={"when": when}).plan
    assert [n for n, step in enumerate(plan.steps, start=1) if step.approval] == waiting


def test_the_lag_follows_the_period_unless_it_is_written() -> None:
    seconds = timedelta(seconds=1)
    assert with_keys(metrics={"period": "5s"}).metrics == MetricsSpec(period=5 * seconds, lag=10 * seconds)
    assert with_keys(metrics={"period": "5s", "lag": "3 periods"}).metrics.lag == 15 * seconds
    assert with_keys(metrics={"lag": "1 period"}).metrics.lag == 60 * seconds
    assert with_keys(metrics={"lag": "90s"}).metrics.lag == 90 * seconds


@pytest.mark.parametrize("period", ["1s", "5s", "10s", "20s", "30s", "60s", "2m", "1h"])
def test_periods_that_cloudwatch_knows_are_taken(period: str) -> None:
    assert duration_text(with_keys(metrics={"period": period}).metrics.period) == period.replace("60s", "1m")


@pytest.mark.parametrize(
    ("guard", "expected"),
    [
        ("off", GuardSpec(on=False)),
        (False, GuardSpec(on=False)),
        ("on", GuardSpec()),
        ({}, GuardSpec()),
        ({"errors": "0.5%"}, GuardSpec(errors=0.005)),
    ],
)
def test_the_guard_is_switched_or_set(guard: object, expected: GuardSpec) -> None:
    assert with_keys(gates={"guard": guard}).gates.guard == expected


def test_health_is_switched() -> None:
    assert with_keys(gates={"health": "off"}).gates.health == HealthSpec(on=False)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0s", 0), ("90s", 90), ("5m", 300), ("1h30m", 5400), ("1h 30m", 5400), ("1.5s", 1.5), ("2d", 172_800)],
)
def test_durations_are_read_as_people_write_them(text: str, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("value", "tenths"),
    [(1, 10), (0.5, 5), (0.1, 1), ("10%", 100), ("10 %", 100), ("33.3", 333), (100.0, 1000)],
)
def test_weights_are_read_as_people_write_them(value: object, tenths: int) -> None:
    assert parse_weight(value) == tenths


def test_what_differs_between_two_rollouts_is_said_key_by_key() -> None:
    was = with_keys(plan="canary")
    now = with_keys(limits={"hold": "1h"}, gates={"alarms": ["a"]}, plan="instant")
    assert differences(was, was) == ()
    assert differences(was, now) == (
        "plan[1].weight: 10% is now 100%",
        "plan[1].bake: 5m is now 15m",
        "plan[2].weight: 100% is now nothing",
        "plan[2].bake: 30m is now nothing",
        "plan[2].approval: false is now nothing",
        "gates.alarms[1]: nothing is now a",
        "limits.hold: 2h is now 1h",
    )


def test_a_region_named_only_now_differs() -> None:
    assert differences(with_keys(), with_keys(region="eu-west-1")) == ("region: nothing is now eu-west-1",)


def test_the_written_file_is_one_that_people_can_read() -> None:
    assert dump(replace(good_spec(), region="eu-west-1")).startswith(
        "service: prod/checkout\nrevision:\n  task_definition: checkout:43\nregion: eu-west-1\n"
    )


def test_the_schema_describes_every_key_and_writes_defaults_as_people_do() -> None:
    published = schema()
    assert set(published["properties"]) >= {"service", "revision", "plan", "gates", "limits", "on_drift"}
    assert published["required"] == ["service", "revision"]
    limits = published["$defs"]["LimitsModel"]["properties"]
    assert limits["hold"]["default"] == "2h"
    assert published["$defs"]["MetricsModel"]["properties"]["lag"]["default"] == "2 periods"
    assert published["$defs"]["GuardModel"]["properties"]["errors"]["default"] == "5%"
    for name, model in published["$defs"].items():
        for key, value in model["properties"].items():
            assert "description" in value or "const" in value or "$ref" in value, f"{name}.{key}"


def test_the_schemas_patterns_take_what_the_reader_takes() -> None:
    definitions = schema()["$defs"]
    assert re.search(definitions["StepModel"]["properties"]["bake"]["pattern"], "1h30m")
    assert re.search(definitions["MetricsModel"]["properties"]["lag"]["pattern"], "2 periods")
    assert re.search(schema()["properties"]["service"]["pattern"], "prod/checkout")
    assert not re.search(schema()["properties"]["service"]["pattern"], "checkout")
    revision = definitions["RevisionModel"]["properties"]["task_definition"]["anyOf"][0]
    assert re.search(revision["pattern"], "checkout:43")


def test_an_account_is_part_of_the_services_name_and_its_channel_is_kept() -> None:
    spec = load_text(
        "service: prod/checkout\nrevision: {task_definition: a:1}\naccount: production\nnotify: {slack: '#deploys'}\n"
    )
    assert (spec.account, str(spec.service), spec.service.path) == (
        "production",
        "production:prod/checkout",
        "prod/checkout",
    )
    assert spec.notify.slack == "#deploys"
    assert load_text(dump(spec)) == spec
    assert minimal("production:prod/checkout", "a:1").service == spec.service


def test_another_account_is_told_as_a_difference() -> None:
    one, other = minimal("prod/checkout", "a:1"), minimal("production:prod/checkout", "a:1")
    assert differences(one, other) == ("account: nothing is now production",)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("account: a b", "is no alias of an account"),
        ("notify: {slack: deploys}", "is no Slack channel"),
        ("notify: {email: x}", "is not a known key"),
    ],
)
def test_a_wrong_account_or_channel_is_told(line: str, expected: str) -> None:
    with pytest.raises(Invalid, match=expected):
        load_text(f"service: prod/checkout\nrevision: {{task_definition: a:1}}\n{line}\n")
