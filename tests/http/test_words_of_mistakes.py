"""Every parameter and member of a body given what it is not, on a live rollout: no answer speaks Python or a regex."""

from collections.abc import Iterator
from typing import Any

import httpx

from api.app import published
from api.http.request.mistake_words import words_of
from tests.config.test_words_of_mistakes import FOREIGN
from tests.http.desk import Desk, problem

TEXTS = ("", " ", "?", "-1", "1.5", "nan", "9" * 30, "x" * 1200, "a\tb", "\x1b[31m", "a\nb")
VALUES: tuple[object, ...] = (None, True, 7, -1, 1.5, 10**17, *TEXTS, [], [None], ["\x00"], [7], {}, {"?": 1})
FILES = {
    "start_rollout",
    "preflight",
    "simulate",
}  # of which `tests.config.test_words_of_mistakes` asks the same
Node = dict[str, Any]


def asked(rollout: str) -> Iterator[tuple[str, str, Node]]:
    """Method, path and what else belongs to each wrong request."""
    document = published()
    for path, calls in document["paths"].items():
        for method, call in calls.items():
            if "{" in path and "{id}" not in path:
                continue
            at = path.replace("{id}", rollout)
            for one in call.get("parameters", ()):
                for text in TEXTS:
                    if one["in"] == "query":
                        yield method, at, {"params": {one["name"]: text}}
                    elif one["in"] == "header" and text.isprintable():
                        yield method, at, {"headers": {one["name"]: text}, "json": {}}
            if call["operationId"] in FILES or "requestBody" not in call:
                continue
            for value in VALUES:
                yield method, at, {"json": value}
                for member in members(document, call):
                    yield method, at, {"json": {member: value}}


def members(document: Node, call: Node) -> list[str]:
    kind = call["requestBody"]["content"]["application/json"]["schema"]
    for part in kind.get("anyOf", ()):
        kind = part if "$ref" in part else kind
    name = kind["$ref"].rpartition("/")[2]
    return list(document["components"]["schemas"][name]["properties"])


def test_no_answer_speaks_python_or_a_regex(desk: Desk) -> None:
    rollout, wrong, refused = desk.start()["id"], set[str](), 0

    async def script(client: httpx.AsyncClient) -> None:
        nonlocal refused
        for method, path, more in asked(rollout):
            if path.endswith("/stream"):
                continue  # what it takes is asked of `/events`
            answer = await client.request(method, path, **more)
            assert answer.status_code < 500, (method, path, more, answer.text)
            if answer.status_code != 422:
                continue
            refused += 1
            told = problem(answer)
            for mistake in told["mistakes"]:
                words = f"{mistake['what']}: {mistake['instead']}"
                if FOREIGN.search(words) or not mistake["instead"] or not mistake["what"]:
                    wrong.add(f"{path} {mistake['pointer']}: {words}")
            if FOREIGN.search(told["detail"]):
                wrong.add(f"{path}: {told['detail']}")

    desk.run(script)
    assert sorted(wrong) == []
    assert refused > 300


def test_what_has_no_words_of_its_own_is_still_said_in_words() -> None:
    what, instead = words_of({"type": "uuid_parsing", "msg": "Input should be a valid UUID", "ctx": {}})
    assert not FOREIGN.search(f"{what}: {instead}")


def test_a_wrong_cursor_is_called_so_also_in_the_detail(desk: Desk) -> None:
    for path in ("/v1/rollouts", "/v1/audit"):
        told = problem(desk.ask("GET", f"{path}?cursor=nobody"))
        assert told["detail"] == "query /cursor: no page ends at `nobody`"
