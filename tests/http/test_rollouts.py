"""Starting, listing and reading rollouts through the HTTP door."""

import asyncio

import httpx
import pytest

from orchestrator.core.domain.phases import Phase
from sandbox.world.kernel.faults import Fault
from tests.http.desk import Desk, problem

YAML = "service: prod/checkout\nrevision: {{task_definition: {revision}}}\nmetrics: {{period: 10s}}\n"


def test_start_answers_201_with_the_rollout_and_where_it_is(desk: Desk) -> None:
    answer = desk.ask("POST", "/v1/rollouts", json=desk.file(), headers={"Idempotency-Key": "k"})
    started = answer.json()
    assert answer.status_code == 201
    assert (started["service"], started["phase"], started["version"]) == ("prod/checkout", "pending", 1)
    assert answer.headers["location"] == f"/v1/rollouts/{started['id']}"
    assert desk.ask("GET", answer.headers["location"]).json() == started


def test_start_reads_yaml_as_it_reads_json(desk: Desk) -> None:
    revision = desk.stage.revision().rpartition("/")[2]
    headers = {"Idempotency-Key": "k", "Content-Type": "application/yaml"}
    answer = desk.ask("POST", "/v1/rollouts", content=YAML.format(revision=revision), headers=headers)
    assert (answer.status_code, answer.json()["revision"]) == (201, revision)


def test_same_key_answers_with_the_rollout_it_started(desk: Desk) -> None:
    file = desk.file()
    headers = {"Idempotency-Key": "k"}
    first = desk.ask("POST", "/v1/rollouts", json=file, headers=headers)
    again = desk.ask("POST", "/v1/rollouts", json=file, headers=headers)
    assert (again.status_code, again.json()["id"]) == (201, first.json()["id"])


def test_same_key_with_another_file_is_refused(desk: Desk) -> None:
    desk.start("k")
    answer = desk.ask(
        "POST", "/v1/rollouts", json=desk.file(plan="instant"), headers={"Idempotency-Key": "k"}
    )
    assert (answer.status_code, problem(answer)["code"]) == (409, "refused")


def test_start_without_a_key_says_that_the_header_is_missing(desk: Desk) -> None:
    answer = desk.ask("POST", "/v1/rollouts", json=desk.file())
    assert answer.status_code == 422
    (mistake,) = problem(answer)["mistakes"]
    assert (mistake["where"], mistake["pointer"]) == ("header", "/Idempotency-Key")


def test_second_rollout_of_a_service_is_refused_and_the_first_is_named(desk: Desk) -> None:
    first = desk.start()
    answer = desk.ask("POST", "/v1/rollouts", json=desk.file(), headers={"Idempotency-Key": "other"})
    told = problem(answer)
    assert (answer.status_code, told["code"], told["holder"]) == (409, "conflict", first["id"])
    assert told["type"] == "/problems/conflict"
    assert first["id"] in told["detail"]


def test_every_mistake_of_a_file_is_told_at_its_pointer(desk: Desk) -> None:
    wrong = {"service": "checkout", "plan": [{"weight": 110, "bake": 3}], "gate": {}}
    answer = desk.ask("POST", "/v1/rollouts", json=wrong, headers={"Idempotency-Key": "k"})
    pointers = {mistake["pointer"] for mistake in problem(answer)["mistakes"]}
    assert answer.status_code == 422
    assert pointers == {"/service", "/revision", "/plan/0/weight", "/plan/0/bake", "/gate"}


def test_mistakes_of_a_yaml_body_have_their_lines(desk: Desk) -> None:
    headers = {"Idempotency-Key": "k", "Content-Type": "application/yaml"}
    answer = desk.ask(
        "POST", "/v1/rollouts", content="service: prod/checkout\nplan: hasty\n", headers=headers
    )
    lines = {mistake["pointer"]: mistake["line"] for mistake in problem(answer)["mistakes"]}
    assert lines["/plan"] == 2


def test_findings_of_preflight_refuse_a_start(desk: Desk) -> None:
    file = desk.file(revision={"task_definition": "checkout:99"})
    answer = desk.ask("POST", "/v1/rollouts", json=file, headers={"Idempotency-Key": "k"})
    told = problem(answer)
    assert (answer.status_code, told["code"]) == (422, "unfit")
    assert any("checkout:99" in finding for finding in told["findings"])
    assert desk.ask("GET", "/v1/rollouts").json()["rollouts"] == []


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"{", "not JSON"),
        (b'{"service": "a/b", "service": "c/d"}', "written twice"),
        (b'{"plan": NaN}', "NaN"),
        (b"[" * 100_000, "nested"),
        (b"1" * 5_000, "not JSON"),
        (b"\xff", "UTF-8"),
        (b'{"service": "\\ud800"}', "half a character"),
    ],
)
def test_body_that_is_no_json_is_refused_in_words(desk: Desk, content: bytes, what: str) -> None:
    headers = {"Idempotency-Key": "k", "Content-Type": "application/json"}
    answer = desk.ask("POST", "/v1/rollouts", content=content, headers=headers)
    assert answer.status_code == 422
    assert what in problem(answer)["mistakes"][0]["what"]


@pytest.mark.parametrize("content", [b'service: "\\ud800"\n', b'"\\ud800": 1\n'])
def test_half_a_character_in_yaml_is_refused_in_words(desk: Desk, content: bytes) -> None:
    headers = {"Idempotency-Key": "k", "Content-Type": "application/yaml"}
    answer = desk.ask("POST", "/v1/rollouts", content=content, headers=headers)
    assert "half a character" in problem(answer)["mistakes"][0]["what"]


