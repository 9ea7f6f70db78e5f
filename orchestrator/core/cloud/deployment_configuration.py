"""ECS's deployment configuration of a service: alarms, the circuit breaker, and what makes two of them equal."""

import json
from typing import Any

from orchestrator.core.cloud.forward_action import canonical
from orchestrator.core.domain.ids import Json


def unwatched(configuration: Json) -> Json:
    """Blue's deployment configuration with its alarms off and its breaker's rollback off.

    Green's bad revision may fire blue's alarms: ECS would then "roll back" to the very revision that is bad.
    """
    parsed = json.loads(configuration)
    if "alarms" in parsed:
        parsed["alarms"] = {**parsed["alarms"], "enable": False, "rollback": False}
    if "deploymentCircuitBreaker" in parsed:
        parsed["deploymentCircuitBreaker"] = {**parsed["deploymentCircuitBreaker"], "rollback": False}
    return canonical(parsed)


def is_watchful(configuration: Json) -> bool:
    """True if a deployment configuration lets ECS judge a deployment by alarms, or put another revision back."""
    parsed = json.loads(configuration)
    alarms, breaker = parsed.get("alarms", {}), parsed.get("deploymentCircuitBreaker", {})
    return bool(alarms.get("enable") or alarms.get("rollback") or breaker.get("rollback"))


def comparable(configuration: Json) -> Json:
    """A deployment configuration without what it does not use: what is off, zero or empty says nothing."""
    parsed: dict[str, Any] = json.loads(configuration)
    parsed.setdefault("strategy", "ROLLING")
    for name in ("alarms", "deploymentCircuitBreaker"):
        if not (parsed.get(name) or {}).get("enable"):
            parsed.pop(name, None)
    return canonical({name: value for name, value in parsed.items() if value not in (0, [], {}, None)})


def switched_off(configuration: Json) -> Json:
    """The configuration for writing: a breaker that it does not mention is switched off, rather than left as it is."""
    off = {"deploymentCircuitBreaker": {"enable": False, "rollback": False}}
    return canonical(off | json.loads(configuration))
