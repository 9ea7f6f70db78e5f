"""Commands through the HTTP door."""

import pytest

from orchestrator.core.domain.phases import Phase
from tests.http.desk import Desk, problem


def give(desk: Desk, rollout: str, command: str, /, **body: object) -> dict[str, object]:
    answer = desk.ask("POST", f"/v1/rollouts/{rollout}/{command}", json=body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_command_is_accepted_and_applied_by_the_next_tick(desk: Desk) -> None:
    rollout = str(desk.start()["id"])
    answer = desk.ask("POST", f"/v1/rollouts/{rollout}/pause", json={"reason": "lunch"})
    command = answer.json()["command"]
    assert (command["state"], command["reason"], command["by"], command["source"]) == (
        "accepted",
        "lunch",
        "local",
        "http",
    )
    desk.stage.let_run(desk.stage.world.minute)
    assert desk.ask("GET", f"/v1/rollouts/{rollout}").json()["paused_by"] == "local"


def test_body_may_be_left_out(desk: Desk) -> None:
    rollout = desk.start()["id"]
    assert desk.ask("POST", f"/v1/rollouts/{rollout}/pause").status_code == 200


def test_user_that_the_client_names_is_the_one_in_the_audit_log(desk: Desk) -> None:
    rollout = desk.start()["id"]
    answer = desk.ask("POST", f"/v1/rollouts/{rollout}/pause", headers={"X-Teal-User": "operator"})
    assert answer.json()["command"]["by"] == "operator"


def test_command_that_the_phase_forbids_is_refused_with_the_phase(desk: Desk) -> None:
    rollout = desk.start()["id"]
    answer = desk.ask("POST", f"/v1/rollouts/{rollout}/promote")
    told = problem(answer)
    assert (answer.status_code, told["code"]) == (409, "refused")
    assert "pending" in told["detail"]


def test_same_key_is_the_same_command(desk: Desk) -> None:
    rollout = desk.start()["id"]
    headers = {"Idempotency-Key": "k"}
    first = desk.ask("POST", f"/v1/rollouts/{rollout}/pause", json={"reason": "one"}, headers=headers)
    again = desk.ask("POST", f"/v1/rollouts/{rollout}/pause", json={"reason": "two"}, headers=headers)
    assert (again.status_code, again.json()["command"]) == (200, first.json()["command"])


def test_key_of_another_command_is_refused(desk: Desk) -> None:
    rollout = desk.start()["id"]
    headers = {"Idempotency-Key": "k"}
    desk.ask("POST", f"/v1/rollouts/{rollout}/pause", headers=headers)
    answer = desk.ask("POST", f"/v1/rollouts/{rollout}/rollback", headers=headers)
    assert (answer.status_code, problem(answer)["code"]) == (409, "refused")


def test_steps_are_counted_from_one(desk: Desk) -> None:
    rollout = str(desk.start()["id"])
    desk.until(rollout, Phase.SHIFTING)
    answer = desk.ask("POST", f"/v1/rollouts/{rollout}/approve", json={"step": 2})
    assert "step 2" in problem(answer)["detail"]
    assert "step 1" in problem(answer)["detail"]
    assert (
        desk.ask("POST", f"/v1/rollouts/{rollout}/approve", json={"step": 1}).json()["command"]["step"] == 1
    )


@pytest.mark.parametrize("weight", ["10%", 10, "10", 10.0])
def test_back_takes_a_weight_as_people_and_programs_write_it(desk: Desk, weight: object) -> None:
    rollout = str(desk.start(plan=[{"weight": 10, "bake": "1s"}, {"weight": 100, "bake": "10m"}])["id"])
    desk.until(rollout, Phase.WATCHING)
    answer = desk.ask("POST", f"/v1/rollouts/{rollout}/back", json={"to": weight})
    assert (answer.status_code, answer.json()["command"]["to_percent"]) == (200, 10.0)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/to"),
        ({"to": "10.55%"}, "/to"),
        ({"to": 10, "full": True}, "/full"),
        ({"to": 10, "step": -1}, "/step"),
        ({"to": 10, "reason": "x" * 1001}, "/reason"),
    ],
)
def test_mistake_in_a_command_is_told_at_its_pointer(desk: Desk, body: object, pointer: str) -> None:
    rollout = desk.start()["id"]
    answer = desk.ask("POST", f"/v1/rollouts/{rollout}/back", json=body)
    assert answer.status_code == 422
    assert [mistake["pointer"] for mistake in problem(answer)["mistakes"]] == [pointer]


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("application/x-www-form-urlencoded", b"reason=lunch"),
        ("application/json", b"[1]"),
        ("application/json", b'{"reason":'),
        ("application/json", b'{"reason": "\\ud800"}'),
        ("application/json", b"[" * 100_000),
    ],
)
def test_body_that_is_no_command_is_refused_and_no_command_is_kept(
    desk: Desk, kind: str, content: bytes
) -> None:
    rollout = desk.start()["id"]
    answer = desk.ask(
        "POST", f"/v1/rollouts/{rollout}/rollback", content=content, headers={"Content-Type": kind}
    )
    assert (answer.status_code, problem(answer)["code"]) == (422, "invalid")
    desk.stage.let_run(desk.stage.world.minute)
    assert desk.ask("GET", f"/v1/rollouts/{rollout}").json()["phase"] != Phase.ROLLING_BACK


def test_whole_rollout_is_driven_through_the_door(desk: Desk) -> None:
    rollout = str(desk.start()["id"])
    desk.until(rollout, Phase.SHIFTING)
    give(desk, rollout, "approve")  # without it a promotion to the last step is refused
    desk.stage.let_run(desk.stage.world.minute / 5)
    assert give(desk, rollout, "promote", full=True)["command"]
    desk.until(rollout, Phase.WATCHING)
    assert desk.ask("GET", f"/v1/rollouts/{rollout}").json()["green_percent"] == 100
    give(desk, "checkout", "rollback", reason="enough seen")
    desk.until(rollout, Phase.ROLLED_BACK)
    ended = desk.ask("GET", f"/v1/rollouts/{rollout}").json()
    assert (ended["is_active"], ended["green_percent"], ended["by"]) == (False, 0, "local")
    answer = desk.ask("POST", f"/v1/rollouts/{rollout}/rollback")
    assert (answer.status_code, "rolled_back" in problem(answer)["detail"]) == (409, True)


@pytest.mark.long
def test_step_stays_the_plans_last_while_and_after_traffic_comes_home(desk: Desk) -> None:
    rollout = str(desk.start(plan=[{"weight": 50, "bake": "1s"}, {"weight": 100, "bake": "1s"}])["id"])
    desk.until(rollout, Phase.SUCCEEDED)
    ended = desk.ask("GET", f"/v1/rollouts/{rollout}").json()
    assert (ended["step"], [step["state"] for step in ended["steps"]]) == (2, ["done", "done"])
