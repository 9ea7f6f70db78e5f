"""A Slack of one workspace, on loopback in a thread of its own, that checks what Slack checks.

Token, encodings, block shapes and limits, channels and membership, who owns a message, rate limits with Retry-After,
trigger ids (three seconds, once), timestamps as the ids of messages. It signs its own requests as Slack does.
"""

import asyncio
import json
import threading
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web
from slack_sdk.signature import SignatureVerifier

from tests.slack.shapes import mistakes, view_mistakes

TOKEN, SECRET, TEAM, BOT = "xoxb-not-a-real-token", "signing-secret-of-the-tests", "T1", "B1"
RELEASES, PRIVATE = "C-RELEASES", "C-PRIVATE"
TRIGGER_LASTS = timedelta(seconds=3)

Body = dict[str, Any]


class No(Exception):
    """Slack's no: an HTTP status and an error's name."""

    def __init__(self, error: str, status: int = 200, **headers: str) -> None:
        super().__init__(error)
        self.error, self.status, self.headers = error, status, headers


@dataclass(slots=True)
class Posted:
    """A message. ``texts``: what it said, first to last."""

    channel: str
    ts: str
    body: Body
    thread: str = ""
    texts: list[str] = field(default_factory=list)

    @property
    def words(self) -> str:
        """Every text in the blocks."""
        return "\n".join(_texts(self.body.get("blocks", [])))

    @property
    def buttons(self) -> dict[str, Body]:
        """Its buttons by their label."""
        blocks = [block for block in self.body.get("blocks", []) if block["type"] == "actions"]
        return {button["text"]["text"]: button for block in blocks for button in block["elements"]}


def _texts(value: Any) -> list[str]:  # noqa: ANN401 - JSON
    if isinstance(value, list):
        return [text for one in value for text in _texts(one)]
    if isinstance(value, dict):
        own = [value["text"]] if isinstance(value.get("text"), str) else []
        return own + [text for one in value.values() for text in _texts(one)]
    return []


