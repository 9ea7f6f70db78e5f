"""Buttons and dialogs: each is one command of the person who pressed, or words to them; never anything else."""

import asyncio
import json
from typing import Any

import pytest

from api.slack import commands_from_slack
from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.ids import RolloutId, Tenths
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.spec import ApprovalSpec
from orchestrator.ports.calls import Call
from tests.slack.fake import RELEASES, TEAM
from tests.slack.room import APPROVER, AUTHOR, ELSEWHERE, OPERATOR, SECOND, STRANGER, VIEWER, Room

pytestmark = pytest.mark.machine(seconds=40)


def calls(room: Room) -> list[Call]:
    found, _ = room.stage.run(room.stage.store.calls())
    return list(reversed(found))


def is_untouched(room: Room, rollout: RolloutId) -> bool:
    room.stage.let_run(room.stage.world.minute / 5)
    return room.commands(rollout) == []


def test_an_approver_approves_by_a_button_and_the_message_follows(room: Room) -> None:
    rollout = room.waiting()
    assert room.press("Approve", APPROVER).startswith("Approve is accepted for prod/checkout")
    room.tick(4)
    assert room.stage.row(rollout).phase is Phase.WATCHING
    assert "approver approved" in room.message.words
    assert "Approve" not in room.message.buttons
    (call,) = calls(room)
    assert (call.actor, call.source, call.call, call.target, call.outcome) == (
        "approver",
        "slack",
        "button approve",
        rollout,
        "ok",
    )


@pytest.mark.parametrize(
    ("label", "user", "words"),
    [
        ("Approve", OPERATOR, "operator is an operator and this takes an approver"),
        ("Reject", OPERATOR, "operator is an operator and this takes an approver"),
        ("Approve", VIEWER, "viewer is a viewer and this takes an approver"),
        ("Pause", VIEWER, "viewer is a viewer and this takes an operator"),
        ("Roll back", VIEWER, "viewer is a viewer and this takes an operator"),
        ("Pause", STRANGER, "Teal does not know Slack user U-X"),
        ("Roll back", STRANGER, "Teal does not know Slack user U-X"),
        ("Pause", ELSEWHERE, "you see only the services you are set up for"),
        ("Reject", ELSEWHERE, "you see only the services you are set up for"),
    ],
)
def test_whoever_may_not_is_told_why_and_nothing_changes(
    room: Room, label: str, user: str, words: str
) -> None:
    rollout = room.waiting()
    assert words in room.press(label, user)
    assert is_untouched(room, rollout)
    assert room.slack.views == []
    assert calls(room)[0].outcome in ("forbidden", "not-found")


@pytest.mark.parametrize(
    ("spec", "user", "words"),
    [
        (ApprovalSpec(not_author=True), AUTHOR, "its author may not approve it"),
        (ApprovalSpec(approvers=("second approver",)), APPROVER, "approver is not among the approvers"),
        (ApprovalSpec(approvers=("group:release",)), SECOND, "second approver is not among the approvers"),
    ],
)
def test_the_rollout_files_rules_of_approval_hold_in_slack(
    room: Room, spec: ApprovalSpec, user: str, words: str
) -> None:
    rollout = room.waiting(approval=spec)
    assert words in room.press("Approve", user)
    assert is_untouched(room, rollout)


def test_a_member_of_an_approving_group_approves(room: Room) -> None:
    rollout = room.waiting(approval=ApprovalSpec(approvers=("group:release",), not_author=True))
    assert "is accepted" in room.press("Approve", APPROVER)
    room.tick(4)
    assert room.stage.row(rollout).phase is Phase.WATCHING


def test_two_approvals_are_two_people(room: Room) -> None:
    rollout = room.waiting(approval=ApprovalSpec(required=2))
    room.press("Approve", APPROVER)
    room.tick(4)
    assert "so far by approver" in room.message.words
    room.stage.let_run(room.stage.world.minute)
    assert "has already approved this step" in room.press("Approve", APPROVER)
    assert room.stage.row(rollout).phase is Phase.SHIFTING
    room.press("Approve", SECOND)
    room.tick(4)
    assert room.stage.row(rollout).phase is Phase.WATCHING


def test_a_double_click_is_one_command_and_says_so(room: Room) -> None:
    rollout = room.waiting()
    first = room.press("Approve", APPROVER)
    room.pass_time(0.2)
    second = room.press("Approve", APPROVER)
    assert "is accepted" in first
    assert "You pressed Approve already" in second
    room.tick(4)
    assert room.commands(rollout) == ["approve by approver"]


