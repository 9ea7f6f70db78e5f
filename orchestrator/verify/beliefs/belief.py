"""What a belief is: what Teal believes, how it is asked, what it rests on, and what Teal does where it is wrong."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from orchestrator.verify.means import Refusal, Unnarrowed
from orchestrator.verify.scene import Scene

Fact = str | int | float | bool | None
MEMORY = "general knowledge, read nowhere"


class Need(StrEnum):
    """What must be there for a belief to be asked."""

    THROW_AWAY = "throw-away"  # something of the service is changed: never one that users come by
    USERS = "users"  # requests of this machine reach the service
    SESSION = "session"  # a session with narrower permissions can be had
    BALANCER = "balancer"  # a load balancer whose metrics are read


class Verdict(StrEnum):
    """What came of asking. `UNCLEAR`: it was asked, and the answer fits neither."""

    AS_BELIEVED = "as believed"
    WRONG = "wrong"
    UNCLEAR = "unclear"
    NOT_ASKED = "not asked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was seen, in words and as facts; of `NOT_ASKED`, why not.

    `quoted` is a sentence of AWS's, which may name anything: `words` are ours alone, and name nothing.
    """

    verdict: Verdict
    words: str
    quoted: str = ""
    facts: Mapping[str, Fact] = field(default_factory=dict)

    @property
    def whole(self) -> str:
        """Both, for whoever may read everything."""
        return f"{self.words}: {self.quoted}" if self.quoted else self.words


@dataclass(frozen=True, slots=True, kw_only=True)
class Belief:
    """One belief. `minutes`: about how long asking takes. `actions`: what asking needs besides what the place needs."""

    name: str  # kebab-case; `--only NAME`
    believes: str
    asked_by: str
    rests_on: str
    if_wrong: str  # what Teal does where it is wrong
    ask: Callable[[Scene], Awaitable[Seen]]
    needs: frozenset[Need] = frozenset()
    minutes: float = 0.2
    actions: tuple[str, ...] = ()


def as_believed(words: str, **facts: Fact) -> Seen:
    """The belief holds."""
    return Seen(verdict=Verdict.AS_BELIEVED, words=words, facts=facts)


def wrong(words: str, **facts: Fact) -> Seen:
    """It does not."""
    return Seen(verdict=Verdict.WRONG, words=words, facts=facts)


def judged(holds: bool, words: str, **facts: Fact) -> Seen:
    """It holds or not."""
    return as_believed(words, **facts) if holds else wrong(words, **facts)


def unclear(words: str, **facts: Fact) -> Seen:
    """The answer says neither."""
    return Seen(verdict=Verdict.UNCLEAR, words=words, facts=facts)


def refused(refusal: Refusal, verdict: Verdict = Verdict.UNCLEAR, words: str = "", **facts: Fact) -> Seen:
    """AWS refused it, by its code, and in its own sentence."""
    said = f"{words or f'{refusal.operation} was refused'}: {refusal.code}"
    return Seen(verdict=verdict, words=said, quoted=refusal.message, facts={"code": refusal.code, **facts})


def not_asked(why: str, quoted: str = "") -> Seen:
    """It could not be asked here."""
    return Seen(verdict=Verdict.NOT_ASKED, words=f"not asked here, because {why}", quoted=quoted)


def no_session(why: Unnarrowed) -> Seen:
    """It could not be asked for want of a session with fewer permissions."""
    return not_asked(why.words, why.quoted)
