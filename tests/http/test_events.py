"""The audit log through the HTTP door: pages, and a live stream that is taken up where it was left."""

import asyncio

import httpx

from orchestrator.core.domain.phases import Phase
from tests.http.desk import Desk, problem, stream_events

LIVE = {"Accept": "text/event-stream"}


def ended(desk: Desk) -> str:
    """A rollout that has ended, having made nothing."""
    rollout = str(desk.start()["id"])
    desk.ask("POST", f"/v1/rollouts/{rollout}/rollback", json={"reason": "second thoughts"})
    desk.until(rollout, Phase.ROLLED_BACK)
    return rollout


def test_page_holds_events_in_order_with_their_facts(desk: Desk) -> None:
    rollout = desk.start()["id"]
    page = desk.ask("GET", f"/v1/rollouts/{rollout}/events").json()
    (event,) = page["events"]
    assert (event["number"], event["kind"], page["next"]) == (1, "started", 1)
    assert event["facts"]["source"] == "http"


def test_pages_follow_each_other_without_gap_or_repeat(desk: Desk) -> None:
    rollout = ended(desk)
    whole = desk.ask("GET", f"/v1/rollouts/{rollout}/events").json()["events"]
    numbers, after = [], 0
    while page := desk.ask("GET", f"/v1/rollouts/{rollout}/events?after={after}&limit=2").json()["events"]:
        numbers += [event["number"] for event in page]
        after = numbers[-1]
    assert numbers == [event["number"] for event in whole] == list(range(1, len(whole) + 1))


def test_stream_of_an_ended_rollout_holds_all_of_it_and_ends(desk: Desk) -> None:
    rollout = ended(desk)
    answer = desk.ask("GET", f"/v1/rollouts/{rollout}/events", headers=LIVE)
    told = stream_events(answer.text)
    page = desk.ask("GET", f"/v1/rollouts/{rollout}/events").json()["events"]
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert [(event["number"], event["kind"], event) for event in page] == told


def test_stream_is_taken_up_after_the_last_event_that_was_seen(desk: Desk) -> None:
    rollout = ended(desk)
    answer = desk.ask("GET", f"/v1/rollouts/{rollout}/events", headers={**LIVE, "Last-Event-ID": "2"})
    assert stream_events(answer.text)[0][0] == 3


def test_reconnecting_to_a_stream_that_is_over_is_answered_with_204(desk: Desk) -> None:
    rollout = ended(desk)
    last = desk.ask("GET", f"/v1/rollouts/{rollout}/events").json()["next"]
    answer = desk.ask("GET", f"/v1/rollouts/{rollout}/events", headers={**LIVE, "Last-Event-ID": str(last)})
    assert (answer.status_code, answer.content) == (204, b"")


def test_number_beyond_every_event_is_answered_as_the_end(desk: Desk) -> None:
    rollout = ended(desk)
    path = f"/v1/rollouts/{rollout}/events"
    assert desk.ask("GET", path, headers={**LIVE, "Last-Event-ID": "9" * 20}).status_code == 204
    assert problem(desk.ask("GET", f"{path}?after={10**30}"))["mistakes"][0]["pointer"] == "/after"


def test_stream_tells_what_happens_while_it_is_open_and_ends_with_the_rollout(desk: Desk) -> None:
    rollout = desk.start()["id"]

    async def script(client: httpx.AsyncClient) -> httpx.Response:
        async with asyncio.TaskGroup() as group:
            stream = group.create_task(client.get(f"/v1/rollouts/{rollout}/events", headers=LIVE))
            await asyncio.sleep(5)
            await client.post(f"/v1/rollouts/{rollout}/rollback", json={"reason": "second thoughts"})
            async with desk.working():
                return await stream

    told = stream_events(desk.run(script).text)
    assert told[0][1] == "started"
    assert told[-1][2]["kind"] == "ended"
    assert [number for number, _, _ in told] == list(range(1, len(told) + 1))


def test_quiet_stream_sends_heartbeats_and_ends_when_the_server_shuts_down(desk: Desk) -> None:
    rollout = desk.start()["id"]

    async def script(client: httpx.AsyncClient) -> httpx.Response:
        async with asyncio.TaskGroup() as group:
            stream = group.create_task(client.get(f"/v1/rollouts/{rollout}/events", headers=LIVE))
            await asyncio.sleep(50)
            desk.door.closing.set()
            return await stream

    text = desk.run(script).text
    assert text.count(": still here") == 3
    assert text.endswith("event: server_closing\nretry: 1000\ndata: {}\n\n")
    assert len(stream_events(text)) == 1
    assert desk.door.waiters == 0


def test_clients_that_wait_are_bounded(desk: Desk) -> None:
    rollout = desk.start()["id"]
    desk.door.waiters = 500
    answer = desk.ask("GET", f"/v1/rollouts/{rollout}?wait=1")
    assert (answer.status_code, problem(answer)["code"]) == (503, "busy")
    answer = desk.ask("GET", f"/v1/rollouts/{rollout}/events", headers=LIVE)
    assert (answer.status_code, problem(answer)["code"]) == (503, "busy")
    assert desk.ask("GET", f"/v1/rollouts/{rollout}").status_code == 200