def test_a_click_sent_again_is_one_command_even_after_it_took_effect(room: Room) -> None:
    rollout = room.waiting()
    click = room.click("Pause", OPERATOR)
    room.send(click)
    room.tick(4)
    room.stage.command(rollout, CommandKind.RESUME)
    room.tick(4)
    assert "already" in room.send(click)
    room.tick(4)
    assert room.commands(rollout) == ["pause by operator", "resume by operator"]


def test_the_same_button_pressed_anew_later_is_a_new_command(room: Room) -> None:
    rollout = room.waiting()
    message = room.message
    stale = json.loads(json.dumps(message.body))
    room.press("Pause", OPERATOR)
    room.tick(4)
    room.stage.command(rollout, CommandKind.RESUME)
    room.tick(4)
    message.body = stale  # as it was when Pause was pressed first
    click = room.click("Pause", OPERATOR)
    assert "is accepted" in room.send(click)
    room.tick(4)
    assert "already" in room.send(click)
    room.tick(4)
    assert room.commands(rollout) == ["pause by operator", "resume by operator", "pause by operator"]


def test_pause_turns_into_resume(room: Room) -> None:
    rollout = room.waiting()
    room.press("Pause", OPERATOR)
    room.tick(4)
    assert "paused by operator" in room.message.words
    room.press("Resume", OPERATOR)
    room.tick(4)
    assert room.stage.row(rollout).pause.paused_by is None
    assert "Pause" in room.message.buttons


def test_promote_waives_the_bake_and_asks_first(room: Room) -> None:
    rollout = room.start(is_asking=False)
    room.stage.until(rollout, Phase.SHIFTING)
    room.tick(2)
    assert room.message.buttons["Promote"]["confirm"]["title"]["text"] == "Promote?"
    room.press("Promote", OPERATOR)
    room.tick(4)
    assert room.commands(rollout) == ["promote by operator"]


def test_a_late_approval_is_told_and_does_nothing(room: Room) -> None:
    rollout = room.waiting()
    click = room.click("Approve", SECOND)
    room.press("Approve", APPROVER)
    room.tick(4)
    words = room.send(click)
    assert "it was given for step 1, and the rollout is at step 2" in words
    assert room.commands(rollout) == ["approve by approver"]


def test_a_click_after_the_end_is_told_and_does_nothing(room: Room) -> None:
    rollout = room.waiting()
    message = room.message
    late = [room.click(label, APPROVER, message=message) for label in message.buttons]
    room.stage.command(rollout, CommandKind.ROLLBACK)
    room.stage.until(rollout)
    room.deliver()
    for click in late:
        assert "is not accepted while the rollout is rolled_back" in room.send(click)
    assert room.slack.views == []


def test_a_pause_that_comes_a_step_late_is_obeyed_and_told_so(room: Room) -> None:
    rollout = room.waiting()
    click = room.click("Pause", OPERATOR)
    room.press("Approve", APPROVER)
    room.tick(4)
    assert "You saw step 1; the rollout is at step 2 by now." in room.send(click)
    room.tick(4)
    assert room.stage.row(rollout).pause.paused_by is not None


@pytest.mark.parametrize(("label", "kind"), [("Reject", "reject"), ("Roll back", "rollback")])
def test_reject_and_roll_back_ask_for_a_reason_first(room: Room, label: str, kind: str) -> None:
    rollout = room.waiting()
    assert room.press(label, APPROVER) == ""
    assert is_untouched(room, rollout)
    (view,) = room.slack.views
    assert view["submit"]["text"] == label
    answer = room.submit(APPROVER, "p99 <!here> looks odd")
    assert (answer.status_code, answer.content) == (200, b"")
    assert room.slack.whispers[-1]["channel"] == RELEASES
    room.stage.until(rollout)
    room.deliver()
    assert room.commands(rollout) == [f"{kind} by approver: p99 <!here> looks odd"]
    row = room.stage.row(rollout)
    assert row.phase is Phase.ROLLED_BACK
    assert "p99 &lt;!here&gt; looks odd" in room.message.words
    assert [call.call for call in calls(room)] == [f"dialog {kind}"]


def test_a_dialog_sent_twice_is_one_command(room: Room) -> None:
    rollout = room.waiting()
    room.press("Roll back", OPERATOR)
    room.submit(OPERATOR, "once")
    room.submit(OPERATOR, "once")
    room.tick(4)
    assert room.commands(rollout) == ["rollback by operator: once"]


def test_a_reject_that_is_late_is_told_in_the_dialog(room: Room) -> None:
    rollout = room.waiting()
    room.press("Reject", SECOND)
    room.press("Approve", APPROVER)
    room.tick(4)
    told = room.submit(SECOND, "no").json()
    assert told["response_action"] == "errors"
    assert "it was given for step 1, and the rollout is at step 2" in told["errors"]["reason"]
    assert room.stage.row(rollout).phase is Phase.WATCHING


