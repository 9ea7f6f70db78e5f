"""What engine and doors tell each other, over a pair of sockets of their own.

Nothing here ever waits for the other side, so that doors which are stuck cannot hold the engine: what finds no room is
left out, and the next news says the same anew. The engine unpickles nothing that comes from the doors: they say single
bytes.
"""

import asyncio
import pickle
import socket
import struct
from dataclasses import dataclass, field

from orchestrator.settings import Settings

READY = b"r"
HINT = b"h"
NEWS_EVERY_SECONDS = 1.0
_SIZE = struct.Struct("!I")
_READ = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What doors are opened with: the engine's first word."""

    settings: Settings = field(repr=False)
    is_auth_required: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """How the engine is: said every second while it lives."""

    metrics: bytes  # its counters, in Prometheus' text format


class EngineEnd:
    """The engine's end."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

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

    async def heard(self) -> bytes:
        """What the doors said, a byte a word; empty once they are gone."""
        try:
            return await self._reader.read(_READ)
        except ConnectionError:
            return b""

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
