"""Properties of the rollout file: what is written can be read, and nothing that is read breaks the reader."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from orchestrator.config import differences, dump, duration_text, from_json, load_text, schema
from orchestrator.config.rollout_file.dump import document_of
from orchestrator.config.text.quantities import (
    parse_duration,
    parse_share,
    parse_weight,
    share_text,
    weight_text,
)
from orchestrator.core.domain.errors import Invalid
from orchestrator.core.domain.ids import Tenths
from orchestrator.core.domain.plan import NAMED_PLANS, Plan, Step, named_plan
from orchestrator.core.gates.alarms import AlarmSpec, AlarmsSpec
from orchestrator.core.gates.gate import NoData
from orchestrator.core.gates.guard import GuardSpec
from orchestrator.core.gates.health import HealthSpec
from orchestrator.core.gates.registry import GatesSpec
from orchestrator.core.rollout.spec import (
    ApprovalSpec,
    Background,
    Capacity,
    Discovery,
    Limits,
    LimitThen,
    MetricsSpec,
    OnDrift,
    OnFailure,
    ServiceName,
    Spec,
)
from tests.builders import LISTENER, RULE

LEAST = "service: prod/checkout\nrevision: {task_definition: checkout:43}\n"

durations = st.timedeltas(timedelta(0), timedelta(days=30))
some_time = st.timedeltas(timedelta(microseconds=1), timedelta(days=30))
names = st.text("abcXYZ019_-", min_size=1, max_size=20)
# Surrogates and control characters are no text that a YAML file can hold.
texts = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn", "Co"]), min_size=1).filter(str.strip)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    weights = draw(st.lists(st.integers(1, 999), unique=True, max_size=6).map(sorted))
    steps = tuple(
        Step(weight=Tenths(weight), bake=draw(durations), approval=draw(st.booleans()))
        for weight in (*weights, 1000)
    )
    return Plan(name="custom", steps=steps)


def of_its_period(spec: Spec) -> Spec:
    """With the plan that a file says by name as it is for the file's metric period."""
    named = [named_plan(name, spec.metrics.period) for name in NAMED_PLANS]
    plan = next(
        (one for one in named if one.name == spec.plan.name or one.steps == spec.plan.steps), spec.plan
    )
    return replace(spec, plan=plan)


@st.composite
def approvals(draw: st.DrawFn) -> ApprovalSpec:
    people = tuple(
        draw(st.lists(texts.filter(lambda t: not t.startswith("group:")), unique=True, max_size=3))
    )
    return ApprovalSpec(
        approvers=people,
        required=draw(st.integers(1, len(people) or 100)),
        not_author=draw(st.booleans()),
        timeout=draw(some_time),
        on_timeout=draw(st.sampled_from(LimitThen)),
    )


specs = st.builds(
    Spec,
    service=st.builds(ServiceName, cluster=names, service=names),
    task_definition=st.builds("{}:{}".format, names, st.integers(1, 999)),
    colour_variable=st.sampled_from(["", "TEAL_COLOUR"]),
    background=st.sampled_from([Background.NONE, Background.SAFE]),
    capacity=st.sampled_from(Capacity),
    discovery=st.sampled_from(Discovery),
    first_tasks=st.integers(0, 50),
    plan=plans() | st.sampled_from(list(NAMED_PLANS.values())),
    rules=st.lists(st.sampled_from([RULE, LISTENER]), unique=True).map(tuple),
    region=st.sampled_from(["", "eu-west-1"]),
    gates=st.builds(
        GatesSpec,
        health=st.builds(HealthSpec, on=st.booleans()),
        guard=st.just(GuardSpec(on=False))
        | st.builds(GuardSpec, errors=st.integers(1, 9_999).map(lambda n: n / 10_000)),
        alarms=st.builds(
            AlarmsSpec,
            alarms=st.lists(
                st.builds(AlarmSpec, name=texts, no_data=st.none() | st.sampled_from(NoData)), max_size=3
            ).map(tuple),
        ),
    ),
    metrics=st.builds(
        MetricsSpec,
        period=st.sampled_from([timedelta(seconds=s) for s in (1, 5, 10, 20, 30, 60, 300)]),
        lag=st.timedeltas(timedelta(0), timedelta(hours=1)),
    ),
    approval=approvals(),
    limits=st.builds(
        Limits, provision=some_time, hold=some_time, then=st.sampled_from(LimitThen), settle=some_time
    ),
    on_failure=st.sampled_from(OnFailure),
    on_drift=st.sampled_from(OnDrift),
    labels=st.dictionaries(
        st.text("abcXYZ", min_size=1, max_size=8), texts.filter(str.isprintable), max_size=3
    ).map(lambda labels: tuple(sorted(labels.items()))),
).map(of_its_period)


