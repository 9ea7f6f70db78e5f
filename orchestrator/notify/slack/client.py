"""Slack's own client, and its answers as this project's errors. Nothing else knows Slack's error names."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from orchestrator.core.domain.errors import Denied, Missing, Outside, Rejected, Unreachable
from orchestrator.notify.sink import Later
from orchestrator.settings import Slack

TIMEOUT_SECONDS = 10
RETRY_AFTER_LEAST, RETRY_AFTER_MOST = timedelta(seconds=1), timedelta(minutes=10)
NO_MESSAGE = frozenset(
    {
        "message_not_found",
        "cant_update_message",
        "edit_window_closed",
        "thread_not_found",
        "message_not_owned_by_app",
    }
)
_NO_CHANNEL = frozenset(
    {"channel_not_found", "not_in_channel", "is_archived", "restricted_action", "user_not_in_channel"}
)
_NO_RIGHT = frozenset(
    {
        "invalid_auth",
        "not_authed",
        "account_inactive",
        "token_revoked",
        "token_expired",
        "missing_scope",
        "no_permission",
        "org_login_required",
        "access_denied",
    }
)
_LATER = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
_OUT_OF_ORDER = frozenset(
    {"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"}
)


class NoMessage(Missing):
    """The message, or its thread, is not there any more, or cannot be changed."""


class BadBlocks(Rejected):
    """Slack does not take the blocks as they are."""


def client_of(slack: Slack) -> AsyncWebClient:
    """Slack's client. It retries nothing by itself: whoever calls it knows whether a repetition is harmless."""
    return AsyncWebClient(
        token=slack.token.reveal(), base_url=slack.api, timeout=TIMEOUT_SECONDS, retry_handlers=[]
    )


async def call(client: AsyncWebClient, method: str, told: Mapping[str, Any]) -> dict[str, Any]:
    """One call of Slack's API and its answer. Raises Outside.

    Later if Slack asks to wait; NoMessage; BadBlocks; Missing (the channel); Denied; Rejected; Unreachable, after
    which it is unknown whether the call was carried out.
    """
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            answer = await client.api_call(method, json=dict(told))
    except SlackApiError as error:
        raise _translated(error, method, str(told.get("channel", ""))) from error
    except (aiohttp.ClientError, OSError, TimeoutError, SlackClientError, AttributeError) as error:
        # AttributeError: the SDK's, on an answer that is text; something between here and Slack wrote it.
        raise Unreachable(
            what=f"Slack did not answer {method}",
            why=str(error) or type(error).__name__,
            next_step="see whether this machine reaches Slack; it is tried again by itself",
        ) from error
    found = answer.data
    return found if isinstance(found, dict) else {}


def _translated(error: SlackApiError, method: str, channel: str) -> Outside:
    answer = error.response
    status, data = _status(answer), getattr(answer, "data", None)
    name = str(data.get("error", "")) if isinstance(data, dict) else ""
    if status == 429 or name in _LATER:
        return Later(
            what=f"Slack limits the rate of {method}",
            next_step="nothing is to be done: it is tried again by itself",
            after=_retry_after(getattr(answer, "headers", None) or {}),
        )
    if name in NO_MESSAGE:
        return NoMessage(what="the rollout's message is not there any more", why=f"{method} answered {name}")
    if name.startswith("invalid_blocks") or name == "msg_too_long":
        return BadBlocks(what="Slack refuses the message as it is", why=f"{method} answered {name}")
    if name in _NO_CHANNEL:
        return Missing(
            what=f"Teal's app cannot write to Slack channel `{channel}`",
            why=f"{method} answered {name}",
            next_step="invite the app there (/invite in the channel), or name another channel",
        )
    if name in _NO_RIGHT:
        needed = f", needs {data['needed']}" if isinstance(data, dict) and "needed" in data else ""
        return Denied(
            what=f"Slack does not let Teal's app call {method}",
            why=f"it answered {name}{needed}",
            next_step="check slack.token in the settings, and the app's scopes",
        )
    if status >= 500 or name in _OUT_OF_ORDER or not name:
        return Unreachable(what=f"Slack failed on {method}", why=name or f"HTTP status {status}")
    return Rejected(what=f"Slack refused {method}", why=f"it answered {name}")


def _status(answer: object) -> int:
    """The HTTP status, of the SDK's answer or of aiohttp's where the body was no JSON."""
    status = getattr(answer, "status_code", None) or getattr(answer, "status", 0)
    return status if isinstance(status, int) else 0


def _retry_after(headers: Mapping[str, str]) -> timedelta:
    given = next((text for name, text in headers.items() if name.lower() == "retry-after"), "")
    seconds = int(given) if given.isdecimal() and len(given) < 9 else 30
    return min(max(timedelta(seconds=seconds), RETRY_AFTER_LEAST), RETRY_AFTER_MOST)
