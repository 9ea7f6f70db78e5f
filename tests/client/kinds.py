"""Both clients behind one face, so that one test holds for both."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from api.client import AsyncClient, Client

KINDS = ("sync", "async")


class Waited:
    """An `AsyncClient` whose calls are waited for, in a loop of their own."""

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - as the client
        self._runner = asyncio.Runner()
        self._client = AsyncClient(*args, **options)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._client, name)

        def call(*args: Any, **options: Any) -> Any:  # noqa: ANN401
            answer = method(*args, **options)
            if inspect.isasyncgen(answer):
                return self._each(answer)
            return self._runner.run(answer)

        return call

    def _each(self, answers: AsyncIterator[Any]) -> Iterator[Any]:
        async def following() -> Any:  # noqa: ANN401
            return await anext(answers)

        while True:
            try:
                yield self._runner.run(following())
            except StopAsyncIteration:
                return

    def shut(self) -> None:
        self._runner.run(self._client.close())
        self._runner.close()


@contextmanager
def client_of(kind: str, *args: Any, **options: Any) -> Iterator[Any]:  # noqa: ANN401
    """A client of this kind, with plain calls."""
    if kind == "sync":
        yield Client(*args, **options)
        return
    waited = Waited(*args, **options)
    try:
        yield waited
    finally:
        waited.shut()
