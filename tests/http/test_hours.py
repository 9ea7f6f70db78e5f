"""Windows, freezes and overrides through the HTTP door: what is refused, by whom it may be overridden."""

import asyncio
from datetime import timedelta

import pytest

from orchestrator.core.domain.calendar import Freeze
from tests.http.desk import Desk, problem

HOUR = timedelta(hours=1)


def freeze(desk: Desk, lasts: timedelta = 4 * HOUR) -> Freeze:
    now = desk.stage.clock.now()
    found = Freeze(begins=now - HOUR, ends=now + lasts, reason="year's end")
    desk.stage.run(desk.stage.store.keep_freezes((found,)))
    return found


def token(desk: Desk, role: str) -> dict[str, str]:
    """A header of somebody with a role; from the first token on, everybody needs one."""
    answer = desk.ask("POST", "/v1/tokens", json={"name": f"a {role}", "role": role})
    assert answer.status_code == 201, answer.text
    return {"Authorization": f"Bearer {answer.json()['text']}"}


@pytest.mark.parametrize(("role", "status"), [("operator", 403), ("approver", 201), ("admin", 201)])
def test_only_an_approver_may_override_windows_and_freezes(desk: Desk, role: str, status: int) -> None:
    headers = {**token(desk, role), "Idempotency-Key": "k"}
    answer = desk.ask("POST", "/v1/rollouts", json=desk.file(override="payments fail"), headers=headers)
    assert answer.status_code == status, answer.text
    if status == 403:
        assert "you may not override windows and freezes" in problem(answer)["detail"]
        again = desk.ask("POST", "/v1/rollouts", json=desk.file(), headers=headers)
        assert again.status_code == 201, "without it the same operator may start"


def test_a_start_in_a_freeze_waits_and_says_for_what(desk: Desk) -> None:
    freeze(desk)
    started = desk.start()

    async def script(client: object) -> None:
        async with desk.working():
            await asyncio.sleep(20)

    desk.run(script)
    view = desk.ask("GET", f"/v1/rollouts/{started['id']}").json()
    assert view["phase"] == "pending"
    assert view["waiting_for"].startswith("the window opens: Mon 2026-03-02 1")
    assert view["holds"][0]["kind"] == "window"
    assert view["holds"][0]["reason"].endswith("year's end")


def test_a_start_that_would_end_in_a_freeze_is_refused_with_the_hours_to_start_in(desk: Desk) -> None:
    now = desk.stage.clock.now()
    soon = Freeze(begins=now + timedelta(seconds=30), ends=now + 4 * HOUR, reason="year's end")
    desk.stage.run(desk.stage.store.keep_freezes((soon,)))
    answer = desk.ask("POST", "/v1/rollouts", json=desk.file(), headers={"Idempotency-Key": "k"})
    told = problem(answer)
    assert (answer.status_code, told["code"]) == (422, "unfit")
    assert "after its window closes at Mon 2026-03-02 09:" in answer.text
    assert "start it between Mon 2026-03-02 13:" in answer.text


def test_preflight_tells_of_a_freeze_without_starting_anything(desk: Desk) -> None:
    freeze(desk)
    found = desk.ask("POST", "/v1/preflight", json=desk.file()).json()
    (window,) = [one for one in found["findings"] if one["code"] == "window"]
    assert window["what"].startswith("it waits until Mon 2026-03-02 1")


def test_an_override_is_told_in_the_events_with_its_reason(desk: Desk) -> None:
    freeze(desk)
    started = desk.start(override="payments fail")
    events = desk.ask("GET", f"/v1/rollouts/{started['id']}/events").json()["events"]
    (told,) = [one for one in events if one["kind"] == "window_overridden"]
    assert told["facts"]["reason"] == "payments fail"
