"""Coming in: tokens, scopes, the audit of calls, and what is asked of whom."""

import asyncio
from collections.abc import MutableMapping
from datetime import timedelta
from typing import Any

import httpx
import pytest

from api.app import create_app
from api.auth.tokens import PREFIX, digest_of, is_token, new_token
from orchestrator.core.domain.roles import Role
from orchestrator.ports.tokens import Token
from orchestrator.settings import Person, Settings
from tests.http.desk import Desk, problem, stream_events


def make(desk: Desk, by: str = "", **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - a token's fields
    """Make a token through the door."""
    body = {"name": "ci", "role": "admin", **fields}
    answer = desk.ask("POST", "/v1/tokens", json=body, headers=bearer(by))
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"} if text else {}


def later(desk: Desk, **time: float) -> None:
    desk.run(lambda _: asyncio.sleep(timedelta(**time).total_seconds()))


def get(desk: Desk, path: str, token: str = "") -> httpx.Response:
    return desk.ask("GET", path, headers=bearer(token))


# tokens ---------------------------------------------------------------------------------------------------------


def test_text_of_a_token_has_a_checksum_and_only_its_digest_is_kept(desk: Desk) -> None:
    text, digest = new_token()
    assert text.startswith(PREFIX)
    assert is_token(text)
    assert not is_token(text[:-1] + ("0" if text[-1] != "0" else "1"))
    assert digest == digest_of(text)
    made = make(desk)
    assert made["text"] not in str(desk.run(lambda _: desk.engine.store.tokens()))
    assert made["text"] not in get(desk, "/v1/tokens", made["text"]).text


def test_first_token_locks_the_door_for_everybody_without_one(desk: Desk) -> None:
    assert get(desk, "/v1/me").json()["by"] == "local"
    made = make(desk)
    assert problem(get(desk, "/v1/rollouts"))["code"] == "unauthenticated"
    assert get(desk, "/healthz").status_code == 200
    me = get(desk, "/v1/me", made["text"]).json()
    assert (me["name"], me["role"], me["by"], me["token"]) == ("ci", "admin", "token", made["token"]["id"])


def test_who_may_not_is_told_whom_to_ask(desk: Desk) -> None:
    told = problem(get(desk, "/v1/tokens", make(desk, role="operator")["text"]))
    assert (told["code"], told["next_step"]) == ("forbidden", "ask an admin")


def test_door_stays_locked_when_its_last_token_ends(desk: Desk) -> None:
    made = make(desk, expires="1h")
    later(desk, seconds=1)
    assert get(desk, "/v1/me").status_code == 401
    later(desk, hours=2)
    assert get(desk, "/v1/me").status_code == 401
    assert "expired" in problem(get(desk, "/v1/me", made["text"]))["detail"]


def test_revoked_token_lets_nobody_in_and_ends_the_streams_it_opened(desk: Desk) -> None:
    rollout = desk.start()["id"]
    admin = make(desk)
    other = make(desk, admin["text"], name="reader", role="viewer")
    live = {**bearer(other["text"]), "Accept": "text/event-stream"}

    async def script(client: httpx.AsyncClient) -> str:
        async with asyncio.TaskGroup() as group:
            stream = group.create_task(client.get(f"/v1/rollouts/{rollout}/events", headers=live))
            await asyncio.sleep(5)
            gone = await client.delete(f"/v1/tokens/{other['token']['id']}", headers=bearer(admin["text"]))
            assert gone.json()["is_valid"] is False
            return (await stream).text

    assert len(stream_events(desk.run(script))) == 1
    told = get(desk, "/v1/me", other["text"])
    assert (told.status_code, "revoked" in problem(told)["detail"]) == (401, True)
    assert told.headers["www-authenticate"] == 'Bearer realm="teal", error="invalid_token"'


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic YWRtaW46YWRtaW4=",
        "Bearer a b",
        "Bearer teal_short",
        "Bearer teal_00000000000000000000000000000000000000000000000000",
        "Bearer " + "x" * 20_000,
        "Bearer a.b.c",
        "Bearer t\xe9al",
    ],
)
def test_whatever_is_no_valid_token_is_refused_in_the_same_way(desk: Desk, header: str) -> None:
    make(desk)
    later(desk, seconds=1)
    headers = [(b"authorization", header.encode("latin-1"))]
    answer = desk.ask("GET", "/v1/rollouts", headers=headers)
    assert (answer.status_code, problem(answer)["code"]) == (401, "unauthenticated")
    assert "teal_" not in answer.text


