"""ECS's deployment configuration of a service: alarms, the circuit breaker, and what makes two of them equal."""

import json
from typing import Any

from orchestrator.core.cloud.forward_action import canonical
from orchestrator.core.domain.ids import Json

_ALARMS, _ALARMS_BACK, _BREAKER_BACK = "alarms.enable", "alarms.rollback", "breaker.rollback"


def unwatched(configuration: Json) -> Json:
    """Blue's deployment configuration with its alarms off, its breaker's rollback off, and without hooks.

    Green's bad revision may fire blue's alarms: ECS would then "roll back" to the very revision that is bad. A
    lifecycle hook could stop blue on its way back.
    """
    parsed = json.loads(configuration)
    if "alarms" in parsed:
        parsed["alarms"] = {**parsed["alarms"], "enable": False, "rollback": False}
    if "deploymentCircuitBreaker" in parsed:
        parsed["deploymentCircuitBreaker"] = {**parsed["deploymentCircuitBreaker"], "rollback": False}
    if parsed.get("lifecycleHooks"):
        parsed["lifecycleHooks"] = []
    return canonical(parsed)


def hooks_in_words(configuration: Json) -> tuple[str, ...]:
    """Its lifecycle hooks, each as ``a pause at PRE_SCALE_UP`` or ``Lambda function NAME at POST_SCALE_UP``."""
    return tuple(_hook(hook) for hook in json.loads(configuration).get("lifecycleHooks") or ())


def given_back(base: Json, seen: Json) -> Json:
    """What blue gets back after `unwatched`: the base, or what others have made of it since, watched as before."""
    if comparable(seen) in (comparable(base), comparable(unwatched(base))):
        return base
    return with_hooks_of(base, rewatched(seen, watch_of(base)))


def with_hooks_of(base: Json, configuration: Json) -> Json:
    """The configuration with the base's lifecycle hooks, where it has none of its own."""
    parsed, hooks = json.loads(configuration), json.loads(base).get("lifecycleHooks")
    return (
        configuration
        if not hooks or parsed.get("lifecycleHooks")
        else canonical({**parsed, "lifecycleHooks": hooks})
    )


def _hook(hook: dict[str, Any]) -> str:
    is_pause = hook.get("targetType") == "PAUSE"
    name = str(hook.get("hookTargetArn", "")).partition(":function:")[2]
    what = "a pause" if is_pause else f"Lambda function {name}".rstrip()
    return f"{what} at {' and '.join(hook.get('lifecycleStages') or ())}"


def is_watchful(configuration: Json) -> bool:
    """True if a deployment configuration lets ECS judge a deployment, stop it, or put another revision back."""
    parsed = json.loads(configuration)
    alarms, breaker = parsed.get("alarms", {}), parsed.get("deploymentCircuitBreaker", {})
    hooks = parsed.get("lifecycleHooks")
    return bool(alarms.get("enable") or alarms.get("rollback") or breaker.get("rollback") or hooks)


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


def watch_of(configuration: Json) -> tuple[str, ...]:
    """What `unwatched` would switch off in a deployment configuration."""
    parsed = json.loads(configuration)
    alarms, breaker = parsed.get("alarms") or {}, parsed.get("deploymentCircuitBreaker") or {}
    on = {
        _ALARMS: alarms.get("enable"),
        _ALARMS_BACK: alarms.get("rollback"),
        _BREAKER_BACK: breaker.get("rollback"),
    }
    return tuple(name for name, is_on in on.items() if is_on)


def rewatched(configuration: Json, watch: tuple[str, ...]) -> Json:
    """The configuration with this switched on again."""
    parsed = json.loads(configuration)
    if "alarms" in parsed:
        for name, key in ((_ALARMS, "enable"), (_ALARMS_BACK, "rollback")):
            if name in watch:
                parsed["alarms"][key] = True
    if "deploymentCircuitBreaker" in parsed and _BREAKER_BACK in watch:
        parsed["deploymentCircuitBreaker"]["rollback"] = True
    return canonical(parsed)
