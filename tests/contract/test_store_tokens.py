"""What every store promises of bearer tokens; run over each store."""

from datetime import datetime, timedelta

import pytest

from orchestrator.core.domain.errors import Conflict, NotFound
from orchestrator.core.domain.roles import Role
from orchestrator.ports.store import Store
from orchestrator.ports.tokens import Token
from tests.contract.store_doors import SECOND, Play
from tests.contract.store_values import NOON

DIGEST = "ab" * 32


def a_token(id_: str = "t1", *, created_at: datetime = NOON, expires_at: datetime | None = None) -> Token:
    return Token(
        id=id_,
        name="release-pipeline",
        role=Role.OPERATOR,
        services=("prod/*", 'staging/"odd"'),
        groups=("release",),
        created_at=created_at,
        created_by="admin",
        expires_at=expires_at,
    )


def test_a_token_is_found_whole_by_its_digest(play: Play[None]) -> None:
    token = a_token(expires_at=NOON + timedelta(days=90))

    async def script(store: Store) -> None:
        await store.add_token(token, digest=DIGEST)
        assert await store.token_by_digest(DIGEST) == token
        assert await store.token_by_digest("cd" * 32) is None
        assert await store.token_by_digest("") is None

    play(script)


def test_tokens_are_listed_newest_first(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        assert await store.tokens() == ()
        tokens = [a_token("t2"), a_token("t3", created_at=NOON + SECOND), a_token("t1")]
        for token in tokens:
            await store.add_token(token, digest=token.id)
        assert [token.id for token in await store.tokens()] == ["t3", "t2", "t1"]

    play(script)


@pytest.mark.parametrize(("id_", "digest"), [("t1", "other"), ("t2", DIGEST)])
def test_an_id_and_a_digest_are_used_once(play: Play[None], id_: str, digest: str) -> None:
    async def script(store: Store) -> None:
        await store.add_token(a_token(), digest=DIGEST)
        with pytest.raises(Conflict, match=f"token {id_} cannot be kept") as caught:
            await store.add_token(a_token(id_), digest=digest)
        assert digest not in str(caught.value)
        assert await store.tokens() == (a_token(),)

    play(script)


def test_the_last_use_of_a_token_only_moves_on(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await store.add_token(a_token(), digest=DIGEST)
        for at in (NOON + SECOND, NOON, NOON + 2 * SECOND, NOON + SECOND):
            await store.token_used("t1", at=at)
        (token,) = await store.tokens()
        assert token.last_used_at == NOON + 2 * SECOND
        await store.token_used("unknown", at=NOON)
        assert await store.tokens() == (token,)

    play(script)


def test_a_token_is_revoked_once_and_stays_known(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await store.add_token(a_token(), digest=DIGEST)
        first = await store.revoke_token("t1", at=NOON + SECOND)
        assert (first.revoked_at, first.is_valid(NOON + SECOND)) == (NOON + SECOND, False)
        assert await store.revoke_token("t1", at=NOON + 2 * SECOND) == first
        assert await store.token_by_digest(DIGEST) == first

    play(script)


def test_an_unknown_token_cannot_be_revoked(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        with pytest.raises(NotFound, match=r"no token t1.*teal tokens list"):
            await store.revoke_token("t1", at=NOON)

    play(script)


def test_an_expired_token_is_still_found_so_that_a_door_can_say_so(play: Play[None]) -> None:
    async def script(store: Store) -> None:
        await store.add_token(a_token(expires_at=NOON + SECOND), digest=DIGEST)
        token = await store.token_by_digest(DIGEST)
        assert token is not None
        assert [token.is_valid(NOON + n * SECOND) for n in (0, 1)] == [True, False]

    play(script)