def test_two_authorization_headers_are_refused(desk: Desk) -> None:
    text = make(desk)["text"].encode()
    headers = [(b"authorization", b"Bearer " + text), (b"authorization", b"Bearer " + text)]
    later(desk, seconds=1)
    assert desk.ask("GET", "/v1/me", headers=headers).status_code == 401


def test_last_use_is_noted_at_most_once_a_minute(desk: Desk) -> None:
    text = make(desk)["text"]
    first = get(desk, "/v1/tokens", text).json()["tokens"][0]["last_used_at"]
    later(desk, seconds=50)
    assert get(desk, "/v1/tokens", text).json()["tokens"][0]["last_used_at"] == first
    later(desk, seconds=15)
    assert get(desk, "/v1/tokens", text).json()["tokens"][0]["last_used_at"] > first


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"role": "root"}, "/role"),
        ({"name": ""}, "/name"),
        ({"name": "a\nb"}, "/name"),
        ({"services": ["prod/check out"]}, "/services/0"),
        ({"expires": "yesterday"}, "/expires"),
        ({"expires": "2027-01-31"}, "/expires"),
        ({"expires": "2001-01-31T00:00:00Z"}, "/expires"),
        ({"expires": 5}, "/expires"),
        ({"colour": "teal"}, "/colour"),
    ],
)
def test_mistake_in_the_body_for_a_token_is_reported_at_its_pointer(
    desk: Desk, fields: dict[str, Any], pointer: str
) -> None:
    answer = desk.ask("POST", "/v1/tokens", json={"name": "ci", "role": "viewer", **fields})
    assert answer.status_code == 422
    assert [mistake["pointer"] for mistake in problem(answer)["mistakes"]] == [pointer]
    assert desk.ask("GET", "/v1/tokens").json()["tokens"] == []


def test_same_key_makes_no_second_token(desk: Desk) -> None:
    headers = {"Idempotency-Key": "k"}
    body = {"name": "ci", "role": "admin"}
    first = desk.ask("POST", "/v1/tokens", json=body, headers=headers).json()
    again = desk.ask("POST", "/v1/tokens", json=body, headers={**headers, **bearer(first["text"])})
    assert again.status_code == 201  # the token itself asks now, so it is another maker's key
    third = desk.ask("POST", "/v1/tokens", json=body, headers={**headers, **bearer(first["text"])})
    assert (third.status_code, problem(third)["code"]) == (409, "conflict")
    assert "revoke" in problem(third)["next_step"]


# what somebody reaches ------------------------------------------------------------------------------------------


def test_other_services_are_not_there_for_somebody_limited_to_some(desk: Desk) -> None:
    rollout = desk.start()["id"]
    limited = make(desk, role="approver", name="elsewhere", services=["staging/*"])["text"]
    assert get(desk, "/v1/rollouts", limited).json() == {"rollouts": [], "next": ""}
    assert get(desk, "/v1/services", limited).json()["services"] == []
    absent = problem(get(desk, "/v1/rollouts/nobody", limited))
    for name in (rollout, "checkout", "prod/checkout"):
        told = problem(get(desk, f"/v1/rollouts/{name}", limited))
        assert {**told, "detail": "", "instance": ""} == {**absent, "detail": "", "instance": ""}
        for part in ("events", "report"):
            assert get(desk, f"/v1/rollouts/{name}/{part}", limited).status_code == 404
        answer = desk.ask("POST", f"/v1/rollouts/{name}/rollback", headers=bearer(limited))
        assert (answer.status_code, problem(answer)["code"]) == (404, "not-found")
    assert get(desk, "/v1/services/prod/checkout", limited).status_code == 404


def test_somebody_limited_starts_and_looks_only_for_their_services(desk: Desk) -> None:
    limited = make(desk, role="operator", services=["staging/*"])["text"]
    headers = {**bearer(limited), "Idempotency-Key": "k"}
    for path in ("/v1/rollouts", "/v1/preflight"):
        answer = desk.ask("POST", path, json=desk.file(), headers=headers)
        assert (answer.status_code, problem(answer)["code"]) == (403, "forbidden")
    admin = kept(desk, Role.ADMIN)
    fit = make(desk, admin, name="ci checkout", role="operator", services=["prod/checkout"])["text"]
    answer = desk.ask("POST", "/v1/rollouts", json=desk.file(), headers={**headers, **bearer(fit)})
    assert (answer.status_code, answer.json()["author"]) == (201, "ci checkout")
    listed = get(desk, "/v1/rollouts?limit=1", fit).json()
    assert ([row["id"] for row in listed["rollouts"]], listed["next"]) == ([answer.json()["id"]], "")


