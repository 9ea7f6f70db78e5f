"""Questions to webhooks: signed requests that may take long, and what their answers mean.

A request is under way beside the ticks, so that a slow webhook slows nobody down: whoever asks is told that there is
no answer yet, and asks again. A request that a crash cuts off is sent again with the same key.
"""

import asyncio
import json
from collections.abc import Sequence
from datetime import timedelta
from types import TracebackType
from typing import Self
from urllib.parse import urljoin

from orchestrator.core.cloud.probes_and_webhooks import (
    HookAccepted,
    HookNeed,
    HookSeen,
    HookTrouble,
    HookVerdict,
)
from orchestrator.core.domain.errors import Outside, Refused
from orchestrator.core.domain.verdict import Verdict
from orchestrator.outbound.retry_after import retry_after
from orchestrator.outbound.send import Answer, Outbound
from orchestrator.outbound.signature import key_of, signed
from orchestrator.outbound.targets import LENGTH_MAX, target_of
from orchestrator.ports.clock import Clock
from orchestrator.settings import Hook

ANSWER_WITHIN = timedelta(seconds=60)
PATIENCE = timedelta(seconds=1)  # of a tick, for an answer that comes at once
KEPT_MAX = 1000  # answers that nobody came back for
REASON_MAX = 300
BODY_MAX = 64 * 1024
_VERDICTS = {"pass": Verdict.PASS, "fail": Verdict.FAIL, "hold": Verdict.HOLD}


class HookAsker:
    """Asks webhooks. Use as a context manager: on leaving, what is still under way is let go."""

    def __init__(self, out: Outbound, hooks: Sequence[Hook], clock: Clock) -> None:
        """`hooks`: those of the settings; the secret of one, by its name, signs questions to its own host alone."""
        self._out, self._clock = out, clock
        self._hooks = {hook.name: hook for hook in hooks}
        self._under_way: dict[tuple[str, str], asyncio.Task[HookSeen]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        tasks = tuple(self._under_way.values())
        self._under_way.clear()
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def refusal(self, url: str, secret: str) -> tuple[str, str] | None:
        """Why this secret may not sign requests to a URL, and what to do; None: it may."""
        hook = self._hooks.get(secret)
        if hook is None:
            known = ", ".join(sorted(self._hooks)) or "none"
            return (
                f"the settings have no hook named {secret}",
                f"name one of them ({known}), or have it added",
            )
        if target_of(hook.url).origin != target_of(url).origin:
            return (
                f"the secret of hook {secret} is for {target_of(hook.url).origin}",
                "name the hook of this address, or have one added to the settings",
            )
        try:
            key_of(hook.secret)
        except ValueError as wrong:
            return f"the secret of hook {secret} cannot sign: {wrong}", "have it corrected in the settings"
        return None

    async def ask(self, need: HookNeed) -> HookSeen | None:
        """What the webhook answers; None: nothing yet."""
        place = (need.key, need.check)
        task = self._under_way.get(place)
        if task is None:
            self._forget_the_oldest()
            task = self._under_way[place] = asyncio.get_running_loop().create_task(
                self._answer(need), name=f"webhook {need.key}"
            )
            await asyncio.wait({task}, timeout=PATIENCE.total_seconds())
        if not task.done():
            return None
        self._under_way.pop(place, None)
        return task.result()

    def _forget_the_oldest(self) -> None:
        while len(self._under_way) >= KEPT_MAX:
            self._under_way.pop(next(iter(self._under_way))).cancel()

    async def _answer(self, need: HookNeed) -> HookSeen:
        """One request and what its answer means; nothing that can happen to it is raised."""
        why = self.refusal(need.url, need.secret) if need.secret else None
        if why is not None:
            return HookTrouble(why=f"{why[0]}: {why[1]}")
        body = b"" if need.check else need.body.encode()
        headers = {
            **dict(need.headers),
            "accept": "application/json",
            "idempotency-key": need.key,
            **({} if need.check else {"content-type": "application/json; charset=utf-8"}),
            **self._signature(need, body),
        }
        try:
            answer = await self._out.send(
                "GET" if need.check else "POST",
                need.check or need.url,
                headers=headers,
                body=body,
                timeout=ANSWER_WITHIN,
                answer_max=BODY_MAX,
            )
        except (Outside, Refused) as error:
            return HookTrouble(why=error.why or error.what)
        return self._meaning(need, answer)

    def _signature(self, need: HookNeed, body: bytes) -> dict[str, str]:
        if not need.secret:
            return {"webhook-id": need.key}
        key = key_of(self._hooks[need.secret].secret)
        return signed(body, key=key, id=need.key, at=self._clock.now())

    def _meaning(self, need: HookNeed, answer: Answer) -> HookSeen:
        after = retry_after(answer.headers, now=self._clock.now())
        said = _body(answer)
        if answer.status == 202:
            return _accepted(need, answer, said, after)
        if answer.status != 200:
            return HookTrouble(why=f"it answered {answer.status}", after=after)
        if said is None:
            return HookTrouble(why=f"its answer makes no sense: {_nonsense(answer)}", after=after)
        verdict = said.get("verdict")
        if not isinstance(verdict, str) or verdict not in _VERDICTS:
            return HookTrouble(
                why=f"its answer makes no sense: verdict {_plain(verdict)} is not pass, fail or hold",
                after=after,
            )
        return HookVerdict(verdict=_VERDICTS[verdict], reason=_reason(said), after=after)


def _accepted(
    need: HookNeed, answer: Answer, said: dict[str, object] | None, after: timedelta | None
) -> HookSeen:
    told = (said or {}).get("check") or answer.headers.get("location") or need.check
    if not isinstance(told, str) or not told:
        return HookTrouble(why="it answered 202 without saying where its verdict will be", after=after)
    check = urljoin(need.url, told)
    try:
        is_its_own = len(check) <= LENGTH_MAX and target_of(check).origin == target_of(need.url).origin
    except ValueError as wrong:
        return HookTrouble(
            why=f"it answered 202, and where its verdict will be is no address: {wrong.args[0]}"
        )
    if not is_its_own:
        return HookTrouble(why="it answered 202 and points to another host for its verdict", after=after)
    return HookAccepted(check=check, after=after)


def _body(answer: Answer) -> dict[str, object] | None:
    """The answer's JSON object; None: it holds none."""
    if not answer.is_whole:
        return None
    try:
        said = json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None


def _nonsense(answer: Answer) -> str:
    if not answer.is_whole:
        return f"it is longer than {BODY_MAX // 1024} KiB"
    return (
        "it is empty"
        if not answer.body
        else f"it is no JSON object: {_plain(answer.body[:80].decode('latin-1'))}"
    )


def _reason(said: dict[str, object]) -> str:
    reason = said.get("reason")
    return _plain(reason) if isinstance(reason, str) else ""


def _plain(value: object) -> str:
    """Somebody else's words on one line, and no more of them than a person reads."""
    text = " ".join("".join(c if c.isprintable() else " " for c in str(value)).split())
    return text[:REASON_MAX] + ("…" if len(text) > REASON_MAX else "")
