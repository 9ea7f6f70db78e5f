"""Which problems each call may answer with, as the OpenAPI document tells them: status, code, and when."""

from api.auth.roles import Open, needed_for
from orchestrator.core.domain.commands import CommandKind

Told = tuple[str, str]  # (code, when)

SHARED: dict[str, tuple[int, str, str]] = {
    "Unauthenticated": (401, "unauthenticated", "No token that this server accepts was sent."),
    "Forbidden": (
        403,
        "forbidden",
        "The role or the services of whoever asks do not cover this; or (`foreign`) the server was asked by a "
        "foreign name or from another site's page.",
    ),
    "TooLarge": (413, "too-large", "The body is larger than 256 KiB."),
    "AddressTooLong": (414, "address-too-long", "The address is longer than 8 KiB."),
    "HeadersTooLarge": (431, "headers-too-large", "The headers are longer than 32 KiB."),
    "TooMany": (429, "too-many-requests", "One caller asks more at a time than is answered to one."),
    "Internal": (500, "internal", "A bug in Teal, or its store cannot be used; rollouts go on."),
    "Unavailable": (
        503,
        "busy",
        "Not now: too many wait for news, or the token's issuer is away. Ask again.",
    ),
}
"""Component name → status, code and meaning of a problem that many calls share."""

_ROLLOUT: dict[int, Told] = {
    404: (
        "not-found",
        "No such rollout, and no active one of a service by this name, that whoever asks may see.",
    ),
    409: ("refused", "The service's bare name means more than one rollout."),
}
_COMMAND: dict[int, Told] = {
    **_ROLLOUT,
    409: (
        "refused",
        "The command is not accepted in the present phase, which is named, or its key stands for another one.",
    ),
    412: ("changed", "The rollout is at another version than `If-Match` names; nothing was changed."),
}
_FILE: dict[int, Told] = {
    415: ("wrong-type", "The body is neither JSON nor YAML."),
    502: ("outside", "AWS could not be read."),
}

OWN: dict[str, dict[int, Told]] = {
    "start_rollout": {
        **_FILE,
        409: (
            "conflict",
            "The service or a rule is held by another rollout, or the key started another file.",
        ),
        422: ("invalid", "The file has mistakes, or preflight's findings are against it (`unfit`)."),
    },
    "preflight": {**_FILE, 422: ("invalid", "The file has mistakes.")},
    "simulate": {
        415: _FILE[415],
        422: ("invalid", "The file or a rate has mistakes, or nobody knows the rate (`traffic-unknown`)."),
        429: ("simulating", "As many simulations of one caller wait as may."),
    },
    "get_rollout": _ROLLOUT,
    "list_events": _ROLLOUT,
    "report": _ROLLOUT,
    "undo_rollout": {
        404: _ROLLOUT[404],
        409: (
            "refused",
            "It did not succeed, or a later rollout of the service did: there is nothing to take back.",
        ),
    },
    **{f"{kind.value}_rollout": _COMMAND for kind in CommandKind},
    "get_service": {
        404: ("not-found", "No service by this name that had a rollout and that whoever asks may see."),
        409: ("refused", "The bare name means more than one service."),
    },
    "create_token": {409: ("conflict", "The key already made a token, whose text is not kept.")},
    "revoke_token": {404: ("not-found", "There is no such token.")},
    "explain_problem": {404: ("no-such-path", "There is no such problem.")},
}


def own_problems(call: str) -> dict[int, Told]:
    """What a call itself may answer with."""
    return dict(OWN.get(call, {}))


def shared_problems(call: str, *, takes_body: bool) -> dict[int, str]:
    """Status → the shared problem that a call may answer with."""
    found = {403: "Forbidden", 414: "AddressTooLong", 431: "HeadersTooLarge", 500: "Internal"}
    if not isinstance(needed_for(call), Open):
        found |= {401: "Unauthenticated", 503: "Unavailable"}
        if not call.endswith("_rollout") or call in ("start_rollout", "get_rollout", "undo_rollout"):
            found[429] = "TooMany"  # a command is never too many
    if takes_body:
        found[413] = "TooLarge"
    return found
