"""What every call of the Slack door shares: the engine, the app's settings, who presses, and words back to them.

The door keeps nothing between two calls, so any replica may answer any click. Words go by Slack's API to the person
alone (`chat.postEphemeral`); the address for answers that a payload carries is never used, so none can lead Teal
anywhere else.
"""

import asyncio
from dataclasses import dataclass, field

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from api.problems import Forbidden
from orchestrator.bootstrap import BehindDoors
from orchestrator.core.domain.errors import Outside, TealError
from orchestrator.core.domain.roles import Principal, Role
from orchestrator.notify.slack.client import call, client_of
from orchestrator.notify.slack.text import FALLBACK_MAX, clipped, escaped
from orchestrator.ports.calls import Call
from orchestrator.settings import Settings, Slack

# Slack waits 3 s for an answer: so long the store may take for the command, and for the line in the audit log.
STORE_SECONDS, NOTE_SECONDS = 1.8, 0.6
OK = "ok"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who sent a request, as Slack says: user, workspace, and where from."""

    user: str
    team: str
    channel: str = ""
    address: str = ""  # of the client, for the audit log


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackDoor:
    """One server's Slack door."""

    engine: BehindDoors
    settings: Settings
    slack: Slack
    client: AsyncWebClient
    doing: set[asyncio.Task[None]] = field(default_factory=set)  # what nobody waits for any more

    def done(self, task: asyncio.Task[None]) -> None:
        """Let go of what has ended; what it could not do is in the log."""
        self.doing.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("rollback_not_done", why=str(error))

    def identify(self, sender: Sender) -> Principal:
        """The person behind a Slack user. Raises Forbidden for another workspace's, and for one nobody has named."""
        if self.slack.team and sender.team != self.slack.team:
            raise Forbidden(
                what="this Slack workspace is not the one that Teal is set up for",
                next_step="ask whoever runs Teal; `slack.team` in its settings names the workspace",
            )
        person = self.settings.person_by_slack(sender.user)
        if person is None:
            log.warning("slack_user_unknown", user=sender.user, team=sender.team)
            raise Forbidden(
                what=f"Teal does not know Slack user {sender.user}",
                next_step="ask whoever runs Teal to add you under `people` in its settings, with this id",
            )
        return Principal(
            name=person.name,
            role=person.role or Role.VIEWER,  # Slack's own word gives nobody a role
            source="slack",
            services=person.services,
            groups=person.groups,
        )

    async def say(self, sender: Sender, words: str) -> None:
        """Words for the sender alone, where they pressed. What cannot be said is in the log."""
        body = {"channel": sender.channel, "user": sender.user, "text": clipped(words, FALLBACK_MAX)}
        try:
            await call(self.client, "chat.postEphemeral", body)
        except Outside as error:
            log.warning("slack_words_not_said", channel=sender.channel, why=str(error))

    async def note(self, sender: Sender, what: str, *, by: str, target: str, outcome: str) -> None:
        """Keep a call that was to change something in the audit log."""
        told = Call(
            at=self.engine.clock.now(),
            actor=by,
            source="slack",
            address=sender.address,
            call=what,
            target=target,
            outcome=outcome,
            request=str(structlog.contextvars.get_contextvars().get("request", "")),
        )
        try:
            async with asyncio.timeout(NOTE_SECONDS):
                await self.engine.store.add_call(told)
        except (TealError, TimeoutError) as error:
            log.error("call_not_kept", call=what, actor=by, outcome=outcome, why=str(error))


def door_of(engine: BehindDoors, settings: Settings) -> SlackDoor | None:
    """The door of these settings; None where they set up no Slack app."""
    if settings.slack is None:
        return None
    return SlackDoor(engine=engine, settings=settings, slack=settings.slack, client=client_of(settings.slack))


def words_of(error: TealError) -> str:
    """An error in words that Slack shows as they are."""
    return escaped(str(error))
