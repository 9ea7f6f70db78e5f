"""Answers written by hand, each held to AWS's own shapes: for what the World has no reason to say."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from orchestrator.aws.client.call import Caller, Patience
from orchestrator.aws.client.transport import Answer
from sandbox.world.kernel.service_models import ShapeChecks

Reply = Answer | Exception | Callable[[Answer], Answer]


class Script:
    """A transport that gives the replies of each operation in their order, the last of them for ever.

    Parameters and answers that do not fit botocore's models fail the test, unless `is_strict` is off.
    """

    def __init__(self, replies: Mapping[str, list[Reply]], *, is_strict: bool = True) -> None:
        self._replies = {operation: list(listed) for operation, listed in replies.items()}
        self._checks = ShapeChecks() if is_strict else None
        self.calls: list[tuple[str, Answer]] = []

    async def call(self, service: str, operation: str, params: Mapping[str, Any]) -> Answer:
        """The next reply. Raises what is written there to be raised."""
        await asyncio.sleep(0)  # as every network does, let others run
        asked = dict(params)
        self.calls.append((operation, asked))
        if self._checks:
            self._checks.check_input(service, operation, asked)
        listed = self._replies[operation]
        reply = listed.pop(0) if len(listed) > 1 else listed[0]
        if isinstance(reply, Exception):
            raise reply
        answer = reply(asked) if callable(reply) else reply
        if self._checks:
            self._checks.check_output(service, operation, answer)
        return answer

    def asked(self, operation: str) -> list[Answer]:
        """The parameters of every call of an operation."""
        return [params for name, params in self.calls if name == operation]


def caller(script: Script) -> Caller:
    """Calls the script, each call once."""
    return Caller(script, patience=Patience.once())
