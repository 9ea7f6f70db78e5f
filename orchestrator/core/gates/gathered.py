"""What gates have gathered so far: the row keeps it from tick to tick, and a scene shows it to them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from orchestrator.core.domain.verdict import Verdict

BOUNDS_MS = (10, 25, 50, 100, 250, 500, 1000, 2500, 5000)  # upper bounds of the counted latencies


class StreamName(StrEnum):
    """What is counted among a colour's requests; each is compared by itself, with its share of alpha."""

    ERRORS = "errors"  # answered with 5xx by a target, and connections that failed
    UNANSWERED = "unanswered"  # accepted by the load balancer for a target that never answered
    CLIENT_ERRORS = "client_errors"  # answered with 4xx: where authentication breaks, it shows here alone
    SLOW = "slow"  # answered later than a threshold


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How one stream of `compare` stands, as the gate sees it."""

    name: StreamName
    log_e: float  # that green is worse than margin times blue
    log_not_worse: float  # that it is not worse than the bound, at this weight
    log_below: float  # that green's own rate is below p_max, at this weight
    green_requests: int
    green_events: int
    blue_requests: int
    blue_events: int
    has_failed: bool
    at_weight: int  # informative intervals at this weight
    green_at_weight: int  # green's requests in them


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Requests of a probe that the next tick sends; on disk before the first of them goes out."""

    number: int
    first: int
    count: int
    is_warm_up: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """What probing has shown so far."""

    attempt: int = 1
    since: datetime  # every test rule was read back pointing at green
    warmed: int = 0  # requests of the warm-up that were answered, well or not
    answered: int = 0  # requests that count
    failed: int = 0
    samples: tuple[tuple[str, int], ...] = ()  # (what was wrong, how often), the first few kinds
    latencies: tuple[int, ...] = (0,) * (len(BOUNDS_MS) + 1)  # answers by BOUNDS_MS
    slowest: timedelta = timedelta(0)
    batches: int = 0
    batch: Batch | None = None
    trouble: str = ""  # why the last batch, or some of it, could not be sent


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question to one webhook on one step, and what has become of it."""

    hook: int  # index in the file
    step: int  # -1: before the first traffic
    attempt: int  # grows with every question of the rollout, also with the same one put anew
    asked_at: datetime  # this attempt may have been sent since
    again_at: datetime  # nothing is sent before
    tries: int = 0  # in a row without an answer that makes sense
    check: str = ""  # where the verdict will be
    verdict: Verdict | None = None  # PASS or FAIL: the question is answered
    reason: str = ""
    trouble: str = ""  # why there is no verdict, as far as it is not just being waited for
