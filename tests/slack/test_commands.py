"""`/teal`: answered to whoever asked, in place."""

import pytest

from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from tests.slack.room import APPROVER, ELSEWHERE, OPERATOR, STRANGER, VIEWER, Room
from tests.slack.shapes import mistakes
from tests.slack.test_actions import calls

pytestmark = pytest.mark.machine(seconds=30)


@pytest.mark.parametrize("text", ["", "help", "HELP", "  help "])
def test_help_lists_every_word(room: Room, text: str) -> None:
    told = room.teal(text, STRANGER)
    assert told["response_type"] == "ephemeral"
    for verb in ("list", "status", "pause", "resume", "rollback"):
        assert f"/teal {verb}" in told["text"]


def test_list_shows_what_is_active(room: Room) -> None:
    assert room.teal("list")["text"] == "No rollout is active that you may see."
    rollout = room.waiting()
    text = room.teal("list", VIEWER)["text"]
    assert "*prod/checkout* → checkout:2: shifting `█░░░░░░░░░ 10 %`" in text
    assert rollout in text
    assert room.teal("list", ELSEWHERE)["text"] == "No rollout is active that you may see."


@pytest.mark.parametrize("name", ["checkout", "prod/checkout", "ID"])
def test_status_shows_the_message_without_buttons(room: Room, name: str) -> None:
    rollout = room.waiting()
    told = room.teal(f"status {rollout if name == 'ID' else name}", VIEWER)
    assert mistakes(told["blocks"]) == []
    assert not any(block["type"] == "actions" for block in told["blocks"])
    assert "waits for" in str(told["blocks"])


@pytest.mark.parametrize(
    ("text", "user", "words"),
    [
        ("status", OPERATOR, "Which? Write `/teal status SERVICE`"),
        ("status nothing", OPERATOR, "no rollout `nothing`"),
        ("status checkout", ELSEWHERE, "no rollout `checkout`"),
        ("pause checkout", ELSEWHERE, "no rollout `checkout`"),
        ("status checkout", STRANGER, "Teal does not know Slack user U-X"),
        ("list", STRANGER, "Teal does not know Slack user U-X"),
        ("rollback", OPERATOR, "Which? Write `/teal rollback SERVICE [reason]`"),
        ("rollback nothing", OPERATOR, "no rollout `nothing`"),
        ("rollback checkout", VIEWER, "viewer is a viewer and this takes an operator"),
        ("resume checkout", OPERATOR, "it is not paused"),
        ("rolback checkout", OPERATOR, "Did you mean `/teal rollback`?"),
        ("approve checkout", APPROVER, "is a button in the rollout's message"),
        ("abandon checkout", APPROVER, "`teal abandon` in a terminal"),
        ("<!channel> x", OPERATOR, "&lt;!channel&gt;"),
        ("status <!channel>", OPERATOR, "no rollout `&lt;!channel&gt;`"),
        (f"status {'x' * 3000}", OPERATOR, "no rollout `xxx"),
        (f"pause checkout {'x' * 1001}", OPERATOR, "longer than 1000"),
    ],
)
def test_what_cannot_be_done_is_told_with_what_to_do(room: Room, text: str, user: str, words: str) -> None:
    rollout = room.waiting()
    told = room.teal(text, user)["text"]
    assert words in told
    assert "<!channel>" not in told
    assert room.commands(rollout) == []


def test_pause_and_resume_by_name(room: Room) -> None:
    rollout = room.waiting()
    assert "Pause is accepted" in room.teal("pause checkout p99 &amp; errors")["text"]
    room.tick(4)
    assert room.stage.row(rollout).pause.pause_reason == "p99 & errors"
    assert "already paused" in room.teal("pause checkout")["text"]
    room.teal("resume checkout")
    room.tick(4)
    assert room.stage.row(rollout).pause.paused_by is None


def test_rollback_by_name(room: Room) -> None:
    rollout = room.waiting()
    assert "Roll back is accepted" in room.teal("rollback prod/checkout users see errors")["text"]
    assert room.stage.until(rollout).phase is Phase.ROLLED_BACK
    assert room.commands(rollout) == ["rollback by operator: users see errors"]
    assert [(call.call, call.target, call.outcome) for call in calls(room)] == [
        ("/teal rollback", rollout, "ok")
    ]


def test_a_line_sent_again_is_one_command(room: Room) -> None:
    rollout: RolloutId = room.waiting()
    trigger = room.slack.trigger()
    room.teal("pause checkout", trigger_id=trigger)
    room.pass_time(1)
    assert "already" in room.teal("pause checkout", trigger_id=trigger)["text"]
    room.tick(4)
    assert room.commands(rollout) == ["pause by operator"]


def test_another_workspace_is_refused(room: Room) -> None:
    room.waiting()
    assert "workspace is not the one" in room.teal("pause checkout", team_id="T-OTHER")["text"]
    assert calls(room)[0].outcome == "forbidden"


def test_slacks_own_look_at_the_address_is_answered(room: Room) -> None:
    assert room.post("/slack/commands", {"ssl_check": "1", "token": "x"}).json() == {}
