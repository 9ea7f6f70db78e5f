"""HTTP as its RFCs say: conditions, replays, methods, parameters, and what every problem has."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema_rs import validator_for

from api.app import published
from api.auth.tokens import is_token
from api.http.openapi.examples import example_of
from api.problems import kinds, title_of
from orchestrator.core.domain.commands import Actor
from orchestrator.core.domain.errors import Conflict
from orchestrator.core.domain.phases import Phase
from orchestrator.engine.commands import Begun, start
from orchestrator.outbound.addresses import refusal_before
from orchestrator.outbound.targets import target_of
from orchestrator.settings import Hosts
from tests.contract.store_values import a_rollout
from tests.http.desk import Desk, problem

Node = Any  # a value of a JSON document


def test_a_command_for_a_version_that_has_passed_is_refused_and_changes_nothing(desk: Desk) -> None:
    rollout = desk.start()["id"]
    tag = desk.ask("GET", f"/v1/rollouts/{rollout}").headers["etag"]
    stale = desk.ask("POST", f"/v1/rollouts/{rollout}/pause", headers={"If-Match": '"999"'})
    assert (stale.status_code, problem(stale)["code"]) == (412, "changed")
    assert "ETag" in problem(stale)["next_step"]
    assert desk.ask("POST", f"/v1/rollouts/{rollout}/pause", headers={"If-Match": tag}).status_code == 200


def test_a_weak_tag_matches_nothing_and_a_star_whatever_is_there(desk: Desk) -> None:
    rollout = desk.start()["id"]
    tag = desk.ask("GET", f"/v1/rollouts/{rollout}").headers["etag"]
    weak = desk.ask("POST", f"/v1/rollouts/{rollout}/pause", headers={"If-Match": f"W/{tag}"})
    assert weak.status_code == 412
    assert desk.ask("POST", f"/v1/rollouts/{rollout}/pause", headers={"If-Match": "*"}).status_code == 200


def test_a_replayed_answer_says_that_it_is_one(desk: Desk) -> None:
    headers = {"Idempotency-Key": "k"}
    file = desk.file()
    first = desk.ask("POST", "/v1/rollouts", json=file, headers=headers)
    again = desk.ask("POST", "/v1/rollouts", json=file, headers=headers)
    assert "idempotency-replayed" not in first.headers
    assert (again.json()["id"], again.headers["idempotency-replayed"]) == (first.json()["id"], "true")


def test_a_replayed_command_says_that_it_is_one_also_under_a_condition_that_no_longer_holds(
    desk: Desk,
) -> None:
    rollout = desk.start()["id"]
    desk.until(rollout, Phase.SHIFTING)
    tag = desk.ask("GET", f"/v1/rollouts/{rollout}").headers["etag"]
    headers = {"Idempotency-Key": "k", "If-Match": tag}
    first = desk.ask("POST", f"/v1/rollouts/{rollout}/pause", headers=headers)
    assert (first.status_code, first.headers.get("idempotency-replayed")) == (200, None)

    async def applied(client: httpx.AsyncClient) -> None:
        async with desk.working():
            for _ in range(2000):
                if (await client.get(f"/v1/rollouts/{rollout}")).json()["paused_by"]:
                    return
                await asyncio.sleep(0.25)

    desk.run(applied)
    assert desk.ask("GET", f"/v1/rollouts/{rollout}").headers["etag"] != tag
    again = desk.ask("POST", f"/v1/rollouts/{rollout}/pause", headers=headers)
    assert (again.status_code, again.headers["idempotency-replayed"]) == (200, "true")
    assert again.headers["etag"] != tag


def test_a_key_of_an_earlier_version_still_answers_its_own_caller_alone(desk: Desk) -> None:
    row = a_rollout("checkout-1", service="elsewhere", created_at=desk.stage.clock.now())
    kept = desk.stage.store.create(
        row, claims=frozenset({"one"}), key="k", events=(), wake_at=desk.stage.clock.now()
    )
    stored = desk.stage.run(kept)
    spec = row.spec

    def started(author: Actor) -> Begun:
        return desk.stage.run(
            start(
                spec,
                author=author,
                key="k",
                store=desk.stage.store,
                cloud=desk.stage.cloud,
                clock=desk.stage.clock,
            )
        )

    assert started(row.author) == Begun(stored=stored, is_replayed=True)
    with pytest.raises(Conflict):
        started(Actor(name="somebody else"))


def test_a_key_of_somebody_else_is_refused_for_a_command(desk: Desk) -> None:
    rollout = desk.start()["id"]
    for user, status in (("one", 200), ("ONE", 200), ("two", 409)):
        headers = {"Idempotency-Key": "k", "X-Teal-User": user}
        assert desk.ask("POST", f"/v1/rollouts/{rollout}/pause", headers=headers).status_code == status


def test_a_service_that_is_held_says_when_to_ask_again(desk: Desk) -> None:
    desk.start()
    answer = desk.ask("POST", "/v1/rollouts", json=desk.file(), headers={"Idempotency-Key": "other"})
    assert (answer.status_code, answer.headers["retry-after"]) == (409, "30")


def test_a_server_that_is_not_well_says_when_to_ask_again(desk: Desk) -> None:
    desk.door.is_alive = desk.door.is_working = False
    for path in ("/healthz", "/readyz"):
        answer = desk.ask("GET", path)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


@pytest.mark.parametrize(
    ("call", "status"), [("get_rollout", 429), ("get_rollout", 503), ("start_rollout", 409)]
)
def test_the_document_says_where_waiting_helps(call: str, status: int) -> None:
    document = published()
    answer = next(
        one["responses"][str(status)]
        for path in document["paths"].values()
        for one in path.values()
        if one["operationId"] == call
    )
    if "$ref" in answer:
        answer = document["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    assert "Retry-After" in answer["headers"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_answers_head_as_get_without_content(desk: Desk, path: str) -> None:
    head, get = desk.ask("HEAD", path), desk.ask("GET", path)
    assert (head.status_code, head.content) == (get.status_code, b"")
    assert head.headers["content-length"] == get.headers["content-length"]
    assert desk.ask("POST", path).headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    ("path", "known"),
    [("/v1/rollouts?limt=5", "active, cursor, limit, phase, service"), ("/v1/me?x", "takes none")],
)
def test_an_unknown_parameter_is_refused_with_the_known_ones(desk: Desk, path: str, known: str) -> None:
    answer = desk.ask("GET", path)
    (mistake,) = problem(answer)["mistakes"]
    assert (answer.status_code, mistake["where"]) == (422, "query")
    assert mistake["pointer"] in ("/limt", "/x")
    assert known in mistake["instead"]


def test_a_wrong_cursor_is_the_fault_of_the_parameter_cursor(desk: Desk) -> None:
    for path in ("/v1/rollouts", "/v1/audit"):
        (mistake,) = problem(desk.ask("GET", f"{path}?cursor=nobody"))["mistakes"]
        assert (mistake["where"], mistake["pointer"]) == ("query", "/cursor")


@pytest.mark.parametrize("weight", [0.611, 12.34, "0.611%", 0, 101])
def test_a_weight_that_no_step_can_have_fits_neither_schema_nor_door(desk: Desk, weight: object) -> None:
    rollout = desk.start()["id"]
    schema = published()["components"]["schemas"]["BackBody"]
    assert not validator_for(schema).is_valid({"to": weight})
    answer = desk.ask("POST", f"/v1/rollouts/{rollout}/back", json={"to": weight})
    assert (answer.status_code, problem(answer)["mistakes"][0]["pointer"]) == (422, "/to")


def test_every_weight_that_a_step_can_have_fits_the_schema() -> None:
    fits = validator_for(published()["components"]["schemas"]["BackBody"])
    assert all(fits.is_valid({"to": tenths / 10}) for tenths in range(1, 1001))


def test_every_example_of_the_document_is_of_its_kind() -> None:
    document = published()
    checked = 0
    for schema, example in _examples(document):
        fit = validator_for({**schema, "components": document["components"]})
        assert fit.is_valid(example), (schema, example)
        checked += 1
    assert checked > 200


def _examples(document: Node) -> Iterator[tuple[Node, Node]]:
    """Every example of a document, with the schema it is an example of."""
    for node in _nodes(document):
        if isinstance(node.get("schema"), dict):
            if "example" in node:
                yield node["schema"], node["example"]
        elif isinstance(node.get("examples"), list):
            yield from ((node, example) for example in node["examples"])


def _nodes(node: Node) -> Iterator[dict[str, Node]]:
    if isinstance(node, dict):
        yield node
        for part in node.values():
            yield from _nodes(part)
    elif isinstance(node, list):
        for part in node:
            yield from _nodes(part)


def test_an_example_of_a_problem_has_what_its_kind_has() -> None:
    for schema, example in _examples(published()):
        if schema == {"$ref": "#/components/schemas/Problem"}:
            kind = next(kind for kind in kinds() if kind.code == example["code"])
            assert example["title"] == title_of(kind)
            assert example["next_step"]
            assert bool(example["holder"]) is issubclass(kind, Conflict)


def test_an_example_of_a_token_and_of_a_finding_could_be_one() -> None:
    made, found = example_of("create_token"), example_of("preflight")
    assert made is not None
    assert is_token(made["text"])
    assert found is not None
    code = found["findings"][0]["code"]
    assert any(f'"{code}"' in path.read_text() for path in Path("orchestrator/preflight").rglob("*.py"))


def test_an_address_that_is_too_long_is_414(desk: Desk) -> None:
    answer = desk.ask("GET", "/v1/rollouts?service=" + "x" * 9000)
    assert (answer.status_code, problem(answer)["code"]) == (414, "address-too-long")


def test_every_problem_says_what_to_do_next(desk: Desk) -> None:
    asked = [
        desk.ask("PUT", "/v1/rollouts"),
        desk.ask("GET", "/nothing"),
        desk.ask("GET", "/v1/rollouts/nobody"),
        desk.ask("GET", "/v1/rollouts?limit=0"),
        desk.ask("POST", "/v1/rollouts", content=b"{", headers={"Idempotency-Key": "k"}),
    ]
    assert all(problem(answer)["next_step"] for answer in asked)


@pytest.mark.parametrize(
    "url",
    [
        "https://169.254.169.254/latest",
        "https://127.0.0.1/x",
        "https://10.0.0.7/x",
        "https://[::1]/x",
        "https://localhost/x",
    ],
)
def test_an_address_that_run_time_would_refuse_is_refused_before(url: str) -> None:
    found = refusal_before(target_of(url), Hosts())
    assert found is not None
    assert "no request may go to" in found[0]
    opened = refusal_before(
        target_of(url), Hosts(private=("127.0.0.1", "10.*", "::1", "localhost", "169.254.*"))
    )
    assert (opened is None) is ("169.254" not in url)
