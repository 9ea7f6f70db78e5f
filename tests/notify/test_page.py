"""docs/notifications.md: what it shows is what is sent, and its samples work."""

import json
import re
from typing import Any

import pytest

from orchestrator.core.domain.events import FOR_PEOPLE
from orchestrator.notify.cloud_events import cloud_event
from orchestrator.outbound.signature import key_of, signed
from orchestrator.ports.rollouts import EventSeen, Stored
from orchestrator.settings import Secret
from tests.contract.store_values import NOON, a_rollout, an_event
from tests.notify.receiver import PAGE, SECRET, sample

TEXT = PAGE.read_text(encoding="utf-8")
SHOWN: dict[str, Any] = json.loads(re.findall(r"```json\n(.*?)```", TEXT, flags=re.DOTALL)[0])


def made() -> bytes:
    row = a_rollout()
    seen = EventSeen(rollout=row.id, number=1, event=an_event())
    return cloud_event(Stored(rollout=row, version=1, wake_at=None), seen, public_url="https://t.example")


def keys(value: object) -> object:
    """The shape of a document, without its values; facts and labels are anybody's."""
    if not isinstance(value, dict):
        return type(value).__name__
    return {key: {} if key in ("facts", "labels") else keys(member) for key, member in value.items()}


def test_the_event_that_is_shown_has_the_members_of_one_that_is_sent() -> None:
    assert keys(SHOWN) == keys(json.loads(made()))


def test_the_page_names_what_is_told_by_default() -> None:
    (line,) = [line for line in TEXT.splitlines() if line.startswith("Without `events`")]
    named = set(re.findall(r"`([a-z_]+)`", line)) - {"events", "hold", "approval"}
    assert named == {kind.value for kind in FOR_PEOPLE}


def test_the_sample_takes_what_was_signed_and_nothing_else() -> None:
    body, verify = made(), sample("verify")
    headers = signed(body, key=key_of(Secret(SECRET)), id="r1/1", at=NOON)
    now = NOON.timestamp()
    verify(SECRET, headers, body, now=now)
    verify(
        SECRET, {**headers, "webhook-signature": f"v1,other {headers['webhook-signature']}"}, body, now=now
    )
    for wrong in (
        {"body": body + b" "},
        {"headers": {**headers, "webhook-id": "r1/2"}},
        {"now": now + 301},
        {"now": now - 301},
        {"secret": "whsec_" + "A" * 32},
    ):
        given: dict[str, Any] = {"secret": SECRET, "headers": headers, "body": body, "now": now, **wrong}
        with pytest.raises(ValueError, match=r"too old|not signed"):
            verify(given["secret"], given["headers"], given["body"], now=given["now"])


def test_the_samples_for_pagerduty_and_teams_make_what_these_take() -> None:
    assert sample("to_pagerduty")(SHOWN, "key") is None
    paged = json.loads(json.dumps(SHOWN).replace('"kind": "rollback_decided"', '"kind": "paged"'))
    called = sample("to_pagerduty")(paged, "key")
    assert (called["event_action"], called["dedup_key"]) == ("trigger", "checkout-1f0c9a2e")
    card = sample("to_teams")(SHOWN)["attachments"][0]["content"]
    assert "rolling_back · green 10 %" in card["body"][0]["text"]
