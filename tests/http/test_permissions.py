"""Every role against every call of the door: what the table says is what the door does."""

from collections.abc import Iterator

import pytest

from api.app import calls
from api.auth.roles import CALLS, FOR_ALL_SERVICES, Open, needed_for
from api.auth.tokens import new_token
from docs.pages.permissions_http import may
from orchestrator.core.domain.roles import Role
from orchestrator.ports.tokens import Token
from tests.http.desk import Desk, problem
from tests.support.rehearsal import Rehearsal

COLUMNS = ("no token", *Role)
BODIES: dict[str, dict[str, object]] = {"back_rollout": {"to": 10}}


@pytest.fixture(scope="module")
def manned() -> Iterator[tuple[Desk, dict[str, str]]]:
    """A desk with one rollout, and a token of each role, and one of an admin of other services alone."""
    with Rehearsal(requests_per_second=2) as stage:
        desk = Desk(stage)
        desk.start()
        tokens = {role.value: keep(desk, role) for role in Role}
        tokens["limited"] = keep(desk, Role.ADMIN, services=("staging/*",))
        stage.clock.now()
        desk.door.auth.is_required = True
        yield desk, tokens


def keep(desk: Desk, role: Role, services: tuple[str, ...] = ()) -> str:
    text, digest = new_token()
    token = Token(
        id=f"t-{role}-{len(services)}",
        name=role.value,
        role=role,
        services=services,
        created_at=desk.stage.clock.now(),
        created_by="local",
    )
    desk.run(lambda _: desk.engine.store.add_token(token, digest=digest))
    return text


def status(desk: Desk, call: tuple[str, str, str], token: str = "") -> tuple[int, str]:
    """How a call is answered: its status and its problem's code."""
    name, method, path = call
    headers = {"Idempotency-Key": "k", **({"Authorization": f"Bearer {token}"} if token else {})}
    where = path.replace("{id}", "nobody").replace("{code}", "conflict").replace("{name}", "prod/checkout")
    body = BODIES.get(name, {}) if method == "POST" else None
    answer = desk.ask(method, where, headers=headers, json=body)
    code = problem(answer)["code"] if answer.status_code >= 400 and name != "is_ready" else ""
    if answer.status_code == 401:
        assert answer.headers["www-authenticate"] == 'Bearer realm="teal"'
    if code == "forbidden":
        assert "insufficient_scope" in answer.headers["www-authenticate"]
    return answer.status_code, code


@pytest.mark.parametrize("call", calls(), ids=lambda call: call[0])
def test_call_is_let_in_exactly_as_the_table_says(
    manned: tuple[Desk, dict[str, str]], call: tuple[str, str, str]
) -> None:
    desk, tokens = manned
    answers = [status(desk, call), *(status(desk, call, tokens[role]) for role in Role)]
    let_in = tuple(code not in ("unauthenticated", "forbidden") for _, code in answers)
    assert let_in == may(call[0]), dict(zip(COLUMNS, answers, strict=True))


@pytest.mark.parametrize("call", calls(), ids=lambda call: call[0])
def test_admin_of_some_services_may_not_do_what_reaches_beyond_them(
    manned: tuple[Desk, dict[str, str]], call: tuple[str, str, str]
) -> None:
    desk, tokens = manned
    _, code = status(desk, call, tokens["limited"])
    assert (code == "forbidden") == (call[0] in FOR_ALL_SERVICES)


def test_matrix_has_a_row_for_every_call_and_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    rows = matrix().splitlines()
    assert [row.split()[0] for row in rows[1:]] == [name for name, _, _ in calls()]
    assert all(
        set(row.split()[1:]) <= {"yes", "."} and len(row.split()) == 1 + len(COLUMNS) for row in rows[1:]
    )
    with capsys.disabled():
        print("\n" + matrix())


def test_table_has_a_row_for_every_call_and_no_other_but_signed_ones() -> None:
    signed = {name for name, needed in CALLS.items() if needed is Open.SIGNED}
    assert {name for name, _, _ in calls()} == set(CALLS) - signed
    with pytest.raises(AssertionError, match="roles"):
        needed_for("forgotten")


def matrix() -> str:
    """Role against call, as a table for a terminal."""
    rows = [
        ("", *COLUMNS),
        *((name, *("yes" if yes else "." for yes in may(name))) for name, _, _ in calls()),
    ]
    wide = max(len(row[0]) for row in rows)
    return "\n".join(f"{row[0]:<{wide}}  " + "  ".join(f"{cell:<8}" for cell in row[1:]) for row in rows)