def kept(desk: Desk, role: Role) -> str:
    """The text of a token that is put into the store past the door."""
    text, digest = new_token()
    now = desk.stage.clock.now()
    token = Token(id=f"t-{role}", name=role.value, role=role, created_at=now, created_by="local")
    desk.run(lambda _: desk.engine.store.add_token(token, digest=digest))
    return text


def test_groups_of_a_token_count_as_approvers_groups(desk: Desk) -> None:
    approval = {"approvers": ["group:release"], "not_author": False}
    fit = make(desk, role="approver", name="lead", groups=["release"])["text"]
    unfit = kept(desk, Role.APPROVER)
    started = desk.ask(
        "POST",
        "/v1/rollouts",
        json=desk.file(approval=approval),
        headers={**bearer(fit), "Idempotency-Key": "k"},
    ).json()["id"]
    desk.stage.let_run(timedelta(minutes=2))
    refused = desk.ask("POST", f"/v1/rollouts/{started}/approve", headers=bearer(unfit))
    assert (refused.status_code, "approvers" in problem(refused)["detail"]) == (409, True)
    assert desk.ask("POST", f"/v1/rollouts/{started}/approve", headers=bearer(fit)).status_code == 200


def test_no_token_has_a_persons_name_and_one_may_be_a_persons_own(desk: Desk) -> None:
    author = Person(name="author@example.com", also=("author-on-ci",), tokens=("author laptop",))
    desk.app = create_app(desk.engine, settings=Settings(people=(author,)))
    desk.door = desk.app.state.door
    for name in ("Author@Example.com", "author-on-CI"):
        answer = desk.ask("POST", "/v1/tokens", json={"name": name, "role": "admin"})
        assert (answer.status_code, problem(answer)["mistakes"][0]["pointer"]) == (422, "/name")
        assert "under their `tokens`" in problem(answer)["mistakes"][0]["instead"]
    own = make(desk, name="author laptop")
    assert get(desk, "/v1/me", own["text"]).json()["name"] == "author@example.com"


def test_token_whose_name_a_person_of_the_settings_has_too_lets_nobody_in_and_says_why(desk: Desk) -> None:
    shared = make(desk, name="author")
    desk.app = create_app(desk.engine, settings=Settings(people=(Person(name="Author"),)))
    answer = get(desk, "/v1/me", shared["text"])
    assert answer.status_code == 403
    assert shared["token"]["id"] in problem(answer)["detail"]
    assert "under the person's `tokens`" in problem(answer)["next_step"]


def test_author_in_another_spelling_may_not_approve_and_is_one_of_two(desk: Desk) -> None:
    rollout = desk.ask(
        "POST",
        "/v1/rollouts",
        json=desk.file(approval={"not_author": True, "required": 2}),
        headers={"Idempotency-Key": "k", "X-Teal-User": "Author@Example.com"},
    ).json()["id"]
    desk.stage.let_run(timedelta(minutes=2))
    answers = []
    for user in ("author@example.com", "one@example.com", "ONE@example.com", "two@example.com"):
        answer = desk.ask("POST", f"/v1/rollouts/{rollout}/approve", headers={"X-Teal-User": user})
        answers.append(answer.status_code)
        desk.stage.let_run(timedelta(seconds=15))
    assert answers == [409, 200, 409, 200]


def test_log_and_audit_name_the_token_that_was_shown(
    desk: Desk, lines: list[MutableMapping[str, Any]]
) -> None:
    rollout = desk.start()["id"]
    made = make(desk)
    desk.ask("POST", f"/v1/rollouts/{rollout}/pause", headers=bearer(made["text"]))
    call = get(desk, "/v1/audit", made["text"]).json()["calls"][0]
    assert (call["actor"], call["token"]) == ("ci", made["token"]["id"])
    assert lines[-2]["token"] == made["token"]["id"]


