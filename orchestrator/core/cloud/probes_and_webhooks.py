"""What Teal sends to addresses that a rollout file names, and what it hears: probes of green and questions to webhooks.

Only values: the core says what is to be sent, an adapter sends it, and the answers come back with everything else that
a tick saw. Each request carries the rollout, the step, the gate and the attempt: whoever gets one twice can tell.
"""

from dataclasses import dataclass
from datetime import timedelta

from orchestrator.core.domain.ids import Json
from orchestrator.core.domain.verdict import Verdict

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeNeed:
    """One batch of requests to green. ``key`` names it: the same batch sent again, after a crash, bears it again."""

    key: str
    url: str  # scheme, host and port, perhaps with the beginning of a path
    paths: tuple[str, ...]  # taken in turn
    first: int  # number of the batch's first request among all of them, from 0
    count: int
    rate: float  # requests a second
    method: str = "GET"
    headers: Pairs = ()
    body: str = ""
    contains: str = ""  # text that is looked for in the answers
    timeout: timedelta = timedelta(seconds=5)  # of each request
    verify: bool = True  # the certificate must be one for the URL's host

    def path(self, number: int) -> str:
        """The path of one request, by its number among all of them."""
        return self.paths[number % len(self.paths)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeAnswer:
    """What became of one request that reached the listener."""

    path: str
    status: int = 0  # 0: no answer
    seconds: float = 0.0
    has_text: bool = True  # the text that was looked for is in it
    trouble: str = ""  # why there was no answer


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeSeen:
    """What became of one batch."""

    key: str
    answers: tuple[ProbeAnswer, ...]
    unsent: int = 0  # requests that never got as far as a connection: they say nothing of green
    why: str = ""  # why not, of the first of them


@dataclass(frozen=True, slots=True, kw_only=True)
class HookNeed:
    """One question to a webhook, or a look at where it said that its verdict will be."""

    key: str  # rollout/step/gate/attempt
    attempt: int
    url: str
    check: str  # empty: the question is put; else where the verdict is looked for
    body: Json
    headers: Pairs = ()
    secret: str = ""  # name of the settings' hook whose secret signs; empty: unsigned


@dataclass(frozen=True, slots=True, kw_only=True)
class HookVerdict:
    """The webhook has said what it thinks: PASS, FAIL, or HOLD (not yet)."""

    verdict: Verdict
    reason: str
    after: timedelta | None = None  # how long it asked to be left alone


@dataclass(frozen=True, slots=True, kw_only=True)
class HookAccepted:
    """The webhook works on it; its verdict will be at ``check``."""

    check: str
    after: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HookTrouble:
    """No verdict: no answer, one that is not understood, or an error. Never a pass."""

    why: str
    after: timedelta | None = None


HookSeen = HookVerdict | HookAccepted | HookTrouble
