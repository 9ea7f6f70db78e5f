"""Rollouts told to a Slack that checks: one message each, changed in place, whatever goes wrong in between."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.errors import Denied, Missing, Unreachable
from orchestrator.core.domain.events import Event, EventKind
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.spec import ApprovalSpec
from orchestrator.notify.sink import Later, StorePage
from orchestrator.notify.slack.receiver import SlackSink
from orchestrator.ports.rollouts import EventSeen
from orchestrator.settings import Secret
from tests.contract.store_values import NOON
from tests.slack.fake import PRIVATE, RELEASES, No
from tests.slack.room import Room

pytestmark = pytest.mark.machine


def tell(room: Room, rollout: RolloutId, state: str = "", *, after: int = 0) -> str:
    """One call of the sink, as the deliverer makes it."""

    async def play() -> str:
        events = await room.stage.store.events(rollout, after=after, limit=SlackSink.at_once)
        return await room.sink.tell(await room.stage.store.load(rollout), events, state)

    return asyncio.run(play())


def test_a_rollout_is_one_message_from_start_to_end(room: Room) -> None:
    rollout = room.start(is_asking=False)
    for _ in range(80):
        room.tick(5)
        if room.stage.row(rollout).phase.is_final:
            break
    message = room.message
    assert room.stage.row(rollout).phase is Phase.SUCCEEDED
    assert room.slack.count("chat.update") >= 5
    assert any("10 % on green" in text for text in message.texts)
    assert message.texts[-1].startswith("✓ prod/checkout → checkout:2: succeeded")
    assert message.buttons == {}


def test_the_thread_tells_each_event_that_matters_once_and_in_order(room: Room) -> None:
    rollout = room.start(is_asking=False)
    for _ in range(12):
        room.tick(5)
    lines = "\n".join(posted.words for posted in room.slack.thread(room.message.ts)).splitlines()
    told = [line.split("> ", 1)[1] for line in lines]
    passed = [
        seen.event.message for seen in room.stage.events(rollout, EventKind.STEP_PASSED, EventKind.STARTED)
    ]
    assert [line for line in told if line in passed] == passed
    assert not any("asked" in line for line in told)


def test_nothing_is_sent_where_nothing_changed(room: Room) -> None:
    rollout = room.waiting()
    sent = len(room.slack.calls)
    state = asyncio.run(room.stage.store.delivery_state("slack", rollout))
    again = tell(room, rollout, state, after=100_000)
    assert (len(room.slack.calls), again) == (sent, state)


@pytest.mark.parametrize(
    ("approvers", "called"),
    [
        ((), "<!subteam^S-ALL>"),
        (("group:release", "operator"), "<!subteam^S-RELEASE> <@U-O>"),
        (("nobody",), ""),
    ],
)
def test_the_approvers_are_called_once_when_an_approval_waits(
    room: Room, approvers: tuple[str, ...], called: str
) -> None:
    room.waiting(approval=ApprovalSpec(approvers=approvers))
    for _ in range(4):
        room.tick(10)
    words = [posted.words for posted in room.slack.messages if posted.thread]
    calls = [text for text in words if "waits for 1 approval." in text]
    assert len(calls) == 1
    assert calls[0].splitlines()[-1] == f"{called} leaving step 1 waits for 1 approval.".strip()
    assert "<!subteam" not in room.message.words


def test_the_approvers_are_called_once_when_a_rollback_happens(room: Room) -> None:
    rollout = room.waiting()
    room.stage.command(rollout, CommandKind.ROLLBACK, reason="p99 & <!here>")
    for _ in range(10):
        room.tick(10)
    words = "\n".join(posted.words for posted in room.slack.messages)
    assert words.count("<!subteam^S-ALL> prod/checkout is rolled back") == 1
    assert "p99 &amp; &lt;!here&gt;" in words
    assert "All traffic is on blue since" in room.message.words
    assert room.stage.row(rollout).phase is Phase.ROLLED_BACK
    assert room.message.buttons == {}


def test_a_rate_limit_is_kept_as_long_as_slack_says(room: Room) -> None:
    rollout = room.start()
    room.slack.next = [("chat.postMessage", No("ratelimited", 429, Retry_After="17"))]
    with pytest.raises(Later) as raised:
        tell(room, rollout)
    assert raised.value.after == timedelta(seconds=17)
    assert room.slack.messages == []


def test_a_limited_delivery_is_made_once_its_time_has_come(room: Room) -> None:
    room.slack.next = [("chat.postMessage", No("ratelimited", 429, Retry_After="30"))]
    room.start()
    room.deliver()
    assert room.slack.messages == []
    room.tick(60)
    assert len(room.slack.main) == 1


def test_long_news_fit_into_one_message_of_the_thread(room: Room) -> None:
    rollout = room.start()
    stored = room.stage.run(room.stage.store.load(rollout))
    kinds = (EventKind.PAGED, EventKind.ROLLBACK_DECIDED, EventKind.COMMAND_APPLIED)
    events = tuple(
        EventSeen(
            rollout=rollout,
            number=number,
            event=Event(kind=kinds[number % 3], at=room.stage.clock.now(), message="<&>" * 1000),
        )
        for number in range(SlackSink.at_once)
    )
    state = json.loads(asyncio.run(room.sink.tell(stored, events, "")))
    (reply,) = room.slack.thread(room.message.ts)
    assert reply.words.count("\n") >= len(events) - 1
    assert len(state["mentioned"]) == 11  # a rollback once, each page


def test_people_are_called_when_teal_cannot_go_on(room: Room) -> None:
    rollout = room.start()
    stored = room.stage.run(room.stage.store.load(rollout))
    event = Event(kind=EventKind.PAGED, at=room.stage.clock.now(), message="blue does not take the revision")
    seen = (EventSeen(rollout=rollout, number=2, event=event),)
    state = asyncio.run(room.sink.tell(stored, seen, ""))
    asyncio.run(room.sink.tell(stored, seen, state))
    words = "\n".join(posted.words for posted in room.slack.thread(room.message.ts))
    assert words.count("<!subteam^S-ALL> Teal needs a person: blue does not take the revision") == 1


@pytest.mark.parametrize("is_restarted", [False, True])
def test_a_crash_between_posting_and_committing_posts_no_second_message(
    room: Room, is_restarted: bool
) -> None:
    rollout = room.start()
    room.stage.let_run(timedelta(seconds=1))
    tell(room, rollout)  # posted; and what it returned is lost
    if is_restarted:
        room.restart()
        room.stage.let_run(timedelta(seconds=60))  # a lease's time, until somebody else may tell it
    state = json.loads(tell(room, rollout))
    assert room.message.ts == state["ts"]


def test_a_lost_answer_to_the_first_post_posts_no_second_message(room: Room) -> None:
    rollout = room.start()
    room.slack.lost = ["chat.postMessage"]
    with pytest.raises(Unreachable):
        tell(room, rollout)
    state = json.loads(tell(room, rollout))
    assert room.message.ts == state["ts"]


def test_an_app_that_may_not_read_history_posts_without_a_look(room: Room) -> None:
    room.slack.scopes.discard("channels:history")
    rollout = room.start()
    room.stage.let_run(timedelta(seconds=60))
    tell(room, rollout)
    assert len(room.slack.main) == 1


def test_a_failing_thread_posts_no_second_message(room: Room) -> None:
    rollout = room.start()
    posts = iter([True, False])

    real = room.slack._post  # the second post of the first tell is the thread's

    def post(body: dict[str, object]) -> dict[str, object]:
        if not next(posts, True):
            raise No("ratelimited", 429, Retry_After="1")
        return real(body)

    room.slack._post = post  # type: ignore[method-assign]
    with pytest.raises(Later):
        tell(room, rollout)
    tell(room, rollout)
    assert len(room.slack.main) == 1
    assert len(room.slack.thread(room.message.ts)) == 1


def test_a_deleted_message_is_posted_anew(room: Room) -> None:
    room.waiting()
    gone = room.message
    room.slack.messages.clear()
    room.tick(20)
    assert room.message.ts != gone.ts
    assert "10 %" in room.message.words


def test_blocks_that_slack_refuses_are_told_as_text(room: Room) -> None:
    rollout = room.start()
    room.slack.next = [("chat.postMessage", No("invalid_blocks"))]
    tell(room, rollout)
    assert room.message.texts[0].startswith("▶ prod/checkout")
    assert room.message.words == ""


@pytest.mark.parametrize("channel", [PRIVATE, "#nowhere"])
def test_a_channel_that_cannot_be_written_to_is_named_with_what_to_do(room: Room, channel: str) -> None:
    assert room.settings.slack is not None
    room.settings = replace(room.settings, slack=replace(room.settings.slack, channel=channel))
    room.restart()
    rollout = room.start()
    with pytest.raises(Missing) as raised:
        tell(room, rollout)
    assert channel in str(raised.value)
    assert "Invite the app there" in str(raised.value)


def test_a_wrong_token_is_told_without_the_token(room: Room) -> None:
    assert room.settings.slack is not None
    room.settings = replace(room.settings, slack=replace(room.settings.slack, token=Secret("xoxb-other")))
    room.restart()
    rollout = room.start()
    with pytest.raises(Denied) as raised:
        tell(room, rollout)
    assert "slack.token" in str(raised.value)
    assert "xoxb-other" not in f"{raised.value}{raised.value.__cause__}"


def test_a_channel_may_be_named(room: Room) -> None:
    assert room.settings.slack is not None
    room.settings = replace(room.settings, slack=replace(room.settings.slack, channel="#releases"))
    room.restart()
    rollout = room.start()
    state = tell(room, rollout)
    room.stage.let_run(timedelta(seconds=20))
    assert json.loads(state)["channel"] == RELEASES
    tell(room, rollout, state, after=1)
    assert len(room.message.texts) == 2


@pytest.mark.parametrize(
    "answer", [No("internal_error", 500), No("fatal_error"), No("service_unavailable", 503)]
)
def test_a_failing_slack_is_told_later(room: Room, answer: No) -> None:
    rollout = room.start()
    room.slack.next = [("chat.postMessage", answer)]
    with pytest.raises(Unreachable):
        tell(room, rollout)


def test_a_slack_that_is_away_is_told_later(room: Room) -> None:
    assert room.settings.slack is not None
    slack = replace(room.settings.slack, api="http://127.0.0.1:9/api/")
    room.settings = replace(room.settings, slack=slack)
    room.restart()
    rollout = room.start()
    with pytest.raises(Unreachable):
        tell(room, rollout)


def test_a_store_that_cannot_be_written_is_a_message_of_its_own_that_calls_the_approvers(room: Room) -> None:
    page = StorePage(
        at=NOON, since=NOON, words="the store cannot be written: <full>", why="full", is_over=False
    )
    asyncio.run(room.sink.page(page))
    asyncio.run(room.sink.page(replace(page, words="it can be written again", is_over=True)))
    first, last = room.slack.messages
    assert (first.channel, first.thread) == (RELEASES, "")
    called = "<!subteam^S-ALL> Teal needs a person"
    assert first.texts == [f"{called}: the store cannot be written: &lt;full&gt;"]
    assert last.texts == ["Teal: it can be written again"]
