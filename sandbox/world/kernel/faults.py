"""Scripted misfortune: calls that fail before or after they took effect, outages, and rivals."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, Literal, TypeVar

from sandbox.world.kernel.errors import AwsRefusal, CallLost
from sandbox.world.kernel.kernel import Kernel

World = TypeVar("World")  # what rivals act on
Kind = Literal["timeout", "throttle", "unavailable", "expired", "denied", "page", "busy"]
"""page: something on the way answers with a web page of its own. busy: ECS is at another revision of the family."""
When = Literal["before", "after", "late"]
PAGE = "<!DOCTYPE html><html><head><title>502</title></head><body><h1>Bad gateway</h1><br></body></html>"
QUERY = ("elbv2", "sts", "cloudwatch", "iam")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One failure to come. `nth` counts calls of `operation` ("*": any) from the moment it was added.

    before: nothing took effect. after: it took effect, but the caller sees the failure. late: the caller sees a
    timeout and the call takes effect `delay` later, as a frozen process's write does; a clock that was `ahead` of AWS's
    signed it. `times` calls in a row fail.
    """

    operation: str = "*"
    nth: int = 1
    when: When = "before"
    kind: Kind = "timeout"
    times: int = 1
    delay: timedelta = timedelta(seconds=5)
    ahead: timedelta = timedelta(0)


@dataclass(slots=True)
class _Armed:
    fault: Fault
    seen: int = 0


@dataclass(slots=True)
class _Hook(Generic[World]):
    operation: str
    nth: int
    run: Callable[[World], object]
    seen: int = 0


@dataclass(slots=True)
class _Spell:
    """A failure of everything for a while."""

    services: frozenset[str] | None  # None: all
    kind: Kind
    until: datetime | None


@dataclass(slots=True)
class Faults(Generic[World]):
    """The script. Nothing here knows what an operation does."""

    kernel: Kernel
    _armed: list[_Armed] = field(default_factory=list)
    _hooks: list[_Hook[World]] = field(default_factory=list)
    _spells: list[_Spell] = field(default_factory=list)

    def add(self, fault: Fault) -> None:
        """Arm a fault."""
        self._armed.append(_Armed(fault))

    def clear(self) -> None:
        """Forget every fault, rival and outage."""
        self._armed.clear()
        self._hooks.clear()
        self._spells.clear()

    def before(self, operation: str, nth: int, run: Callable[[World], object]) -> None:
        """Let a rival act on the World right before the nth call of `operation` from now on."""
        self._hooks.append(_Hook(operation, nth, run))

    def outage(
        self,
        services: tuple[str, ...] | Literal["all"] = "all",
        *,
        until: datetime | None = None,
        kind: Kind = "unavailable",
    ) -> None:
        """Every call of these services fails, taking no effect, until then or until `end_outage`."""
        self._spells.append(_Spell(None if services == "all" else frozenset(services), kind, until))

    def end_outage(self) -> None:
        """End every outage and every throttling of everything."""
        self._spells.clear()

    def throttle_everything(self, *, until: datetime | None = None) -> None:
        """Every call is throttled until then, or until `end_outage`."""
        self.outage("all", until=until, kind="throttle")

    @property
    def quiet(self) -> bool:
        """True while nothing is scripted."""
        return not (self._armed or self._hooks or self._spells)

    def rivals(self, operation: str, world: World) -> None:
        """Let the rivals act whose moment this call is."""
        for hook in [h for h in self._hooks if h.operation in (operation, "*")]:
            hook.seen += 1
            if hook.seen == hook.nth:
                self._hooks.remove(hook)
                hook.run(world)

    def strike(self, service: str, operation: str) -> Fault | None:
        """The fault that this call meets, if any; every fault that counts this call has counted it."""
        now = self.kernel.now
        self._spells = [s for s in self._spells if s.until is None or now < s.until]
        struck: Fault | None = None
        for armed in self._armed:
            fault = armed.fault
            if fault.operation not in (operation, "*"):
                continue
            armed.seen += 1
            if struck is None and armed.seen >= fault.nth:
                struck = fault
        self._armed = [a for a in self._armed if a.seen < a.fault.nth + a.fault.times - 1]
        for spell in self._spells:
            if spell.services is None or service in spell.services:
                return Fault(operation=operation, kind=spell.kind)
        return struck


def failure(service: str, kind: Kind) -> AwsRefusal | CallLost:
    """What the caller of `service` sees of a fault, with the codes that service uses."""
    query = service in QUERY
    match kind:
        case "timeout":
            return CallLost("no answer")
        case "throttle":
            return throttled(service)
        case "unavailable":
            code = "ServiceUnavailable" if query else "ServerException"
            return AwsRefusal(code, "Service is temporarily unavailable", 503)
        case "expired":
            code = "ExpiredToken" if query else "ExpiredTokenException"
            return AwsRefusal(
                code, "The security token included in the request is expired", 403 if query else 400
            )
        case "denied":
            code = "AccessDenied" if query else "AccessDeniedException"
            return AwsRefusal(code, "User is not authorized to perform this operation", 403 if query else 400)
        case "page":
            return AwsRefusal("", PAGE, 502)
        case "busy":
            words = "Too many concurrent attempts to create a new revision of the specified family."
            return AwsRefusal("ClientException", words, 400)


def throttled(service: str) -> AwsRefusal:
    """The throttle of a service, in its own words."""
    code = "Throttling" if service in QUERY else "ThrottlingException"
    return AwsRefusal(code, "Rate exceeded", 400)


SIGNATURE_AGES = {"ecs": timedelta(minutes=5), "elbv2": timedelta(minutes=5)}
"""How old a signature these take, as their refusals name it; of the others some name five minutes and some fifteen."""
SIGNATURE_AGE_LONGEST = timedelta(minutes=15)


def refuse_old(service: str, signed: datetime, now: datetime) -> None:
    """Raises AwsRefusal for a call that was signed longer ago than the service takes."""
    age = SIGNATURE_AGES.get(service, SIGNATURE_AGE_LONGEST)
    if now - signed > age:
        form, minutes = "%Y%m%dT%H%M%SZ", age // timedelta(minutes=1)
        code = "InvalidSignatureException" if service == "ecs" else "SignatureDoesNotMatch"
        bound = f"{now - age:{form}} ({now:{form}} - {minutes} min.)"
        words = f"Signature expired: {signed:{form}} is now earlier than {bound}"
        raise AwsRefusal(code, words, 403)
