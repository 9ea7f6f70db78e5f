from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from api.auth.oidc import Issuers
from orchestrator.core.domain.roles import Role
from orchestrator.settings import Issuer, Person, Settings
from tests.auth.issuer import AUDIENCE, FakeIssuer, an_issuer


@dataclass
class HandClock:
    """A clock that a test moves by hand."""

    moment: datetime = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def move(self, by: timedelta) -> None:
        self.moment += by


@dataclass
class Gate:
    """The issuers of a server, as one test sets them up."""

    issuer: FakeIssuer
    clock: HandClock = field(default_factory=HandClock)
    people: tuple[Person, ...] = ()

    def __post_init__(self) -> None:
        self.one = Issuer(
            url=self.issuer.url,
            audience=AUDIENCE,
            roles=(("release", Role.OPERATOR), ("leads", Role.APPROVER)),
        )
        self.issuers = self.set_up(self.one)

    def set_up(self, *issuers: Issuer, people: tuple[Person, ...] = ()) -> Issuers:
        self.settings = Settings(issuers=issuers, people=people)
        self.issuers = Issuers(self.settings, clock=self.clock)
        return self.issuers

    def differing(self, **changes: object) -> Issuers:
        return self.set_up(replace(self.one, **changes))  # type: ignore[arg-type]

    def token(self, **claims: object) -> str:
        return self.issuer.token(self.issuer.claims(self.clock.now(), **claims))


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture(scope="module")
def running() -> Iterator[FakeIssuer]:
    with an_issuer() as issuer:
        yield issuer


@pytest.fixture
def gate(running: FakeIssuer) -> Gate:
    """A gate at an issuer that is as good as new; its first key is made once, since that takes a while."""
    first = running.__dict__.setdefault("first", running.keys[0])
    running.keys, running.is_away, running.asked = [first], False, []
    running.answers = {}
    running.discovery = {"issuer": running.url, "jwks_uri": f"{running.url}/keys"}
    return Gate(running)
