"""Series from Prometheus, or from what speaks its HTTP API (Thanos, Mimir, Amazon Managed Prometheus by a proxy).

Source of all shapes: Prometheus, "HTTP API", range queries. One expression is one request; the interval from `t` is
what the expression gives at `t` plus its period, so a count is an ``increase(…[{period}])``.
"""

import asyncio
import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from orchestrator.core.cloud.resources import MetricQuery, Series, Unread
from orchestrator.core.domain.errors import TealError
from orchestrator.core.gates.scene import ceil_to, floor_to
from orchestrator.core.tick.needs import MetricsNeed
from orchestrator.outbound.send import Answer, Outbound
from orchestrator.outbound.targets import target_of
from orchestrator.settings import Hosts, Prometheus

AT_ONCE = 8  # requests to one server
WAITING_MAX = 2000
PATIENCE = timedelta(seconds=5)
ANSWER_MAX = 1024 * 1024
REFUSALS = frozenset({400, 404, 405, 422})  # asking again unchanged will not help
_SAID_MAX = 300
_ABOUT_THE_QUERY = "PromQL info:"  # advice on style; other warnings mean that something is missing


class PrometheusSource:
    """One server of the settings."""

    def __init__(self, settings: Prometheus, out: Outbound | None = None) -> None:
        """`out` None: requests go to this server's own host alone, which the operators named."""
        self._name, self._url = settings.name, f"{settings.url.rstrip('/')}/api/v1/query_range"
        self._headers = {"content-type": "application/x-www-form-urlencoded"}
        if settings.token is not None:
            self._headers["authorization"] = f"Bearer {settings.token.reveal()}"
        self._out = out or Outbound(Hosts(private=(target_of(settings.url).host,)))
        self._free = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def series(self, need: MetricsNeed) -> dict[str, Series | Unread]:
        """As ports.metric_source.MetricSource. The same expression is asked once."""
        same: dict[MetricQuery, list[str]] = {}
        for query in need.queries:
            key = MetricQuery(id="", period=query.period, expression=query.expression, stat=query.stat)
            same.setdefault(key, []).append(query.id)
        async with asyncio.TaskGroup() as group:
            reads = {query: group.create_task(self._read(query, need)) for query in same}
        return {name: reads[query].result() for query, names in same.items() for name in names}

    async def _read(self, query: MetricQuery, need: MetricsNeed) -> Series | Unread:
        first, last = ceil_to(need.start, query.period) + query.period, floor_to(need.end, query.period)
        if first > last:
            return ()
        if self._waiting >= WAITING_MAX:
            return self._unread(f"{WAITING_MAX} questions wait for it already")
        self._waiting += 1
        try:
            async with self._free:
                answer = await self._out.send(
                    "POST",
                    self._url,
                    headers=self._headers,
                    body=_form(query, first, last),
                    timeout=PATIENCE,
                    answer_max=ANSWER_MAX,
                )
            return self._series(query, answer)
        except TealError as error:
            return self._unread(str(error))
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            return self._unread(f"its answer cannot be understood: {type(error).__name__} {error}")
        finally:
            self._waiting -= 1

    def _series(self, query: MetricQuery, answer: Answer) -> Series | Unread:
        """The one series of an answer. Raises LookupError, TypeError, ValueError if it has another shape."""
        if not answer.is_whole:
            return self._unread(f"its answer is longer than {ANSWER_MAX // 1024} KiB", is_refused=True)
        body = _body(answer)
        if answer.status != 200 or body.get("status") != "success":
            said = str(body.get("error", ""))[:_SAID_MAX] or "no reason was given"
            why = f"it answered {answer.status}: {said}"
            return self._unread(why, is_refused=answer.status in REFUSALS)
        missing = [
            str(one) for one in body.get("warnings") or () if not str(one).startswith(_ABOUT_THE_QUERY)
        ]
        if missing:
            return self._unread(f"its answer may be partial: {missing[0][:_SAID_MAX]}")
        data = body["data"]
        if data["resultType"] != "matrix":
            return self._unread(f"the expression gives a {data['resultType']}", is_refused=True)
        if len(data["result"]) > 1:
            why = f"the expression gives {len(data['result'])} series where one is needed: write sum(…) around it"
            return self._unread(why, is_refused=True)
        points = [point for one in data["result"] for point in one["values"]]
        return self._points(query, points)

    def _points(self, query: MetricQuery, points: list[Any]) -> Series | Unread:
        found: list[tuple[datetime, float]] = []
        for at, text in points:
            value = float(text)
            if math.isnan(value):  # nothing divided by nothing: no data
                continue
            if query.stat == "Sum" and not 0 <= value < math.inf:
                return self._unread(f"the expression gives {text}, which is no count", is_refused=True)
            found.append((datetime.fromtimestamp(float(at), UTC) - query.period, value))
        return tuple(sorted(found))

    def _unread(self, why: str, *, is_refused: bool = False) -> Unread:
        return Unread(why=f"metric source {self._name}: {why}", is_refused=is_refused)


def _form(query: MetricQuery, first: datetime, last: datetime) -> bytes:
    seconds = f"{query.period / timedelta(seconds=1):g}"
    times = {"start": f"{first.timestamp():.3f}", "end": f"{last.timestamp():.3f}", "step": seconds}
    wait = f"{PATIENCE / timedelta(seconds=1) - 1:g}s"  # it gives up before its asker does
    return urlencode({"query": query.expression, **times, "timeout": wait}).encode()


def _body(answer: Answer) -> Mapping[str, Any]:
    """The answer's JSON object; empty where a proxy or a login page answered instead. Raises ValueError."""
    try:
        body = json.loads(answer.body)
    except ValueError:
        if answer.status != 200:
            return {}
        raise ValueError("it is no JSON; is this Prometheus?") from None
    if not isinstance(body, dict):
        raise TypeError("it is no JSON object")
    return body
