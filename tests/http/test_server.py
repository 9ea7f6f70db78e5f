"""What holds for every call: problems, bounds, origins, ids, readiness, metrics, and the published document."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from api.app import create_app
from api.http.openapi import property_words
from api.http.request import middleware
from orchestrator.bootstrap import engine_of
from orchestrator.core.domain.errors import Refused
from orchestrator.core.domain.phases import Phase
from orchestrator.ports.rollouts import Stored
from orchestrator.store.memory.store import MemoryStore
from sandbox.world.kernel.faults import Fault
from tests.http.desk import Desk, problem


class FaultyStore(MemoryStore):
    """A store with a fault of our own making in one method."""

    async def find_active(self, service: str) -> Stored | None:
        raise AssertionError("a secret of the house")

    async def next_due(self) -> None:
        raise Refused(what="the disk is gone")


def test_unknown_path_and_method_are_problems(desk: Desk) -> None:
    assert problem(desk.ask("GET", "/nowhere"))["code"] == "no-such-path"
    answer = desk.ask("DELETE", "/v1/rollouts")
    assert (answer.status_code, problem(answer)["code"]) == (405, "wrong-method")


def test_type_of_a_problem_says_what_it_means(desk: Desk) -> None:
    told = problem(desk.ask("GET", "/v1/rollouts/nobody"))
    meaning = desk.ask("GET", told["type"]).json()
    assert meaning == {"code": told["code"], "meaning": told["title"], "status": 404}
    assert problem(desk.ask("GET", "/problems/unheard-of"))["status"] == 404


def test_fault_of_our_own_is_told_without_its_text(desk: Desk, lines: list[Any]) -> None:
    desk.app = create_app(engine_of(FaultyStore(), desk.stage.cloud, desk.stage.clock))
    answer = desk.ask("POST", "/v1/rollouts", json=desk.file(), headers={"Idempotency-Key": "k"})
    assert (answer.status_code, problem(answer)["code"]) == (500, "internal")
    assert "secret" not in answer.text
    assert answer.headers["x-request-id"]
    assert any(line["event"] == "request_failed" for line in lines)


@pytest.mark.parametrize("is_announced", [True, False])
def test_body_over_256_kib_is_refused_however_it_is_sent(desk: Desk, is_announced: bool) -> None:
    async def parts() -> AsyncIterator[bytes]:  # without a length in the header
        for _ in range(5):
            yield b"x" * 64 * 1024

    content = b"x" * (middleware.BODY_MAX + 1) if is_announced else parts()
    headers = {"Idempotency-Key": "k", "Content-Type": "application/json"}
    answer = desk.ask("POST", "/v1/rollouts", content=content, headers=headers)
    assert (answer.status_code, problem(answer)["code"]) == (413, "too-large")


@pytest.mark.parametrize("host", ["teal.example.com", "10.0.0.7:8080", "127.0.0.1.example.com", "[::1", ""])
def test_request_for_another_hosts_name_is_refused(desk: Desk, host: str) -> None:
    answer = desk.ask("GET", "/v1/rollouts", headers={"Host": host})
    assert (answer.status_code, problem(answer)["code"]) == (403, "foreign")


@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1", "127.9.9.9:1", "[::1]:8080"])
def test_request_for_this_machine_is_answered(desk: Desk, host: str) -> None:
    assert desk.ask("GET", "/v1/rollouts", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://[::1"])
def test_request_from_another_sites_page_is_refused(desk: Desk, origin: str) -> None:
    answer = desk.ask("POST", "/v1/rollouts/checkout/rollback", headers={"Origin": origin})
    assert (answer.status_code, problem(answer)["code"]) == (403, "foreign")
    assert desk.ask("GET", "/healthz", headers={"Origin": "http://localhost:8080"}).status_code == 200


def test_request_id_comes_back_and_is_made_where_none_is_fit(desk: Desk) -> None:
    assert desk.ask("GET", "/healthz", headers={"X-Request-Id": "ci-17"}).headers["x-request-id"] == "ci-17"
    made = desk.ask("GET", "/healthz", headers={"X-Request-Id": "a b"}).headers["x-request-id"]
    assert made not in ("a b", "")


def test_each_request_leaves_one_line_in_the_log(desk: Desk, lines: list[Any]) -> None:
    desk.ask("GET", "/v1/rollouts/nobody")
    (line,) = lines
    assert (line["event"], line["method"], line["path"], line["status"]) == (
        "request_answered",
        "GET",
        "/v1/rollouts/nobody",
        404,
    )


def test_process_is_ready_only_while_its_worker_runs(desk: Desk) -> None:
    assert desk.ask("GET", "/healthz").json() == {"alive": True}
    answer = desk.ask("GET", "/readyz")
    assert (answer.status_code, answer.json()["worker"]) == (503, "stopped")
    desk.door.is_working = True
    assert desk.ask("GET", "/readyz").status_code == 200
    desk.door.closing.set()
    assert desk.ask("GET", "/readyz").status_code == 503


def test_process_is_not_alive_once_its_engine_has_hung(desk: Desk) -> None:
    desk.door.is_alive = False
    answer = desk.ask("GET", "/healthz")
    assert (answer.status_code, answer.json()) == (503, {"alive": False})


def test_process_is_not_ready_while_its_store_is_silent(desk: Desk) -> None:
    desk.app = create_app(engine_of(FaultyStore(), desk.stage.cloud, desk.stage.clock))
    desk.app.state.door.is_working = True
    answer = desk.ask("GET", "/readyz")
    assert (answer.status_code, answer.json()["store"]) == (503, "silent")


def test_metrics_count_ticks_decisions_and_active_rollouts(desk: Desk) -> None:
    rollout = str(desk.start()["id"])
    desk.until(rollout, Phase.PROVISIONING)
    text = desk.ask("GET", "/metrics").text
    values = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert float(values['teal_ticks_total{outcome="committed"}']) >= 2
    assert values['teal_ticks_total{outcome="committed"}'] == values["teal_tick_seconds_count"]
    assert float(values['teal_decisions_total{kind="phase_changed"}']) == 2
    assert float(values['teal_rollouts_active{phase="provisioning"}']) == 1


def test_metrics_count_effects_that_failed_by_their_kind(desk: Desk) -> None:
    rollout = str(desk.start()["id"])
    desk.stage.world.faults.add(Fault(operation="CreateTargetGroup", kind="throttle"))
    desk.until(rollout, Phase.PROVISIONING)
    assert 'teal_effects_failed_total{effect="create_target_group"} 1.0' in desk.ask("GET", "/metrics").text


def test_preflight_answers_findings_and_the_plans_real_times(desk: Desk) -> None:
    found = desk.ask("POST", "/v1/preflight", json=desk.file()).json()
    assert found["is_fit"]
    assert [step["weight_percent"] for step in found["plan"]] == [10, 100]
    assert found["plan"][0]["lasts_seconds"] >= found["plan"][0]["bake_seconds"]
    assert found["rules"] == list(desk.stage.scenery.rules)
    unfit = desk.ask("POST", "/v1/preflight", json=desk.file(revision={"task_definition": "checkout:99"}))
    assert (unfit.status_code, unfit.json()["is_fit"]) == (200, False)
    assert desk.ask("GET", "/v1/rollouts").json()["rollouts"] == []


def test_schema_of_the_file_is_published(desk: Desk) -> None:
    assert desk.ask("GET", "/v1/schema").json()["title"] == "Teal rollout file"


def test_document_names_every_call_once_and_leads_nowhere_that_is_not_there(desk: Desk) -> None:
    document = desk.ask("GET", "/openapi.json").json()
    calls = [call for path in document["paths"].values() for call in path.values()]
    names = [call["operationId"] for call in calls]
    assert len(names) == len(set(names))
    assert {"start_rollout", "list_rollouts", "get_rollout", "list_events", "rollback_rollout"} <= set(names)
    assert all(call["summary"] and call["description"] for call in calls)
    for reference in references(document):
        _, kind, name = reference.removeprefix("#/").split("/")
        assert name in document["components"][kind], reference


def test_every_property_of_the_document_says_what_it_holds_and_no_word_is_of_none(desk: Desk) -> None:
    schemas = desk.ask("GET", "/openapi.json").json()["components"]["schemas"]
    fields = {
        (name, field): one
        for name, schema in schemas.items()
        for field, one in schema.get("properties", {}).items()
    }
    assert [where for where, one in fields.items() if not one.get("description")] == []
    written = {(name, field) for name, words in property_words.OF.items() for field in words}
    assert written - fields.keys() == set()
    assert set(property_words.EVERYWHERE) <= {field for name, field in fields.keys() - written}


def references(node: object) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [found for value in node.values() for found in references(value)]
    return [found for value in node for found in references(value)] if isinstance(node, list) else []


def test_client_that_goes_away_ends_its_stream(desk: Desk) -> None:
    rollout = desk.start()["id"]

    async def script(_: httpx.AsyncClient) -> None:
        gone = asyncio.Event()
        said = [{"type": "http.request", "body": b"", "more_body": False}]

        async def receive() -> dict[str, object]:
            if said:
                return dict(said.pop())
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: object) -> None:
            pass

        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "GET",
            "path": f"/v1/rollouts/{rollout}/events",
            "raw_path": b"",
            "query_string": b"",
            "headers": [(b"host", b"localhost"), (b"accept", b"text/event-stream")],
        }
        async with asyncio.timeout(5), asyncio.TaskGroup() as group:
            group.create_task(desk.app(scope, receive, send))
            await asyncio.sleep(1)
            assert desk.door.waiters == 1
            gone.set()

    desk.run(script)
    assert desk.door.waiters == 0


@pytest.mark.parametrize("asked", [{"rps": 0}, {"error_rate": 1}, {"runs": 100_000}, {"defect": "leek"}])
def test_a_simulation_that_means_nothing_is_refused(desk: Desk, asked: dict[str, object]) -> None:
    answer = desk.ask("POST", "/v1/simulate", json=desk.file(), params=asked)
    assert answer.status_code == 422
    assert answer.json()["mistakes"][0]["where"] == "query"