@pytest.mark.long
@given(specs)
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_spec_written_and_read_again_is_the_same(spec: Spec) -> None:
    text = dump(spec)
    assert load_text(text) == spec
    assert dump(load_text(text)) == text
    assert from_json(json.loads(json.dumps(document_of(spec)))) == spec
    assert differences(spec, load_text(text)) == ()


@given(specs, st.dictionaries(names, names, min_size=1, max_size=3))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_images_written_and_read_again_are_the_same(spec: Spec, images: dict[str, str]) -> None:
    with_images = replace(spec, task_definition="", images=tuple(sorted(images.items())))
    assert load_text(dump(with_images)) == with_images
    assert differences(spec, with_images)


@given(specs, specs)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_specs_are_written_alike_only_if_they_are_equal(one: Spec, other: Spec) -> None:
    assert (dump(one) == dump(other)) == (one == other)
    assert bool(differences(one, other)) == (one != other)


@given(durations)
def test_a_duration_written_and_read_again_is_the_same(duration: timedelta) -> None:
    assert parse_duration(duration_text(duration)) == duration


@given(st.integers(1, 1000))
def test_a_weight_written_and_read_again_is_the_same(tenths: int) -> None:
    assert parse_weight(weight_text(Tenths(tenths))) == tenths


@given(st.floats(0.000001, 0.999))
def test_a_share_written_and_read_again_is_the_same(share: float) -> None:
    share = round(share, 6)
    assert parse_share(share_text(share)) == share


def mistakes_of(read: Callable[[], Spec]) -> int:
    """How many mistakes a reading tells; none if it succeeds. Anything but Invalid passes through."""
    try:
        read()
    except Invalid as invalid:
        return len(invalid.mistakes) or -1
    return 0


YAML_WORDS = [
    r"service",
    r"plan",
    r"gates",
    r"alarms",
    r":",
    r"-",
    r"{",
    r"}",
    r"[",
    r"]",
    r",",
    r"'",
    r'"',
    r"&a",
    r"*a",
    r"!!int",
    r">",
    r"|",
    r"?",
    r"#",
    r"%YAML",
    r"1.2",
    r"---",
    r"...",
    r"5m",
    r"10%",
    r"<<",
    r"~",
    r"\x",
]
yaml_like = st.lists(st.sampled_from([*YAML_WORDS, ": ", "- ", "\n", "  ", "\t"]), max_size=25).map("".join)


@given(st.text() | yaml_like)
@settings(max_examples=300, deadline=None)
@example('"\\UFFFFFFFF"')
@example("\ud800")
@example("plan: " + "9" * 5000)
@example("%TAG ! tag:x,2000:\n--- !y z")
def test_any_text_is_either_a_rollout_or_invalid(text: str) -> None:
    assert mistakes_of(lambda: load_text(text)) >= 0
    assert mistakes_of(lambda: load_text(LEAST + text)) >= 0


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
keys = st.sampled_from(["weight", "bake", "errors", "name", "listener", "rules", "when", "swap"]) | st.text(
    max_size=3
)
json_values = st.recursive(
    scalars | st.sampled_from(["canary", "5m", "off"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)
bodies = st.dictionaries(
    st.sampled_from([*schema()["properties"], "account", "notify", "x"]), json_values, max_size=5
)


@given(bodies | json_values)
@settings(max_examples=300, deadline=None)
def test_any_json_is_either_a_rollout_or_invalid(body: object) -> None:
    assert mistakes_of(lambda: from_json(body)) >= 0
