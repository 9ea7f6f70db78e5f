"""Server-sent events: bytes in, events out, and where to take the stream up again (WHATWG HTML, section 9.2)."""

import codecs
import json
from dataclasses import dataclass

from api.client.answers import Json
from api.client.failures import Unreadable
from api.client.requests import Request, follow

MESSAGE_BYTES_MAX = 4 * 1024 * 1024


class StreamOver(Exception):
    """The rollout has ended, and its log was told to the end."""


@dataclass(slots=True)
class _Message:
    id: str | None = None
    data: str = ""


class Following:
    """One rollout's log as it comes: what to ask for now, and what the bytes of the answer hold.

    After a connection is lost, `request` asks for what follows the last whole event; nothing is told twice.
    """

    def __init__(self, rollout: str, *, after: int = 0) -> None:
        self._rollout = rollout
        self.last = after
        self.retry_seconds = 1.0
        self._begin()

    def _begin(self) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8-sig")(errors="replace")
        self._rest = ""
        self._message = _Message()

    def request(self) -> Request:
        """Ask for the events after the last one. What was left of a broken answer is forgotten."""
        self._begin()
        return follow(self._rollout, after=self.last)

    def feed(self, received: bytes) -> list[Json]:
        """The events that these bytes complete, in order. Raises Unreadable for what is no stream of Teal's."""
        text = self._rest + self._decode.decode(received)
        # A carriage return at the end may be half of a line's end.
        held = text.endswith("\r")
        lines = (text[:-1] if held else text).replace("\r\n", "\n").replace("\r", "\n").split("\n")
        self._rest = lines.pop() + ("\r" if held else "")
        if len(self._rest) + len(self._message.data) > MESSAGE_BYTES_MAX:
            raise Unreadable(f"an event of {self._rollout} is larger than {MESSAGE_BYTES_MAX} bytes")
        return [event for line in lines if (event := self._line(line)) is not None]

    def _line(self, line: str) -> Json | None:
        if not line:
            return self._finished()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match name:
            case "id":
                self._message.id = value
            case "data":
                self._message.data += f"{value}\n"
            case "retry" if value.isdecimal():
                self.retry_seconds = min(int(value) / 1000, 60.0)
            case _:
                pass  # a comment, or a field that this client needs not
        return None

    def _finished(self) -> Json | None:
        """The event of the message that ends here; None where it is none of the log, as a server's farewell."""
        message, self._message = self._message, _Message()
        if message.id is None or not message.id.isdecimal() or not message.data:
            return None
        try:
            event = json.loads(message.data)
        except ValueError:
            event = None
        if not isinstance(event, dict):
            raise Unreadable(f"event {message.id} of {self._rollout} is no JSON object")
        if int(message.id) <= self.last:
            return None
        self.last = int(message.id)
        return event