class FakeSlack:
    """The workspace."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now
        self.members = {RELEASES: "releases"}  # channels that the app is in: id and name
        self.others = {PRIVATE}  # channels that exist and that it is not in
        self.scopes = {"chat:write", "channels:history"}
        self.messages: list[Posted] = []
        self.whispers: list[Body] = []
        self.views: list[Body] = []
        self.calls: list[tuple[str, Body]] = []
        self.next: list[tuple[str, No]] = []  # (method, its next answer)
        self.lost: list[str] = []  # methods whose next answer is lost, once carried out
        self._triggers: dict[str, datetime] = {}
        self._number = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    # life ------------------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Listen."""
        self._thread.start()
        self.url = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)

    def close(self) -> None:
        """Listen no more."""
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _listen(self) -> str:
        app = web.Application()
        app.router.add_post("/api/{method}", self._answer)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        return f"http://{host}:{port}/api/"

    # what tests look at ----------------------------------------------------------------------------------------

    @property
    def main(self) -> list[Posted]:
        """Messages that stand in a channel itself."""
        return [posted for posted in self.messages if not posted.thread]

    def thread(self, ts: str) -> list[Posted]:
        """The replies to a message."""
        return [posted for posted in self.messages if posted.thread == ts]

    def count(self, method: str) -> int:
        """How often a method was called."""
        return sum(called == method for called, _ in self.calls)

    # what Slack sends ------------------------------------------------------------------------------------------

    def trigger(self) -> str:
        """A trigger id, as Slack sends one with a click."""
        self._number += 1
        name = f"{self._number}.trigger"
        self._triggers[name] = self.now()
        return name

    def ts(self) -> str:
        """A timestamp that no other message has."""
        self._number += 1
        return f"{int(self.now().timestamp())}.{self._number:06d}"

    def signed(self, form: dict[str, str], *, secret: str = SECRET) -> tuple[bytes, dict[str, str]]:
        """A form and its headers, as Slack sends it."""
        body = urllib.parse.urlencode(form).encode()
        timestamp = str(int(self.now().timestamp()))
        signature = SignatureVerifier(secret).generate_signature(timestamp=timestamp, body=body)
        assert signature is not None
        return body, {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": signature,
        }

    # what Slack answers ----------------------------------------------------------------------------------------

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        try:
            body = await self._body(request)
            self.calls.append((method, body))
            answer = self._carry_out(method, request.headers.get("Authorization", ""), body)
        except No as no:
            told = {"ok": False, "error": no.error}
            headers = {name.replace("_", "-"): value for name, value in no.headers.items()}
            return web.json_response(told, status=no.status, headers=headers)
        if method in self.lost:
            self.lost.remove(method)
            assert request.transport is not None
            request.transport.close()
        return web.json_response({"ok": True, **answer})

    async def _body(self, request: web.Request) -> Body:
        if request.content_type == "application/json":
            found = await request.json()
            if not isinstance(found, dict):
                raise No("json_not_object")
            return found
        if request.content_type == "application/x-www-form-urlencoded":
            form = {name: str(value) for name, value in (await request.post()).items()}
            decoded: dict[str, Any] = {
                name: json.loads(form[name]) for name in ("blocks", "view", "metadata") if name in form
            }
            return {**form, **decoded}
        raise No("invalid_post_type")

    def _carry_out(self, method: str, authorization: str, body: Body) -> Body:
        if authorization != f"Bearer {TOKEN}":
            raise No("invalid_auth" if authorization else "not_authed")
        for scripted in self.next:
            if scripted[0] == method:
                self.next.remove(scripted)
                raise scripted[1]
        methods = {
            "chat.postMessage": self._post,
            "chat.update": self._update,
            "chat.postEphemeral": self._whisper,
            "views.open": self._open,
            "conversations.history": self._history,
        }
        if method not in methods:
            raise No("unknown_method")
        return methods[method](body)

    def _post(self, body: Body) -> Body:
        self._need("chat:write")
        channel = self._channel(body)
        self._check(body)
        thread = body.get("thread_ts", "")
        if thread and not any(one.ts == thread for one in self.messages):
            raise No("thread_not_found")
        posted = Posted(channel=channel, ts=self.ts(), body=body, thread=thread, texts=[body["text"]])
        self.messages.append(posted)
        return {"channel": channel, "ts": posted.ts, "message": {"text": body["text"]}}

    def _update(self, body: Body) -> Body:
        self._need("chat:write")
        if body.get("channel") not in self.members:  # an id is needed here, a name will not do
            raise No("channel_not_found")
        found = next(
            (one for one in self.messages if (one.channel, one.ts) == (body["channel"], body.get("ts"))), None
        )
        if found is None:
            raise No("message_not_found")
        self._check(body)
        found.body = {**found.body, **body}
        found.texts.append(body["text"])
        return {"channel": found.channel, "ts": found.ts, "text": body["text"]}

    def _whisper(self, body: Body) -> Body:
        self._need("chat:write")
        self._channel(body)
        self._check(body)
        if not body.get("user", "").startswith("U"):
            raise No("user_not_in_channel")
        self.whispers.append(body)
        return {"message_ts": self.ts()}

    def _open(self, body: Body) -> Body:
        made = self._triggers.pop(body.get("trigger_id", ""), None)
        if made is None:
            raise No("exchanged_trigger_id" if body.get("trigger_id") else "invalid_trigger_id")
        if self.now() - made > TRIGGER_LASTS:
            raise No("expired_trigger_id")
        if view_mistakes(body.get("view")):
            raise No("invalid_arguments " + "; ".join(view_mistakes(body.get("view"))))
        view = {**body["view"], "id": f"V{len(self.views) + 1}"}
        self.views.append(view)
        return {"view": view}

    def _history(self, body: Body) -> Body:
        self._need("channels:history")
        if body.get("channel") not in self.members:
            raise No("channel_not_found")
        found = [one for one in self.main if one.channel == body["channel"]]
        newest = [one for one in reversed(found) if float(one.ts) >= float(body.get("oldest", "0"))]
        shown = (
            {"ts": one.ts, "text": one.texts[-1], "metadata": one.body.get("metadata")} for one in newest
        )
        return {
            "messages": list(shown)[: int(body.get("limit", 100))],
            "response_metadata": {"next_cursor": ""},
        }

    def _need(self, scope: str) -> None:
        if scope not in self.scopes:
            raise No("missing_scope")

    def _channel(self, body: Body) -> str:
        given = str(body.get("channel", ""))
        for channel, name in self.members.items():
            if given in (channel, name, f"#{name}"):
                return channel
        raise No("not_in_channel" if given in self.others else "channel_not_found")

    def _check(self, body: Body) -> None:
        if not body.get("text"):
            raise No("no_text")
        if len(body["text"]) > 40_000:
            raise No("msg_too_long")
        found = mistakes(body.get("blocks", []))
        if found:
            raise No(f"invalid_blocks {'; '.join(found)}")
        metadata = body.get("metadata")
        if metadata is not None and set(metadata) != {"event_type", "event_payload"}:
            raise No("invalid_metadata_format")
