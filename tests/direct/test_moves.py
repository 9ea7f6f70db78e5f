"""What a direct rollback decides from one look: tables, and promises that hold for any look."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core.break_glass import leftovers, messages
from orchestrator.core.break_glass.direct_rollback import (
    LOOK_GAP,
    STAYS,
    DirectState,
    former_of,
    green_names,
    next_move,
)
from orchestrator.core.break_glass.snapshot import Guest, Place, TagGreen
from orchestrator.core.cloud.deployment_configuration import rewatched, unwatched, watch_of
from orchestrator.core.cloud.effects import (
    RestoreDeploymentConfiguration,
    ScaleService,
    UpdateService,
    WriteRule,
)
from orchestrator.core.cloud.forward_action import all_on_blue, canonical, read_forward
from orchestrator.core.cloud.resources import RuleSeen, ScalingSeen, ServiceSeen, TargetsSeen, Unread
from orchestrator.core.domain import tags
from orchestrator.core.domain.errors import NotFound
from orchestrator.core.domain.ids import TargetGroupArn
from orchestrator.core.tick.draft import LATE
from tests.builders import (
    BLUE_GROUP,
    FORMER,
    NOON,
    OTHER_GROUP,
    WANTED,
    default_rule,
    forward,
    good_blue,
    good_deployment,
    good_rule,
)
from tests.core.stages import GREEN_GROUP

ROLLOUT = "checkout-0a1b2c3d"
MADE = {tags.MANAGED: "true", tags.ROLLOUT: ROLLOUT, tags.SERVICE: "prod/checkout"}
DONE = {tags.TAKEN_BACK: "operator: away"}
WATCHFUL = canonical(
    {
        "alarms": {"alarmNames": ["a"], "enable": True, "rollback": True},
        "deploymentCircuitBreaker": {"enable": True, "rollback": True},
    }
)
STATE = DirectState(by="operator: away")


def on(revision: str, **changes: Any) -> ServiceSeen:  # noqa: ANN401 - the fields of ServiceSeen
    """Blue, steady on this revision."""
    return good_blue(
        task_definition=revision, deployments=(good_deployment(task_definition=revision),), **changes
    )


def a_place(
    *,
    green: int = 100,
    former: bool = False,
    marked: bool = True,
    more: dict[str, str] | None = None,
    tasks: int = 3,
    **changes: Any,  # noqa: ANN401 - the fields of Place
) -> Place:
    """A look at a rule that gives green so much; `former`: settling has begun; `marked`: the tag is written."""
    found = {**MADE, **({tags.FORMER: FORMER} if former else {}), **(DONE if marked else {}), **(more or {})}
    service = on(WANTED, name="checkout-0a1b2c3d", arn="arn:green", desired=tasks, tags=found)
    known: dict[str, Any] = {
        "cluster": "prod",
        "blue": good_blue(),
        "targets": {BLUE_GROUP: TargetsSeen(healthy=3)},
        "rules": (good_rule(actions=forward((BLUE_GROUP, 1000 - green), (GREEN_GROUP, green))),),
        "guests": (Guest(rollout=ROLLOUT, groups={GREEN_GROUP: found}, service=service),),
    }
    return Place(**{**known, **changes})


def kinds(place: Place, state: DirectState = STATE, *, after: timedelta = timedelta(0)) -> list[str]:
    return [step.kind for step in next_move(place, state, NOON + after).steps]


@pytest.mark.parametrize(
    ("place", "steps"),
    [
        pytest.param(a_place(), ["write_rule"], id="shifting"),
        pytest.param(a_place(marked=False), ["write_rule", "tag_green"], id="traffic goes before the tag"),
        pytest.param(a_place(green=0, marked=False), ["tag_green"], id="green has nothing yet"),
        pytest.param(a_place(former=True), ["write_rule"], id="tagged, and blue was not touched"),
        pytest.param(a_place(former=True, blue=on(WANTED)), ["update_service"], id="blue took the revision"),
        pytest.param(
            a_place(former=True, green=0, blue=on(WANTED)),
            ["update_service"],
            id="traffic is back on blue, on the new revision",
        ),
        pytest.param(
            a_place(former=True, marked=False, blue=on(WANTED, deployment_configuration=WATCHFUL)),
            ["tag_green"],
            id="what is to be switched off is written down first",
        ),
        pytest.param(
            a_place(
                former=True,
                more={tags.UNWATCHED: "alarms.enable"},
                blue=on(WANTED, deployment_configuration=WATCHFUL),
            ),
            ["update_service"],
            id="then it is switched off",
        ),
        pytest.param(
            a_place(former=True, blue=good_blue(deployments=(good_deployment(rollout_state="IN_PROGRESS"),))),
            [],
            id="blue is on its way back already",
        ),
        pytest.param(a_place(blue=good_blue(desired=1, running=1)), ["scale_service"], id="scaled down"),
        pytest.param(
            a_place(targets={BLUE_GROUP: TargetsSeen(draining=1)}), [], id="nothing of blue could answer"
        ),
        pytest.param(
            a_place(targets={BLUE_GROUP: TargetsSeen(unhealthy=3)}),
            ["write_rule"],
            id="blue is unwell, and still the safe side",
        ),
        pytest.param(
            a_place(targets={BLUE_GROUP: Unread(why="throttled")}),
            ["write_rule"],
            id="blue's health is not known, and waits for nothing",
        ),
    ],
)
def test_what_is_seen_says_what_is_done(place: Place, steps: list[str]) -> None:
    assert kinds(place) == steps


def test_weights_wait_while_blue_changes_its_revision() -> None:
    move = next_move(a_place(former=True, blue=on(WANTED)), STATE, NOON)
    assert "steady on checkout:42" in move.waiting_for
    (update,) = move.steps
    assert isinstance(update, UpdateService)
    assert (update.task_definition, update.desired) == (FORMER, 3)


def test_blue_takes_traffic_in_the_second_look_after_late_calls_can_land_no_more() -> None:
    asked = replace(STATE, asked_at=NOON)
    place = a_place(former=True)
    early = next_move(place, asked, NOON + LATE / 2)
    assert (early.steps, early.state.ready_since) == ((), None)
    first = next_move(place, asked, NOON + LATE)
    assert (first.steps, first.state.ready_since) == ((), NOON + LATE)
    second = next_move(place, first.state, NOON + LATE + LOOK_GAP)
    assert [step.kind for step in second.steps] == ["write_rule"]


def test_blue_that_falls_back_is_asked_again() -> None:
    asked = replace(STATE, asked_at=NOON, ready_since=NOON)
    assert kinds(a_place(former=True, blue=on(WANTED)), asked, after=timedelta(minutes=1)) == [
        "update_service"
    ]


def test_it_ends_when_traffic_stayed_on_blue_in_two_looks() -> None:
    written = replace(STATE, has_acted=True)
    first = next_move(a_place(green=0), written, NOON)
    assert not first.is_done
    assert not next_move(a_place(green=0), first.state, NOON + STAYS / 2).is_done
    assert next_move(a_place(green=0), first.state, NOON + STAYS).is_done


def test_traffic_that_leaves_blue_again_is_taken_back_again() -> None:
    on_blue = next_move(a_place(green=0), replace(STATE, has_acted=True), NOON)
    again = next_move(a_place(green=300), on_blue.state, NOON + STAYS)
    assert ([step.kind for step in again.steps], again.state.on_blue_since) == (["write_rule"], None)


def test_nothing_is_over_while_something_could_not_be_read() -> None:
    move = next_move(a_place(green=0, unread=("its rules could not be read",)), STATE, NOON)
    assert (move.is_done, move.state.on_blue_since) == (False, None)
    assert "could not be read" in move.waiting_for


def test_what_was_switched_off_is_switched_on_at_the_end() -> None:
    place = a_place(
        green=0,
        former=True,
        more={tags.UNWATCHED: "alarms.enable breaker.rollback"},
        blue=good_blue(deployment_configuration=unwatched(WATCHFUL)),
    )
    (restore,) = next_move(place, STATE, NOON).steps
    assert isinstance(restore, RestoreDeploymentConfiguration)
    parsed = json.loads(restore.deployment_configuration)
    assert parsed["alarms"] == {"alarmNames": ["a"], "enable": True, "rollback": False}
    assert parsed["deploymentCircuitBreaker"]["rollback"] is True


def test_lifecycle_hooks_that_were_taken_off_are_given_back_at_the_end() -> None:
    hooks = [
        {"hookTargetArn": "arn:aws:lambda:eu-west-1:1:function:check", "lifecycleStages": ["PRE_SCALE_UP"]}
    ]
    hooked = canonical({"maximumPercent": 200, "lifecycleHooks": hooks})
    first = next_move(a_place(former=True, blue=on(WANTED, deployment_configuration=hooked)), STATE, NOON)
    (update,) = [step for step in first.steps if isinstance(step, UpdateService)]
    assert json.loads(str(update.deployment_configuration))["lifecycleHooks"] == []
    done = replace(first.state, on_blue_since=NOON, ready_since=NOON, asked_at=NOON)
    bare = good_blue(deployment_configuration=unwatched(hooked))
    last = next_move(a_place(green=0, former=True, blue=bare), done, NOON + timedelta(minutes=5))
    (restore,) = [step for step in last.steps if isinstance(step, RestoreDeploymentConfiguration)]
    assert json.loads(restore.deployment_configuration)["lifecycleHooks"] == hooks


def test_without_leave_to_tag_it_goes_on() -> None:
    state = replace(STATE, cannot_tag="AccessDenied")
    watched = on(WANTED, deployment_configuration=WATCHFUL)
    move = next_move(a_place(former=True, marked=False, blue=watched), state, NOON)
    assert [step.kind for step in move.steps] == ["update_service"]
    assert move.state.switched_off == ("alarms.enable", "alarms.rollback", "breaker.rollback")


def test_tags_of_a_run_before_keep_their_words() -> None:
    move = next_move(a_place(marked=False, more={tags.TAKEN_BACK: "somebody: first"}), STATE, NOON)
    assert not [step for step in move.steps if isinstance(step, TagGreen)]


def test_greens_that_contradict_each_other_are_an_error_that_says_what_to_do() -> None:
    one = a_place(former=True)
    other = Guest(rollout="x", groups={TargetGroupArn("g2"): {**MADE, tags.FORMER: WANTED}}, service=None)
    with pytest.raises(NotFound, match="checkout:42 and checkout:43"):
        former_of(replace(one, guests=(*one.guests, other)))


def test_default_rule_is_written_through_its_listener() -> None:
    place = a_place(rules=(default_rule(actions=forward((BLUE_GROUP, 1), (GREEN_GROUP, 9))),))
    (write,) = next_move(place, STATE, NOON).steps
    assert isinstance(write, WriteRule)
    assert (write.is_default, write.to_safety, write.green) == (True, True, 0)


def test_green_is_looked_for_by_the_names_a_rollout_gives_it() -> None:
    assert green_names("checkout", ROLLOUT) == ("checkout-0a1b2c3d", "checkout-0a1b2c3d-2")


# any look ---------------------------------------------------------------------------------------------------------


weights = st.integers(min_value=0, max_value=999)
blues = st.sampled_from(
    [
        good_blue(),
        on(WANTED),
        on(WANTED, deployment_configuration=WATCHFUL),
        good_blue(desired=0, running=0),
        good_blue(deployments=()),
    ]
)
errands = st.builds(
    DirectState,
    by=st.just("operator: away"),
    asked_at=st.sampled_from([None, NOON, NOON - timedelta(hours=1)]),
    was_unsteady=st.booleans(),
    is_raised=st.booleans(),
    has_acted=st.booleans(),
    ready_since=st.sampled_from([None, NOON - timedelta(hours=1)]),
    on_blue_since=st.sampled_from([None, NOON - timedelta(hours=1)]),
    cannot_tag=st.sampled_from(["", "no"]),
)


@settings(deadline=None)
@given(
    blue=blues,
    state=errands,
    former=st.booleans(),
    marked=st.booleans(),
    numbers=st.tuples(weights, weights, weights),
)
def test_no_look_gives_green_more_or_touches_what_is_not_the_two_colours(
    blue: ServiceSeen, state: DirectState, former: bool, marked: bool, numbers: tuple[int, int, int]
) -> None:
    actions = forward(
        (BLUE_GROUP, numbers[0]),
        (GREEN_GROUP, numbers[1]),
        (OTHER_GROUP, numbers[2]),
        stickiness={"Enabled": True, "DurationSeconds": 60},
    )
    place = a_place(former=former, marked=marked, blue=blue, rules=(good_rule(actions=actions),))
    move = next_move(place, state, NOON)
    for step in move.steps:
        match step:
            case WriteRule():
                was, now = read_forward(actions), read_forward(step.actions)
                assert was is not None
                assert now is not None
                assert now.weight(GREEN_GROUP) is None, "a weight of 0 frees nobody whom a cookie keeps"
                assert (now.stickiness, now.others) == (was.stickiness, was.others)
                assert not former or blue.primary is None or blue.primary.task_definition == FORMER
            case UpdateService():
                assert step.task_definition == FORMER
            case ScaleService():
                assert step.desired >= blue.desired
            case _:
                pass
    if move.is_done:
        assert not numbers[1]


@settings(deadline=None)
@given(blue=weights, green=weights, other=weights)
def test_all_to_blue_keeps_every_other_group(blue: int, green: int, other: int) -> None:
    actions = forward((OTHER_GROUP, other), (BLUE_GROUP, blue), (GREEN_GROUP, green))
    made = read_forward(all_on_blue(actions, blue=BLUE_GROUP, greens=frozenset({GREEN_GROUP})))
    assert made is not None
    assert [w.group for w in made.groups] == [OTHER_GROUP, BLUE_GROUP, GREEN_GROUP]
    got = {w.group: w.weight for w in made.groups}
    assert got[GREEN_GROUP] == 0
    if blue + green <= 999:
        assert (got[BLUE_GROUP], got[OTHER_GROUP]) == (blue + green, other)
    else:
        share, was = got[OTHER_GROUP] / sum(got.values()), other / (blue + green + other)
        assert abs(share - was) <= 0.001 or not other


@settings(deadline=None)
@given(
    parts=st.fixed_dictionaries({"e": st.booleans(), "r": st.booleans(), "b": st.booleans()}),
)
def test_switching_off_and_on_again_gives_the_same(parts: dict[str, bool]) -> None:
    configuration = canonical(
        {
            "alarms": {"alarmNames": [], "enable": parts["e"], "rollback": parts["r"]},
            "deploymentCircuitBreaker": {"enable": True, "rollback": parts["b"]},
        }
    )
    off = unwatched(configuration)
    assert watch_of(off) == ()
    assert rewatched(off, watch_of(configuration)) == configuration


# words ------------------------------------------------------------------------------------------------------------


def test_everything_is_said_before_it_is_done() -> None:
    place = a_place(former=True, blue=on(WANTED, deployment_configuration=WATCHFUL))
    first, write, tag = messages.intentions(place)
    assert "checkout:42 back in place, 3 tasks with its deployment alarms" in first
    assert "30 s at least" in first
    assert write.startswith("write rule 10 of load balancer public: green 0 %")
    assert "a server that returns" in tag
    assert "green has 10 %, blue 90 %" in messages.situation(place)[2]


def test_commands_that_remove_the_rest_take_green_out_of_the_rules_first() -> None:
    scaling = ScalingSeen(
        min_capacity=1,
        max_capacity=4,
        scale_in_suspended=True,
        scale_out_suspended=True,
        scheduled_suspended=False,
    )
    rules: tuple[RuleSeen, ...] = (*a_place(green=0).rules, default_rule(actions=a_place().rules[0].actions))
    found = leftovers.commands(a_place(green=0, rules=rules, scaling=scaling))
    assert [line.split()[2] for line in found] == [
        "modify-rule",
        "modify-listener",
        "delete-service",
        "delete-target-group",
        "register-scalable-target",
    ]
    assert GREEN_GROUP not in found[0] + found[1]
    assert '"DynamicScalingOutSuspended": true' in found[4]


def test_users_who_are_pinned_to_green_are_told_of() -> None:
    actions = forward(
        (BLUE_GROUP, 1), (GREEN_GROUP, 0), stickiness={"Enabled": True, "DurationSeconds": 3600}
    )
    (line,) = messages.pinned(a_place(rules=(good_rule(actions=actions),)))
    assert "for up to 1 h" in line


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("operator: p99 looks odd; (see #3)", "operator: p99 looks odd see 3"),
        ("x" * 300, "x" * 256),
        ("müde\n", "müde"),
    ],
)
def test_reason_becomes_what_a_tag_may_hold(text: str, value: str) -> None:
    assert tags.value_of(text) == value


@pytest.mark.parametrize(
    ("changes", "is_ours"),
    [
        ({}, True),
        ({tags.SERVICE: "arn:aws:ecs:eu-west-1:1:cluster/prod/checkout"}, True),
        ({tags.SERVICE: "prod/basket"}, False),
        ({tags.SERVICE: "stage/checkout"}, False),
        ({tags.MANAGED: "no"}, False),
    ],
)
def test_green_is_known_by_its_tags(changes: dict[str, str], is_ours: bool) -> None:
    assert tags.is_of({**MADE, **changes}, cluster="prod", service="checkout") is is_ours
