"""What engine and doors tell each other, over a pair of sockets of their own.

Nothing here ever waits for the other side, so that doors which are stuck cannot hold the engine: what finds no room is
left out, and the next news says the same anew. The engine unpickles nothing that comes from the doors: they say single
bytes, and orders as lines of bounded length (`orders`).
"""

import asyncio
import pickle
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

from api.serving.orders import LINE_MAX
from orchestrator.engine.steady_clock import Reading
from orchestrator.settings import Settings

READY = b"r"
HINT = b"h"
ORDER = b"o"  # and a line
NEWS_EVERY_SECONDS = 1.0
_SIZE = struct.Struct("!I")
_READ = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What doors are opened with: the engine's first word."""

    settings: Settings = field(repr=False)
    is_auth_required: bool
    time: Reading  # what the engine's clock says


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """How the engine is: said every second while it lives."""

    metrics: bytes  # its counters, in Prometheus' text format
    unwritable: str = ""  # why the store took no write the last time it was tried; empty: it did
    outcomes: tuple[tuple[str, str], ...] = ()  # of orders, as `orders.Taken` has them


class EngineEnd:
    """The engine's end."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._left = b""  # of a line that has begun to come

    @classmethod
    async def over(cls, end: socket.socket) -> "EngineEnd":
        """The end over a connected socket, which it owns from now on."""
        return cls(*await asyncio.open_connection(sock=end))

    def say(self, word: Opening | News) -> None:
        """Tell the doors, if they have taken all that was said before."""
        transport = self._writer.transport
        if not transport.is_closing() and not transport.get_write_buffer_size():
            body = pickle.dumps(word)
            self._writer.write(_SIZE.pack(len(body)) + body)

    async def heard(self) -> Sequence[bytes]:
        """What the doors said: bytes, and orders as their lines; empty once they are gone, or say what is no word."""
        try:
            said = await self._reader.read(_READ)
        except ConnectionError:
            return ()
        words, text = [], self._left + said
        while text and said:
            if text[:1] != ORDER:
                words.append(text[:1])
                text = text[1:]
                continue
            line, end, rest = text.partition(b"\n")
            if not end:
                break
            words.append(line)
            text = rest
        self._left = text
        if len(text) > LINE_MAX:
            return ()
        return words or ((HINT,) if said else ())

    def close(self) -> None:
        """Let go of it."""
        self._writer.close()


class DoorsEnd:
    """The doors' end."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._size: int | None = None  # of a word that has begun to come

    @classmethod
    async def over(cls, end: socket.socket) -> "DoorsEnd":
        """The end over a connected socket, which it owns from now on."""
        return cls(*await asyncio.open_connection(sock=end))

    def say(self, word: bytes) -> None:
        """Tell the engine; where hints wait to be read already, one more says nothing."""
        transport = self._writer.transport
        if not transport.is_closing() and not transport.get_write_buffer_size():
            self._writer.write(word)

    def order(self, line: bytes) -> None:
        """Tell the engine an order, whatever waits; orders are few, since each has a client that waits."""
        if not self._writer.transport.is_closing():
            self._writer.write(ORDER + line)

    async def heard(self) -> Opening | News:
        """The engine's next word; may be given up and asked for again. Raises EOFError once it is gone."""
        if self._size is None:
            (self._size,) = _SIZE.unpack(await self._reader.readexactly(_SIZE.size))
        word = pickle.loads(await self._reader.readexactly(self._size))
        self._size = None
        assert isinstance(word, Opening | News)
        return word

    def close(self) -> None:
        """Let go of it."""
        self._writer.close()
