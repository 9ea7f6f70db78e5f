"""Many services like one: an AWS that answers for each of them what one World has, under the name that each goes by."""

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any, cast

from orchestrator.aws.client.transport import Answer
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.store.codec import decode, encode
from tests.support.direct_transport import DirectTransport

SERVICE, BALANCER = "checkout", "prod-lb"
_NUMBER = re.compile(r"(?:shop|prod-lb)(\d{4})x")
_TEXTS = ((re.compile(r"shop\d{4}x"), SERVICE), (re.compile(r"prod-lb\d{4}x"), BALANCER))


def named(number: int, text: str) -> str:
    """A text with the service and its load balancer called otherwise."""
    return text.replace(SERVICE, f"shop{number:04}x").replace(BALANCER, f"{BALANCER}{number:04}x")


def row_of(number: int, row: Rollout) -> Rollout:
    """The rollout of the service with this number."""
    return decode(Rollout, named(number, encode(row)), rollout=row.id)


class Crowd:
    """A transport that counts the calls that reach it, and asks the World once for what many of them ask for."""

    def __init__(self, world: DirectTransport, now: Callable[[], datetime]) -> None:
        self._world, self._now = world, now
        self._known: dict[str, Answer] = {}
        self._known_at: datetime | None = None
        self.calls: Counter[str] = Counter()

    async def call(self, service: str, operation: str, params: Mapping[str, Any]) -> Answer:
        """One attempt at one call."""
        self.calls[operation] += 1
        asked = dict(params)
        numbers = sorted({int(found) for found in _NUMBER.findall(repr(asked))})
        if operation == "GetMetricData":  # its queries have ids of their own, so they may be mixed
            return await self._ask(service, operation, _plain(asked))
        merged: Answer = {}
        for number in numbers:
            answer = _each(
                await self._ask(service, operation, _plain(_part(asked, number))),
                partial(named, number),
            )
            for key, value in answer.items():
                merged[key] = [*merged.get(key, ()), *value] if isinstance(value, list) else value
        return merged

    async def _ask(self, service: str, operation: str, params: Answer) -> Answer:
        if self._known_at != self._now():
            self._known_at = self._now()
            self._known.clear()
        key = f"{operation} {json.dumps(params, default=str, sort_keys=True)}"
        if key not in self._known:
            self._known[key] = await self._world.call(service, operation, params)
        return self._known[key]


def _part(asked: Answer, number: int) -> Answer:
    """Of the lists in the parameters what concerns one service."""
    return {
        key: [one for one in value if str(number).rjust(4, "0") in _NUMBER.findall(repr(one))]
        if isinstance(value, list) and _NUMBER.search(repr(value))
        else value
        for key, value in asked.items()
    }


def _plain(asked: Answer) -> Answer:
    def plain(text: str) -> str:
        for pattern, name in _TEXTS:
            text = pattern.sub(name, text)
        return text

    return cast(Answer, _each(asked, plain))


def _each(value: Any, change: Callable[[str], str]) -> Any:  # noqa: ANN401 - JSON-like, with datetimes in it
    """The value with every text in it changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {key: _each(member, change) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_each(member, change) for member in value]
    return value