def test_body_of_another_media_type_is_refused(desk: Desk) -> None:
    headers = {"Idempotency-Key": "k", "Content-Type": "text/plain"}
    answer = desk.ask("POST", "/v1/rollouts", content="service: a/b", headers=headers)
    assert (answer.status_code, problem(answer)["code"]) == (415, "wrong-type")


def test_service_that_is_not_there_is_the_files_mistake(desk: Desk) -> None:
    file = desk.file(service="elsewhere/checkout")
    answer = desk.ask("POST", "/v1/rollouts", json=file, headers={"Idempotency-Key": "k"})
    assert (answer.status_code, problem(answer)["code"]) == (422, "missing")


def test_aws_out_of_reach_is_a_502_and_starts_nothing(desk: Desk) -> None:
    desk.stage.world.faults.add(Fault(operation="DescribeServices", kind="denied"))
    answer = desk.ask("POST", "/v1/rollouts", json=desk.file(), headers={"Idempotency-Key": "k"})
    assert (answer.status_code, problem(answer)["code"]) == (502, "denied")
    assert desk.ask("GET", "/v1/rollouts").json()["rollouts"] == []


def test_list_is_filtered_by_service_phase_and_activity(desk: Desk) -> None:
    started = desk.start()["id"]

    def listed(query: str) -> list[str]:
        return [row["id"] for row in desk.ask("GET", f"/v1/rollouts?{query}").json()["rollouts"]]

    assert listed("") == listed("service=prod/checkout") == [started]
    assert (
        listed("phase=pending")
        == listed("phase=pending&phase=shifting")
        == listed("active=true")
        == [started]
    )
    assert listed("service=prod/cart") == listed("phase=shifting") == listed("active=false") == []


def test_list_goes_on_at_its_cursor(desk: Desk) -> None:
    ended = desk.start("a")["id"]
    desk.ask("POST", f"/v1/rollouts/{ended}/abandon", json={"reason": "to make room"})
    desk.until(ended, Phase.ABANDONED)
    active = desk.start("b")["id"]
    page = desk.ask("GET", "/v1/rollouts?limit=1").json()
    rest = desk.ask("GET", f"/v1/rollouts?limit=1&cursor={page['next']}").json()
    assert [page["rollouts"][0]["id"], rest["rollouts"][0]["id"]] == [active, ended]
    assert rest["next"] == ""


def test_unknown_cursor_phase_and_rollout_are_problems(desk: Desk) -> None:
    assert problem(desk.ask("GET", "/v1/rollouts?cursor=nobody"))["code"] == "invalid"
    assert problem(desk.ask("GET", "/v1/rollouts?phase=flying"))["mistakes"][0]["where"] == "query"
    assert problem(desk.ask("GET", "/v1/rollouts/nobody"))["code"] == "not-found"


@pytest.mark.parametrize("name", ["checkout", "prod/checkout", "prod%2Fcheckout"])
def test_service_stands_for_its_active_rollout(desk: Desk, name: str) -> None:
    started = desk.start()
    assert desk.ask("GET", f"/v1/rollouts/{name}").json() == started
    assert desk.ask("GET", f"/v1/rollouts/{name}/events").json()["next"] == 1
    assert desk.ask("POST", f"/v1/rollouts/{name}/pause").status_code == 200


def test_wait_answers_when_the_version_changes(desk: Desk) -> None:
    started = desk.start()

    async def script(client: httpx.AsyncClient) -> tuple[httpx.Response, float]:
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(client.get(f"/v1/rollouts/{started['id']}?wait=60&version=1"))
            await asyncio.sleep(10)
            assert not waiting.done()
            async with desk.working():
                answer = await waiting
        return answer, loop.time() - began

    answer, seconds = desk.run(script)
    assert answer.json()["version"] > 1
    assert 10 <= seconds < 12  # virtual seconds: it answers soon after the first commit


def test_wait_ends_with_the_same_version_when_nothing_happens(desk: Desk) -> None:
    started = desk.start()
    before = desk.stage.clock.now()
    answer = desk.ask("GET", f"/v1/rollouts/{started['id']}?wait=7")
    assert (answer.json()["version"], (desk.stage.clock.now() - before).total_seconds()) == (1, 7)


def test_known_etag_is_answered_with_304_after_the_wait(desk: Desk) -> None:
    started = desk.start()
    path = f"/v1/rollouts/{started['id']}"
    known = desk.ask("GET", path).headers["etag"]
    same = desk.ask("GET", f"{path}?wait=3", headers={"If-None-Match": known})
    assert (same.status_code, same.content) == (304, b"")
    assert desk.ask("GET", path, headers={"If-None-Match": '"0"'}).status_code == 200
    assert desk.ask("GET", path, headers={"If-None-Match": "no tag of ours"}).status_code == 200


def test_wait_ends_when_the_server_shuts_down(desk: Desk) -> None:
    started = desk.start()

    async def script(client: httpx.AsyncClient) -> httpx.Response:
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(client.get(f"/v1/rollouts/{started['id']}?wait=60"))
            await asyncio.sleep(1)
            desk.door.closing.set()
            async with asyncio.timeout(1):
                return await waiting

    assert desk.run(script).status_code == 200
