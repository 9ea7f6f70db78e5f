"""Which role each call of the HTTP door takes: the one table, which the door enforces and the docs are made from."""

from enum import StrEnum
from typing import assert_never

from orchestrator.core.domain.roles import ROLE_FOR, TO_START, Role


class Open(StrEnum):
    """Calls that take no role."""

    ANYBODY = "anybody"  # tells nothing of any rollout
    SIGNED = "signed"  # checks its caller's signature itself


Needed = Role | Open

CALLS: dict[str, Needed] = {
    "is_alive": Open.ANYBODY,
    "is_ready": Open.ANYBODY,
    "explain_problem": Open.ANYBODY,
    "slack_actions": Open.SIGNED,
    "slack_commands": Open.SIGNED,
    "openapi": Role.VIEWER,
    "schema": Role.VIEWER,
    "metrics": Role.VIEWER,
    "me": Role.VIEWER,
    "list_rollouts": Role.VIEWER,
    "get_rollout": Role.VIEWER,
    "list_events": Role.VIEWER,
    "report": Role.VIEWER,
    "undo_rollout": Role.VIEWER,
    "list_services": Role.VIEWER,
    "get_service": Role.VIEWER,
    "preflight": Role.VIEWER,
    "simulate": Role.VIEWER,
    "start_rollout": TO_START,
    **{f"{kind.value}_rollout": role for kind, role in ROLE_FOR.items()},
    "list_tokens": Role.ADMIN,
    "create_token": Role.ADMIN,
    "revoke_token": Role.ADMIN,
    "audit": Role.ADMIN,
}
"""Operation id → what it takes. A call without a row is not served."""

FOR_ALL_SERVICES = frozenset({"list_tokens", "create_token", "revoke_token", "audit"})
"""Calls that only somebody may make who is not limited to some services: they reach beyond any one service."""

READS = frozenset({"preflight", "simulate"})
"""Calls by POST that change nothing, and are therefore not kept in the audit log."""


def needed_for(call: str) -> Needed:
    """What a call takes. Raises AssertionError for one without a row."""
    assert call in CALLS, f"the call {call!r} has no row in api/auth/roles.py, so nobody may make it"
    return CALLS[call]


def words_for(needed: Needed) -> str:
    """Who may make a call, in words."""
    match needed:
        case Open.ANYBODY:
            return "anybody"
        case Open.SIGNED:
            return "whoever signs it"
        case Role():
            return needed.value
        case never:
            assert_never(never)