# the audit of calls ---------------------------------------------------------------------------------------------


def test_every_call_that_would_change_something_is_kept_however_it_was_answered(desk: Desk) -> None:
    rollout = desk.start()["id"]
    desk.ask("POST", f"/v1/rollouts/{rollout}/pause", headers={"X-Teal-User": "operator"})
    desk.ask("POST", f"/v1/rollouts/{rollout}/promote", headers={"X-Request-Id": "ci-17"})
    admin = make(desk)["text"]
    later(desk, seconds=1)
    viewer = make(desk, admin, name="reader", role="viewer")["text"]
    desk.ask("POST", f"/v1/rollouts/{rollout}/rollback", content=b"{", headers=bearer(viewer))
    desk.ask("POST", f"/v1/rollouts/{rollout}/rollback")
    desk.ask("DELETE", "/v1/tokens/nobody", headers=bearer(admin))
    get(desk, "/v1/rollouts", admin)
    desk.ask("POST", "/v1/preflight", json=desk.file(), headers=bearer(admin))
    calls = get(desk, "/v1/audit", admin).json()["calls"]
    assert [(call["actor"], call["call"], call["target"], call["outcome"]) for call in reversed(calls)] == [
        ("local", "POST /v1/rollouts", rollout, "ok"),
        ("operator", "POST /v1/rollouts/{id}/pause", rollout, "ok"),
        ("local", "POST /v1/rollouts/{id}/promote", rollout, "refused"),
        ("local", "POST /v1/tokens", calls[4]["target"], "ok"),
        ("ci", "POST /v1/tokens", calls[3]["target"], "ok"),
        ("reader", "POST /v1/rollouts/{id}/rollback", "", "forbidden"),
        ("", "POST /v1/rollouts/{id}/rollback", "", "unauthenticated"),
        ("ci", "DELETE /v1/tokens/{id}", "nobody", "not-found"),
    ]
    assert {call["source"] for call in calls} == {"http"}
    assert calls[5]["request"] == "ci-17"
    assert calls[0]["address"] == "127.0.0.1"


def test_audit_goes_on_at_its_cursor(desk: Desk) -> None:
    rollout = desk.start()["id"]
    for _ in range(4):
        desk.ask("POST", f"/v1/rollouts/{rollout}/pause")
    whole = desk.ask("GET", "/v1/audit").json()["calls"]
    found: list[Any] = []
    cursor = ""
    while True:
        page = desk.ask("GET", f"/v1/audit?limit=2&cursor={cursor}").json()
        found += page["calls"]
        cursor = page["next"]
        if not cursor:
            break
    assert found == whole
    assert len(whole) == 5
    assert problem(desk.ask("GET", "/v1/audit?cursor=nobody"))["code"] == "invalid"


def test_line_in_the_log_says_who_and_what_and_never_a_secret(desk: Desk, lines: list[Any]) -> None:
    text = make(desk)["text"]
    lines.clear()
    get(desk, "/v1/rollouts/nobody%1Binjected", text)
    told = [line for line in lines if line["event"] == "request_answered"]
    assert_line(told[0])
    assert text not in str(lines)


def assert_line(line: MutableMapping[str, Any]) -> None:
    assert (line["actor"], line["role"], line["by"], line["source"]) == ("ci", "admin", "token", "http")
    assert (line["route"], line["address"], line["status"]) == ("/v1/rollouts/{id}", "127.0.0.1", 422)
    assert line["path"] == "/v1/rollouts/nobody%1Binjected"


# names and pages ------------------------------------------------------------------------------------------------


def asked_as(desk: Desk, settings: Settings, **headers: str) -> tuple[int, str]:
    desk.app = create_app(desk.engine, settings=settings, is_auth_required=True)
    answer = desk.ask("GET", "/v1/rollouts", headers=headers)
    return answer.status_code, str(problem(answer)["code"])


HERE = Settings(public_url="https://teal.example.com")


