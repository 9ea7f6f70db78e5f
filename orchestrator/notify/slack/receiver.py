"""The sink `slack`: one message per rollout, changed in place, with the details in its thread.

At least once, like every sink. A message that was posted and whose place could not be committed is looked for before
another one is posted (see `_place_of`), so that two messages of one rollout need a crash at the wrong moment *and*
an app that may not read the channel's history. Lines of the thread may come twice after a crash; nothing is lost.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from orchestrator.core.domain.errors import Outside, Unreachable
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.notify.sink import StorePage
from orchestrator.notify.slack import thread
from orchestrator.notify.slack.client import BadBlocks, NoMessage, call, client_of
from orchestrator.notify.slack.message import Act, Message, render
from orchestrator.notify.slack.text import FALLBACK_MAX, clipped
from orchestrator.notify.slack.thread import Mention
from orchestrator.ports.clock import Clock
from orchestrator.ports.rollouts import EventSeen, Stored
from orchestrator.settings import Settings

ACTS_MAX, MENTIONED_MAX = 8, 50
EVENTS_AT_ONCE = 30  # their lines fit into one message, so that the thread gets all of them or none
FRESH = timedelta(seconds=3)  # a rollout told this soon after its start has not been told before
HISTORY_PAGES = 5
METADATA = "teal_rollout"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the store keeps for this sink between two calls: where the message is and what it says."""

    channel: str = ""  # Slack's id of it; empty: nothing is posted yet
    ts: str = ""
    digest: str = ""
    mentioned: tuple[str, ...] = ()
    acts: tuple[Act, ...] = field(default=())

    def written(self) -> str:
        """As the text that the store keeps."""
        acts = [[act.at.isoformat(), act.words] for act in self.acts]
        told = {"channel": self.channel, "ts": self.ts, "digest": self.digest, "mentioned": self.mentioned}
        return json.dumps({**told, "acts": acts}, separators=(",", ":"), ensure_ascii=False)


def read_told(text: str) -> Told:
    """What was kept; nothing, if nothing was."""
    if not text:
        return Told()
    told = json.loads(text)
    return Told(
        channel=told["channel"],
        ts=told["ts"],
        digest=told["digest"],
        mentioned=tuple(told["mentioned"]),
        acts=tuple(Act(at=datetime.fromisoformat(at), words=words) for at, words in told["acts"]),
    )


