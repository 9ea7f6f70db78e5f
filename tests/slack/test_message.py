"""The message of a rollout, from made-up rows: what it says, and that Slack takes it whatever is in them."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docs.pages.slack_scenes import SCENES, row_of
from orchestrator.core.domain.commands import Actor, CommandKind
from orchestrator.core.domain.ids import RolloutId, Tenths
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.plan import NAMED_PLANS, Plan, Step
from orchestrator.core.domain.verdict import Judged, hold
from orchestrator.core.gates.scene import Counts, Interval
from orchestrator.core.rollout.changes import changed
from orchestrator.core.rollout.progress import Approval, Bake
from orchestrator.core.rollout.rollout import Hold, HoldKind, Rollout
from orchestrator.core.rollout.spec import ApprovalSpec
from orchestrator.engine.views.rollout import view
from orchestrator.notify.slack.buttons import actions, bound_to, dialog, offered, read_bound
from orchestrator.notify.slack.message import Act, Message, render
from orchestrator.notify.slack.text import bar, clipped, escaped, joined
from orchestrator.ports.rollouts import Stored
from tests.builders import NOON, good_spec
from tests.slack.shapes import mistakes, view_mistakes

NASTY = st.text(min_size=1, max_size=4000)


def shown(row: Rollout, acts: tuple[Act, ...] = ()) -> Message:
    return render(Stored(rollout=row, version=1, wake_at=None), acts)


def words(row: Rollout, acts: tuple[Act, ...] = ()) -> str:
    return str(shown(row, acts).blocks)


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.title)
def test_slack_takes_the_message_of_every_scene(scene: Any) -> None:  # noqa: ANN401 - a scene of the docs
    assert mistakes(list(shown(scene.row, scene.acts).blocks)) == []


@given(reason=NASTY, person=NASTY, clears=NASTY, name=NASTY)
def test_slack_takes_any_text(reason: str, person: str, clears: str, name: str) -> None:
    who = Actor(name=person)
    row = row_of(
        paused_by=who,
        pause_reason=reason,
        author=who,
        waiting_for=clears,
        spec=good_spec(labels=(("commit", name), ("build", reason))),
        answers=tuple(
            Judged(answer=hold(f"{name[:50]}{i}", reason, clears_when=clears), at=NOON) for i in range(30)
        ),
        holds=tuple(
            Hold(kind=kind, reason=reason, clears_when=f"{clears}{kind}", since=NOON) for kind in HoldKind
        ),
    )
    acts = tuple(Act(at=NOON, words=f"{person}: {reason}") for _ in range(8))
    message = shown(row, acts)
    assert mistakes(list(message.blocks)) == []
    assert len(message.text) <= 3000
    kind = CommandKind.REJECT
    assert view_mistakes(dialog(kind, row, bound_to(row))) == []


def test_text_from_outside_mentions_nobody() -> None:
    evil = "<!channel> & <https://attacker.example|look> <@U1>"
    row = row_of(paused_by=Actor(name=evil), pause_reason=evil, waiting_for=evil)
    message = shown(row, (Act(at=NOON, words=evil),))
    assert "<!channel>" not in str(message.blocks) + message.text
    assert "&lt;!channel&gt; &amp; &lt;https" in str(message.blocks)


@pytest.mark.parametrize(
    ("percent", "expected"),
    [
        (0, "░░░░░░░░░░ 0 %"),
        (0.1, "█░░░░░░░░░ 0.1 %"),
        (30, "███░░░░░░░ 30 %"),
        (99.9, "█████████░ 99.9 %"),
        (100, "██████████ 100 %"),
    ],
)
def test_only_nothing_is_an_empty_bar_and_only_everything_a_full_one(percent: float, expected: str) -> None:
    assert bar(percent) == expected


@given(text=NASTY, limit=st.integers(min_value=20, max_value=200))
def test_what_is_cut_ends_in_no_half_escape(text: str, limit: int) -> None:
    cut = clipped(escaped(text), limit)
    assert len(cut) <= limit
    assert "<" not in cut
    assert all(rest.startswith(("amp;", "lt;", "gt;")) for rest in cut.split("&")[1:])


def test_a_tag_is_cut_whole() -> None:
    assert clipped("since <!date^1772452800^{time}|12:00 UTC> it holds", 30) == "since …"


def test_lines_that_do_not_fit_are_counted() -> None:
    told = joined([f"line {number} {'x' * 40}" for number in range(100)])
    assert len(told) <= 3000
    assert told.splitlines()[-1].startswith("… and ")


@pytest.mark.parametrize("phase", [phase for phase in Phase if phase.is_final])
def test_a_final_state_has_no_buttons(phase: Phase) -> None:
    assert actions(row_of(phase=phase)) is None


def test_an_approval_that_waits_has_its_buttons_first() -> None:
    waits = Hold(kind=HoldKind.APPROVAL, reason="it waits", clears_when="it is approved", since=NOON)
    kinds = offered(row_of(holds=(waits,)))
    assert kinds == (CommandKind.APPROVE, CommandKind.REJECT, CommandKind.PAUSE, CommandKind.ROLLBACK)


def test_a_paused_rollout_offers_resume_instead_of_pause() -> None:
    assert offered(row_of(paused_by=Actor(name="operator"))) == (CommandKind.RESUME, CommandKind.ROLLBACK)


def test_a_rollback_under_way_offers_nothing_more() -> None:
    assert offered(row_of(phase=Phase.ROLLING_BACK)) == ()


def test_a_button_carries_the_rollout_and_the_step_it_was_shown_for() -> None:
    row = row_of(step=1)
    block = actions(row)
    assert block is not None
    found = read_bound(block.to_dict()["elements"][0]["value"])
    assert found is not None
    assert (found.rollout, found.step) == (row.id, 2)
    assert bound_to(row_of(phase=Phase.PROVISIONING)).step == 0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "7",
        '{"rollout": 1, "step": 1}',
        '{"rollout": "a", "step": true}',
        '{"step": 1}',
        None,
    ],
)
def test_what_teal_did_not_write_is_bound_to_nothing(text: str | None) -> None:
    assert read_bound(text) is None


def test_a_long_plan_shows_the_steps_around_the_current_one() -> None:
    steps = tuple(Step(weight=w, bake=timedelta(minutes=1)) for w in range(10, 1001, 10))  # type: ignore[arg-type]
    row = row_of(spec=good_spec(plan=Plan(name="custom", steps=steps)), step=50)
    assert "✓ 47 steps before" in words(row)
    assert "▶ 51 % for 1 min" in words(row)
    assert "· 46 steps more" in words(row)


def test_a_plan_that_grows_names_no_last_step() -> None:
    spec = good_spec(plan=NAMED_PLANS["auto"])
    row = row_of(spec=spec, bake=Bake())
    assert "step 1 of plan auto" in words(row)


def test_a_pause_is_shown_with_who_and_why() -> None:
    row = row_of(paused_by=Actor(name="operator"), pause_reason="p99 looks odd")
    assert "paused by operator: p99 looks odd" in words(row)


def test_who_must_approve_is_shown() -> None:
    spec = good_spec(
        approval=ApprovalSpec(approvers=("group:release", "operator"), required=2, not_author=True)
    )
    waits = Hold(kind=HoldKind.APPROVAL, reason="it waits", clears_when="it is approved", since=NOON)
    row = row_of(spec=spec, holds=(waits,), approvals=(Approval(by=Actor(name="operator"), step=0, at=NOON),))
    assert "2 approvals by release, operator, not by its author author" in words(row)
    assert "so far by operator" in words(row)


def test_the_same_row_is_the_same_message() -> None:
    row = row_of()
    assert shown(row).digest == shown(row).digest
    assert (
        shown(row).digest
        != shown(changed(row, waiting_for="another thing", bake=row.progress.bake, step=1)).digest
    )


def test_an_id_is_kept_whole_in_a_button() -> None:
    row = row_of(id=RolloutId("x" * 255))
    block = actions(row)
    assert block is not None
    assert mistakes([block.to_dict()]) == []


@pytest.mark.parametrize(("green", "differs"), [(104, False), (260, True)])
def test_the_measured_share_stands_beside_the_written_one_and_says_when_they_differ(
    green: int, differs: bool
) -> None:
    minute = timedelta(minutes=1)
    taken = tuple(
        Interval(
            start=NOON - n * minute,
            green=Counts(requests=green),
            blue=Counts(requests=1000 - green),
            weight=Tenths(100),
        )
        for n in (3, 2, 1)
    )
    row = row_of(intervals=taken)
    assert view(Stored(rollout=row, version=1, wake_at=None)).measured_percent == green / 10
    found = words(row)
    assert "10 %` on green" in found
    assert f"green got {green / 10:g} % of the last period's requests" in found
    assert ("where its weight says 90 %" in found) is differs


def test_no_share_is_shown_before_one_was_measured() -> None:
    assert "of the last period's requests" not in words(row_of())
