"""Clients who mean no good: ``python -m tests.bench.hostile.clients KIND ADDRESS SERVICE TOKEN…``, one for each token.

They speak to a loopback address alone and stop by themselves after a while, or when standard input ends.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress

LIFE_SECONDS = 300.0
QUARTER = 250 * 1024
IDLE_IN_ALL, DRIBBLING_OF_ONE, PREFLIGHTS_AT_ONCE = 1100, 10, 20
DRIBBLE_SECONDS = 0.2
AGAIN_SECONDS = 0.05


class Target:
    """Whom they ask."""

    def __init__(self, address: str, service: str, clients: int) -> None:
        host, _, port = address.removeprefix("http://").rpartition(":")
        assert host == "127.0.0.1"
        self.host, self.port, self.service, self.clients = host, int(port), service, clients

    def head(self, path: str, token: str, **headers: object) -> bytes:
        """A request's head."""
        lines = [f"{'GET' if path.endswith('events') else 'POST'} {path} HTTP/1.1", "host: 127.0.0.1"]
        lines += [f"authorization: Bearer {token}"] if token else []
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    async def ask(self, path: str, token: str, kind: str, body: bytes) -> None:
        """One request and its whole answer."""
        reader, writer = await asyncio.open_connection(self.host, self.port)
        try:
            length = {"content_type": kind, "content_length": len(body), "connection": "close"}
            writer.write(self.head(path, token, **length) + body)
            await reader.read()
        finally:
            writer.close()

    async def hold(self, said: bytes, more: bytes, *, is_reading: bool = True) -> None:
        """A connection that says something, and then a byte of `more` now and then, until it is closed."""
        reader, writer = await asyncio.open_connection(self.host, self.port)
        try:
            writer.write(said)
            while is_reading and not reader.at_eof():
                with suppress(TimeoutError):
                    await asyncio.wait_for(reader.read(4096), DRIBBLE_SECONDS)
                writer.write(more)
                await writer.drain()
            await asyncio.sleep(LIFE_SECONDS)
        finally:
            writer.close()


Kind = Callable[[Target, str], Awaitable[None]]


async def _many(count: int, one: Callable[[], Awaitable[None]]) -> None:
    async def again() -> None:
        while True:
            with suppress(OSError):
                await one()
            await asyncio.sleep(AGAIN_SECONDS)

    async with asyncio.TaskGroup() as group:
        for _ in range(count):
            group.create_task(again())


async def idle(target: Target, token: str) -> None:
    """Its part of 1,100 connections that say nothing."""
    await _many(IDLE_IN_ALL // target.clients, lambda: target.hold(b"", b""))


async def head(target: Target, token: str) -> None:
    """Heads that come byte by byte and never end."""
    await _many(DRIBBLING_OF_ONE, lambda: target.hold(b"GET /v1/me HTTP/1.1\r\nx: ", b"x"))


async def body(target: Target, token: str) -> None:
    """Bodies that do."""
    said = target.head("/v1/preflight", token, content_type="application/yaml", content_length=QUARTER)
    await _many(DRIBBLING_OF_ONE, lambda: target.hold(said, b"#"))


async def stream(target: Target, token: str) -> None:
    """Streams of events that are never read."""
    said = target.head(f"/v1/rollouts/prod/{target.service}/events", token, accept="text/event-stream")
    await _many(DRIBBLING_OF_ONE, lambda: target.hold(said, b"", is_reading=False))


async def preflights(target: Target, token: str) -> None:
    """Twenty preflights at once, again and again."""
    file = _file(target)
    await _many(PREFLIGHTS_AT_ONCE, lambda: target.ask("/v1/preflight", token, "application/json", file))


async def simulations(target: Target, token: str) -> None:
    """Simulations of next to no traffic, and of a great deal."""
    file = _file(target)
    for rate in ("1e-6", "1e6"):
        with suppress(OSError):
            await target.ask(f"/v1/simulate?rps={rate}", token, "application/json", file)


def _file(target: Target) -> bytes:
    revision = {"task_definition": f"{target.service}:1"}
    return json.dumps({"service": f"prod/{target.service}", "revision": revision}).encode()


def _posting(kind: str, text: bytes) -> Kind:
    async def post(target: Target, token: str) -> None:
        await _many(1, lambda: target.ask("/v1/preflight", token, kind, text))

    return post


KINDS: dict[str, Kind] = {
    "idle": idle,
    "head": head,
    "body": body,
    "brackets": _posting("application/yaml", b"service: " + b"[" * QUARTER),
    "newlines": _posting("application/yaml", b"\n" * QUARTER),
    "comments": _posting("application/yaml", b"# " * (QUARTER // 2)),
    "list": _posting("application/json", b"[" + b"1," * (QUARTER // 2) + b"1]"),
    "simulations": simulations,
    "stream": stream,
    "preflights": preflights,
}
EVERYTHING = "everything"  # one client of each kind, as far as there are clients


async def main(kind: str, address: str, service: str, tokens: list[str]) -> None:
    """All of them at once, until standard input ends."""
    target = Target(address, service, len(tokens))

    async def client(one: Kind, token: str) -> None:
        while True:
            await one(target, token)

    every = tuple(KINDS.values()) if kind == EVERYTHING else (KINDS[kind],)
    tasks = [
        asyncio.create_task(client(every[number % len(every)], token)) for number, token in enumerate(tokens)
    ]
    print("begun", flush=True)
    with suppress(TimeoutError):
        async with asyncio.timeout(LIFE_SECONDS):
            await asyncio.get_running_loop().connect_read_pipe(asyncio.Protocol, sys.stdin)
            await asyncio.wait(tasks)
    for task in tasks:
        task.cancel()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]))