class SlackSink:
    """Tells rollouts to a Slack workspace."""

    name = "slack"
    at_once = EVENTS_AT_ONCE

    def __init__(self, settings: Settings, *, clock: Clock, client: AsyncWebClient | None = None) -> None:
        assert settings.slack is not None, "a sink is made where Slack is set up"
        self._settings, self._slack, self._clock = settings, settings.slack, clock
        self._client = client or client_of(settings.slack)
        self._unsure: set[RolloutId] = set()  # their first post was not answered
        self._posted: dict[RolloutId, tuple[str, str]] = {}  # channel and ts, until the store gives them back

    def wants(self, stored: Stored, seen: EventSeen) -> bool:
        """True: every event may change the message."""
        return True

    async def tell(self, stored: Stored, events: tuple[EventSeen, ...], state: str) -> str:
        """Bring the message up to date, then add to its thread; returns where it stands. Raises Outside."""
        told = read_told(state)
        told = replace(told, acts=(*told.acts, *thread.acts(events))[-ACTS_MAX:])
        told = await self._show(stored, told)
        calls = [
            mention
            for mention in thread.mentions(stored.rollout, events, self._settings)
            if mention.key not in told.mentioned
        ]
        await self._reply(told, calls, thread.lines(events))
        mentioned = (*told.mentioned, *(mention.key for mention in calls))[-MENTIONED_MAX:]
        return replace(told, mentioned=mentioned).written()

    async def page(self, page: StorePage) -> None:
        """As Sink: a message of its own in the settings' channel, which calls those who may approve."""
        text = thread.of_store(page, self._settings)
        told = {"channel": self._slack.channel, "text": clipped(text, FALLBACK_MAX), "unfurl_links": False}
        await call(self._client, "chat.postMessage", told)

    def channel_of(self, row: Rollout) -> str:
        """Where a rollout is told: the file's channel, else the settings'."""
        return row.spec.notify.slack or self._slack.channel

    async def _show(self, stored: Stored, told: Told) -> Told:
        """Post the message, or change the one there is; nothing is sent where it says so already."""
        row, message = stored.rollout, render(stored, told.acts)
        if told.ts:
            self._posted.pop(row.id, None)
        place = (told.channel, told.ts) if told.ts else await self._place_of(row)
        if place is not None and told.digest != message.digest:
            try:
                await self._send("chat.update", message, {"channel": place[0], "ts": place[1]}, row)
            except NoMessage:
                log.warning("slack_message_missing", rollout=row.id, channel=place[0])
                place = None
        if place is None:
            place = self._posted[row.id] = await self._post(row, message)
        return replace(told, channel=place[0], ts=place[1], digest=message.digest)

    async def _place_of(self, row: Rollout) -> tuple[str, str] | None:
        """Where the message stands that the store does not know of; None: nowhere, as far as can be seen.

        Slack has no idempotency key for apps. Whoever comes late to a first post, or had no answer to one, may
        therefore be second: they look through the channel for the message of this rollout, by its metadata.
        """
        if row.id in self._posted:
            return self._posted[row.id]
        if row.id in self._unsure or self._clock.now() - row.created_at > FRESH:
            return await self._posted_before(row, self.channel_of(row))
        return None

    async def _post(self, row: Rollout, message: Message) -> tuple[str, str]:
        """Post the message; its channel's id and ts."""
        channel = self.channel_of(row)
        try:
            answer = await self._send("chat.postMessage", message, {"channel": channel}, row)
        except Unreachable:
            self._unsure.add(row.id)
            raise
        self._unsure.discard(row.id)
        return str(answer.get("channel", channel)), str(answer["ts"])

    async def _posted_before(self, row: Rollout, channel: str) -> tuple[str, str] | None:
        """The channel and ts of this rollout's message, if it stands there; None too if the app may not look.

        Slack reads history by a channel's id, so one that is named (#releases) is posted to without a look.
        """
        asked = {
            "channel": channel,
            "oldest": f"{row.created_at.timestamp() - 60:.6f}",
            "include_all_metadata": True,
            "limit": 200,
        }
        try:
            for _ in range(HISTORY_PAGES):
                answer = await call(self._client, "conversations.history", asked)
                for found in answer.get("messages", []):
                    if _is_of(found, row.id):
                        return channel, str(found["ts"])
                cursor = (answer.get("response_metadata") or {}).get("next_cursor", "")
                if not cursor:
                    return None
                asked["cursor"] = cursor
        except Outside as error:
            log.warning("slack_history_not_read", rollout=row.id, channel=channel, why=str(error))
        return None

    async def _send(
        self, method: str, message: Message, where: dict[str, str], row: Rollout
    ) -> dict[str, Any]:
        """Post or change the message; as text alone if Slack does not take its blocks."""
        metadata = {"event_type": METADATA, "event_payload": {"rollout": row.id}}
        body = {
            **where,
            "text": message.text,
            "metadata": metadata,
            "unfurl_links": False,
            "unfurl_media": False,
        }
        try:
            return await call(self._client, method, {**body, "blocks": list(message.blocks)})
        except BadBlocks as error:
            log.error("slack_blocks_refused", rollout=row.id, why=str(error))
            return await call(self._client, method, {**body, "blocks": []})

    async def _reply(self, told: Told, calls: Sequence[Mention], lines: Sequence[str]) -> None:
        """Add to the thread, in one message; a page stands there too, since an edit notifies nobody."""
        parts = [*thread.batches(lines), *(mention.words for mention in calls)]
        if not parts:
            return
        body = {"channel": told.channel, "thread_ts": told.ts, "text": clipped(parts[-1], FALLBACK_MAX)}
        blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": words}} for words in parts]
        try:
            await call(self._client, "chat.postMessage", {**body, "blocks": blocks, "unfurl_links": False})
        except NoMessage as error:  # the message was deleted a moment ago; the next change posts another
            log.warning("slack_thread_missing", channel=told.channel, why=str(error))
        except BadBlocks as error:
            log.error("slack_blocks_refused", channel=told.channel, why=str(error))
            await call(self._client, "chat.postMessage", body)


def _is_of(found: dict[str, Any], rollout: RolloutId) -> bool:
    metadata = found.get("metadata") or {}
    return (
        metadata.get("event_type") == METADATA
        and (metadata.get("event_payload") or {}).get("rollout") == rollout
    )
