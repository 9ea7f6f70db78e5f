"""Who may make which call: every request is matched, known and weighed here before anything of it is read.

It stands before the framework and not in a dependency of each call, since the framework reads a body before it asks
its dependencies: who may not come in would learn what is wrong with a file, and a path without a call would be open.
"""

from collections.abc import Iterable, Iterator
from functools import partial
from re import Pattern
from urllib.parse import parse_qsl, quote

from fastapi import APIRouter
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.datastructures import Headers
from starlette.types import Scope

from api.auth.bearer import LOCAL, Authenticator
from api.auth.roles import FOR_ALL_SERVICES, Open, needed_for
from api.http.request.context import Visit
from api.http.request.origins import check_origin
from api.http.request.server_state import NAME_PATTERN, USER, USER_MAX
from api.problems import Forbidden, MistakePart, RequestInvalid
from orchestrator.core.domain.roles import TO_OVERRIDE, Principal, Role, with_article

PROBED = frozenset({"is_alive", "is_ready"})  # a load balancer asks these by whatever name it likes


class Calls:
    """The calls of some routers, by path and method. Raises AssertionError for one that no role is named for."""

    def __init__(self, routers: Iterable[APIRouter]) -> None:
        self._calls: list[tuple[Pattern[str], frozenset[str], str, str]] = []
        self._queries: dict[str, frozenset[str]] = {}
        for route in (one for router in routers for one in router.routes):
            assert isinstance(route, APIRoute), f"{route} is no call"
            name = route.operation_id or ""
            needed_for(name)
            self._queries[name] = frozenset(_queries(route.dependant))
            self._calls.append((route.path_regex, frozenset(route.methods or ()), name, route.path_format))

    def __iter__(self) -> Iterator[tuple[str, str, str]]:
        """Operation id, method and path of each call."""
        return ((name, min(methods), template) for _, methods, name, template in self._calls)

    def find(self, path: str, method: str) -> tuple[str, str]:
        """The operation id and the path template of a call; empty if there is none."""
        for pattern, methods, name, template in self._calls:
            if method in methods and pattern.match(path):
                return name, template
        return "", ""

    def check_query(self, call: str, query: bytes) -> None:
        """Raises RequestInvalid for parameters that a call does not know, which would else be passed over."""
        known = sorted(self._queries[call])
        named = dict.fromkeys(name for name, _ in parse_qsl(query.decode("latin-1"), keep_blank_values=True))
        instead = f"write one of {', '.join(known)}" if known else "leave it out: this call takes none"
        parts = [
            MistakePart(
                where="query", pointer=f"/{quote(name)[:100]}", what="it is not known here", instead=instead
            )
            for name in named
            if name not in known
        ]
        if parts:
            raise RequestInvalid(parts)

    def allowed(self, path: str) -> str:
        """The methods that a path takes, as an `Allow` header lists them; empty if there is nothing at the path."""
        first = next((template for pattern, _, _, template in self._calls if pattern.match(path)), "")
        found = {one for _, methods, _, template in self._calls if template == first for one in methods}
        is_probed = any(name in PROBED and template == first for _, _, name, template in self._calls)
        return ", ".join(sorted(found | ({"HEAD"} if is_probed else set())))


def _queries(dependant: Dependant) -> Iterator[str]:
    """The query parameters of a call and of what it depends on."""
    yield from (one.alias for one in dependant.query_params)
    for below in dependant.dependencies:
        yield from _queries(below)


async def admit(visit: Visit, scope: Scope, headers: Headers, auth: Authenticator, calls: Calls) -> None:
    """Let a visit in.

    Raises Foreign, Unauthenticated, Forbidden or IssuerAway, or what the store raises; the visit then says how far
    it came.
    """
    visit.call, visit.route = calls.find(scope["path"], visit.method)
    visit.allowed = "" if visit.call else calls.allowed(scope["path"])
    if visit.call in PROBED and not _is_local_only(auth):
        return
    needed = needed_for(visit.call) if visit.call else Role.VIEWER
    if needed is Open.SIGNED:
        return  # its signature says whence it comes, by whatever name and through whatever proxy
    is_on = await auth.is_on()
    check_origin(
        headers.get("host", ""),
        headers.get("origin"),
        is_on=is_on,
        public_url=auth.settings.public_url,
    )
    if isinstance(needed, Open):
        if visit.call not in PROBED:
            calls.check_query(visit.call, scope.get("query_string", b""))
        return
    authorization = tuple(headers.getlist("authorization"))
    user = headers.get(USER, LOCAL)
    local = user if len(user) <= USER_MAX and NAME_PATTERN.fullmatch(user) else LOCAL

    visit.ask_again = partial(auth.authenticate, authorization, local=local)
    visit.known = await visit.ask_again()
    if visit.call:
        _weigh(visit.principal, visit.call, needed)
        calls.check_query(visit.call, scope.get("query_string", b""))


def _is_local_only(auth: Authenticator) -> bool:
    return not auth.is_required and not auth.settings.issuers


def _weigh(who: Principal, call: str, needed: Role) -> None:
    """Raises Forbidden if somebody's role or services do not cover a call."""
    why = who.lacks(needed)
    if why:
        raise Forbidden(what=f"you may not call `{call}`", why=why, next_step=f"ask {with_article(needed)}")
    if who.services and call in FOR_ALL_SERVICES:
        raise Forbidden(
            what=f"you may not call `{call}`",
            why=f"{who.name} is limited to {', '.join(who.services)}, and this reaches beyond any one service",
            next_step="ask an admin of all services",
        )


def check_reach(who: Principal, service: str) -> None:
    """Raises Forbidden if somebody may not start anything for a service, which is no secret since they named it."""
    if not who.reaches(service):
        raise Forbidden(
            what=f"you may not ask for {service}",
            why=f"{who.name} is limited to {', '.join(who.services)}",
            next_step="ask for one of those, or somebody with a wider scope",
        )


def check_override(who: Principal, reason: str) -> None:
    """Raises Forbidden if somebody overrides windows and freezes, `reason` not being empty, who may not."""
    why = who.lacks(TO_OVERRIDE) if reason else ""
    if why:
        raise Forbidden(
            what="you may not override windows and freezes",
            why=why,
            next_step=f"remove override, or ask {with_article(TO_OVERRIDE)} to start it",
        )