@pytest.mark.parametrize(
    ("settings", "headers", "code"),
    [
        (Settings(), {"Host": "teal.example.com"}, "unauthenticated"),
        (Settings(), {"Host": "10.0.0.7:8080"}, "unauthenticated"),
        (HERE, {"Host": "teal.example.com"}, "unauthenticated"),
        (HERE, {"Host": "127.0.0.1:8080"}, "unauthenticated"),
        (HERE, {"Host": "evil.example"}, "foreign"),
        (Settings(), {"Host": "a.example:8080", "Origin": "http://a.example:8080"}, "unauthenticated"),
        (Settings(), {"Host": "a.example", "Origin": "https://a.example"}, "unauthenticated"),
        (Settings(), {"Host": "a.example:8080", "Origin": "http://a.example"}, "foreign"),
        (Settings(), {"Host": "a.example", "Origin": "https://evil.example"}, "foreign"),
        (Settings(), {"Host": "a.example", "Origin": "null"}, "foreign"),
        (HERE, {"Host": "127.0.0.1:8080", "Origin": "https://teal.example.com"}, "unauthenticated"),
        (HERE, {"Host": "127.0.0.1:8080", "Origin": "http://teal.example.com"}, "foreign"),
        (Settings(), {"Host": "a.example", "Origin": "http://[::1"}, "foreign"),
    ],
)
def test_names_and_pages_that_may_ask_once_authentication_is_on(
    desk: Desk, settings: Settings, headers: dict[str, str], code: str
) -> None:
    assert asked_as(desk, settings, **headers)[1] == code


def test_load_balancer_may_ask_for_health_by_any_name(desk: Desk) -> None:
    desk.app = create_app(desk.engine, settings=HERE, is_auth_required=True)
    assert desk.ask("GET", "/healthz", headers={"Host": "10.0.0.7:8080"}).status_code == 200


def test_unknown_path_tells_nothing_to_somebody_unknown(desk: Desk) -> None:
    desk.app = create_app(desk.engine, is_auth_required=True)
    assert desk.ask("GET", "/nowhere").status_code == 401
    assert desk.ask("GET", "/openapi.json").status_code == 401


# bounds ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["header", "address"])
def test_long_headers_and_addresses_are_refused(desk: Desk, part: str) -> None:
    headers = {"X-Note": "x" * 40_000} if part == "header" else {}
    path = "/v1/rollouts" if part == "header" else f"/v1/rollouts?service={'x' * 9_000}"
    answer = desk.ask("GET", path, headers=headers)
    expected = {"header": (431, "headers-too-large"), "address": (414, "address-too-long")}
    assert (answer.status_code, problem(answer)["code"]) == expected[part]


@pytest.mark.parametrize("reason", ["\x00", "bell \x07", "\x1b[31mred", "a\rb", "\x9b1m"])
def test_reason_holds_nothing_that_a_terminal_would_obey(desk: Desk, reason: str) -> None:
    rollout = desk.start()["id"]
    answer = desk.ask("POST", f"/v1/rollouts/{rollout}/pause", json={"reason": reason})
    assert (answer.status_code, problem(answer)["mistakes"][0]["pointer"]) == (422, "/reason")
    assert desk.ask("POST", f"/v1/rollouts/{rollout}/pause", json={"reason": "two\nlines"}).status_code == 200


@pytest.mark.parametrize(
    "path", ["/v1/rollouts/a%00b", "/v1/rollouts?cursor=%00", "/v1/rollouts?service=a%0Ab"]
)
def test_control_characters_never_reach_the_store(desk: Desk, path: str) -> None:
    assert problem(desk.ask("GET", path))["code"] == "invalid"


def test_key_of_another_caller_or_service_tells_nothing_of_the_rollout_it_started(desk: Desk) -> None:
    started = desk.start(key="release-7")
    admin = make(desk)["text"]
    other = make(desk, admin, name="elsewhere", role="operator", services=["staging/*"])["text"]
    answer = desk.ask(
        "POST",
        "/v1/rollouts",
        json=desk.file(service="staging/checkout"),
        headers={**bearer(other), "Idempotency-Key": "release-7"},
    )
    assert answer.status_code != 201
    assert started["id"] not in answer.text
    mine = make(desk, admin, name="ci", role="operator")["text"]
    same = desk.ask(
        "POST", "/v1/rollouts", json=desk.file(), headers={**bearer(mine), "Idempotency-Key": "release-7"}
    )
    assert (same.status_code, problem(same)["code"]) == (409, "conflict")


def test_a_missing_token_is_told_where_the_terminal_takes_it_from(desk: Desk) -> None:
    make(desk)
    later(desk, seconds=1)
    assert "TEAL_TOKEN" in problem(get(desk, "/v1/me"))["next_step"]
