"""What a Prometheus may answer that a healthy one has no reason to."""

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from orchestrator.core.cloud.resources import MetricQuery, Series, Unread
from orchestrator.core.domain.errors import Unreachable
from orchestrator.core.rollout.needs import MetricsNeed
from orchestrator.outbound.send import Answer, Outbound
from orchestrator.prometheus.source import PrometheusSource
from orchestrator.settings import Hosts, Prometheus, Secret

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
EMPTY = {"status": "success", "data": {"resultType": "matrix", "result": []}}


class Scripted(Outbound):
    """Gives one answer to everything, and notes what it was asked."""

    def __init__(self, answer: Answer | Exception) -> None:
        super().__init__(Hosts())
        self._answer = answer
        self.asked: list[Mapping[str, Any]] = []

    async def send(self, method: str, url: str, **given: Any) -> Answer:  # noqa: ANN401 - as Outbound
        self.asked.append({"method": method, "url": url, **given})
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


def said(body: object, status: int = 200) -> Answer:
    text = body if isinstance(body, str) else json.dumps(body)
    return Answer(status=status, headers={}, body=text.encode())


def ask(answer: Answer | Exception, *expressions: str) -> tuple[dict[str, Series | Unread], Scripted]:
    out = Scripted(answer)
    source = PrometheusSource(Prometheus(name="main", url="https://p.example/", token=Secret("t")), out)
    queries = tuple(
        MetricQuery(id=str(n), source="main", expression=text, period=MINUTE)
        for n, text in enumerate(expressions or ("up",))
    )
    found = asyncio.run(source.series(MetricsNeed(queries=queries, start=NINE, end=NINE + 2 * MINUTE)))
    return found, out


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (said({**EMPTY, "warnings": ["one store did not answer"]}), "partial: one store"),
        (said("<html>", 502), "answered 502"),
        (said("<html>"), "no JSON"),
        (said([]), "no JSON object"),
        (said({"status": "success"}), "cannot be understood"),
        (said({"status": "error", "error": "query timed out"}, 503), "query timed out"),
        (said({"status": "error", "error": "who are you"}, 401), "who are you"),
        (Unreachable(what="p.example did not answer", why="no answer within 5 s"), "did not answer"),
    ],
)
def test_what_is_partial_failed_or_no_answer_is_never_used(answer: Answer | Exception, words: str) -> None:
    found, _ = ask(answer)
    unread = found["0"]
    assert isinstance(unread, Unread)
    assert not unread.is_refused
    assert words in unread.why
    assert unread.why.startswith("metric source main: ")


def test_advice_on_a_query_does_not_make_its_answer_partial() -> None:
    found, _ = ask(said({**EMPTY, "warnings": ["PromQL info: metric might not be a counter"]}))
    assert found == {"0": ()}


def test_the_same_expression_is_asked_once_with_the_token_at_the_server_s_api() -> None:
    found, out = ask(said(EMPTY), "up", "up", "down")
    assert found == {"0": (), "1": (), "2": ()}
    assert len(out.asked) == 2
    assert out.asked[0]["url"] == "https://p.example/api/v1/query_range"
    assert out.asked[0]["headers"]["authorization"] == "Bearer t"
    assert b"step=60" in out.asked[0]["body"]
