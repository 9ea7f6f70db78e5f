"""Batches of requests to green, at their rate, each with a time limit of its own."""

import asyncio
from datetime import timedelta

from orchestrator.core.cloud.probes_and_webhooks import ProbeAnswer, ProbeNeed, ProbeSeen
from orchestrator.core.cloud.resources import Unread
from orchestrator.core.domain.errors import Outside, Refused
from orchestrator.outbound.send import Answer, Outbound, Unconnected

BATCH_LONGEST = timedelta(seconds=10)  # a tick must end well within its lease
KEY = "idempotency-key"
TEXT_MAX = 256 * 1024  # of an answer, in which an expected text is looked for


async def probe(out: Outbound, need: ProbeNeed) -> ProbeSeen | Unread:
    """Send one batch and say what became of each request."""
    results: list[ProbeAnswer | str] = []

    async def one(number: int) -> None:
        await asyncio.sleep((number - need.first) / need.rate)
        results.append(await _send(out, need, number))

    try:
        async with asyncio.timeout(BATCH_LONGEST.total_seconds()), asyncio.TaskGroup() as group:
            for number in range(need.first, need.first + need.count):
                group.create_task(one(number))
    except TimeoutError:
        missing = need.count - len(results)
        results += [f"{missing} requests were not through in time"] * missing
    answers = tuple(result for result in results if isinstance(result, ProbeAnswer))
    unsent = [result for result in results if isinstance(result, str)]
    if not answers:
        return Unread(why=unsent[0])
    return ProbeSeen(key=need.key, answers=answers, unsent=len(unsent), why=unsent[0] if unsent else "")


async def _send(out: Outbound, need: ProbeNeed, number: int) -> ProbeAnswer | str:
    """What became of one request; a text: it never got as far as a connection, and why."""
    path, began = need.path(number), asyncio.get_running_loop().time()
    try:
        answer = await out.send(
            need.method,
            f"{need.url.rstrip('/')}{path}",
            headers={KEY: f"{need.key}/{number}", **dict(need.headers)},
            body=need.body.encode(),
            timeout=need.timeout,
            answer_max=TEXT_MAX if need.contains else 0,
            verify=need.verify,
            redirects_answer=True,
        )
    except (Unconnected, Refused) as why:
        return f"{why.what}: {why.why}"
    except Outside as why:
        return ProbeAnswer(path=path, trouble=why.why)
    seconds = asyncio.get_running_loop().time() - began
    return ProbeAnswer(path=path, status=answer.status, seconds=seconds, has_text=_has(answer, need.contains))


def _has(answer: Answer, text: str) -> bool:
    return not text or text.encode() in answer.body