def test_a_rollback_is_obeyed_though_the_step_moved_on_while_the_reason_was_typed(room: Room) -> None:
    rollout = room.waiting()
    room.press("Roll back", OPERATOR)
    room.press("Approve", APPROVER)
    room.tick(4)
    room.submit(OPERATOR, "users see errors")
    assert "the rollout is at step 2 by now" in room.slack.whispers[-1]["text"]
    assert room.stage.until(rollout).phase is Phase.ROLLED_BACK


def test_who_sends_the_dialog_is_checked_anew(room: Room) -> None:
    rollout = room.waiting()
    room.press("Roll back", OPERATOR)
    told = room.submit(VIEWER, "no").json()
    assert "viewer is a viewer" in told["errors"]["reason"]
    assert is_untouched(room, rollout)


def test_a_very_long_reason_is_refused_in_words(room: Room) -> None:
    rollout = room.waiting()
    room.press("Roll back", OPERATOR)
    told = room.submit(OPERATOR, "x" * 1001).json()
    assert "longer than 1000" in told["errors"]["reason"]
    assert is_untouched(room, rollout)


def test_a_reason_is_kept_on_one_line(room: Room) -> None:
    rollout = room.waiting()
    room.press("Roll back", OPERATOR)
    room.submit(OPERATOR, "one\r\ntwo\x00\x1b[31m")
    room.tick(4)
    assert room.commands(rollout) == ["rollback by operator: one two\\u0000\\u001b[31m"]


def test_a_dialog_that_slack_opens_no_more_is_told(room: Room) -> None:
    rollout = room.waiting()
    click = room.click("Roll back", OPERATOR)
    room.stage.let_run(room.stage.world.minute)  # Slack's three seconds are over
    words = room.send(click)
    assert "Slack did not open the dialog, and nothing was done" in words
    assert "/teal rollback prod/checkout" in words
    assert is_untouched(room, rollout)


def test_another_workspace_is_refused(room: Room) -> None:
    rollout = room.waiting()
    click = room.click("Pause", OPERATOR)
    for changes in (
        {"team": {"id": "T-OTHER"}, "user": {"id": OPERATOR}},
        {"user": {"id": OPERATOR, "team_id": "T2"}},
    ):
        assert "this Slack workspace is not the one" in room.send({**click, **changes})
    assert is_untouched(room, rollout)


@pytest.mark.parametrize(
    "changes",
    [
        {"value": ""},
        {"value": "{}"},
        {"value": '{"rollout": 7, "step": 1}'},
        {"action_id": "teal_abandon"},
        {"action_id": "something else"},
    ],
)
def test_a_button_that_is_not_teals_is_told(room: Room, changes: dict[str, Any]) -> None:
    rollout = room.waiting()
    click = room.click("Pause", OPERATOR)
    click["actions"][0].update(changes)
    assert "This is no button of a rollout" in room.send(click)
    assert is_untouched(room, rollout)


def test_a_rollout_that_is_not_there_is_told(room: Room) -> None:
    room.waiting()
    click = room.click("Pause", OPERATOR)
    click["actions"][0]["value"] = '{"rollout": "nothing", "step": 1}'
    assert "nothing" in room.send(click)


def test_an_answer_is_never_sent_where_a_payload_says(room: Room) -> None:
    room.waiting()
    room.press("Pause", OPERATOR)  # its response_url is another host's; a lookup of it would fail loudly
    assert {method for method, _ in room.slack.calls} <= {
        "chat.postMessage",
        "chat.update",
        "chat.postEphemeral",
        "conversations.history",
    }


def test_a_store_that_is_slow_is_told_in_time(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    room.waiting()

    async def never(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(commands_from_slack, "STORE_SECONDS", 0.05)
    monkeypatch.setattr(room.stage.store, "add_command", never)
    assert "did not answer in time" in room.press("Pause", OPERATOR)
    assert calls(room)[0].outcome == "slow"


def test_an_approval_given_again_after_going_back_counts(room: Room) -> None:
    rollout = room.waiting()
    room.press("Approve", APPROVER)
    room.tick(4)
    room.stage.command(rollout, CommandKind.BACK, to=Tenths(100))
    for _ in range(60):
        room.tick(2)
        if "Approve" in room.message.buttons:
            break
    assert "is accepted" in room.press("Approve", APPROVER)
    room.tick(4)
    assert room.stage.row(rollout).phase is Phase.WATCHING


def test_a_closed_dialog_is_nothing(room: Room) -> None:
    payload = {"type": "view_closed", "team": {"id": TEAM}, "user": {"id": OPERATOR}, "view": {}}
    assert room.send(payload) == ""
