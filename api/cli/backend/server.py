"""A server's rollouts over HTTP, for commands that do more than show: beside an event loop, which nothing blocks."""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from api.cli.backend.backend import Given, NewCommand, Which
from api.cli.backend.server_reads import ServerReads
from api.client import requests
from api.client.requests import Request
from orchestrator.core.domain.commands import CommandKind
from orchestrator.engine.views.rollout_values import RolloutView
from orchestrator.ports.rollouts import EventSeen

if TYPE_CHECKING:
    from api.auth.token_shapes import TokenMade, TokenView
    from api.cli.backend.backend import NewToken
    from api.http.json_values import PreflightView
    from orchestrator.core.analysis.detectable_regression import Measured
    from orchestrator.core.rollout.spec import Spec
    from orchestrator.engine.views.report_parts import Report
    from orchestrator.engine.views.service_values import ServiceView

Json = Mapping[str, Any]
Shape = TypeVar("Shape")


class ServerDoor:
    """The server that `ServerReads` reads, as a `Door`; raises as that does."""

    def __init__(self, url: str, *, token: str = "", origin: str = "TEAL_SERVER") -> None:
        self._reads = ServerReads(url, token=token, origin=origin)

    async def get(self, name: str) -> RolloutView:
        """As Door."""
        return await asyncio.to_thread(self._reads.get, name)

    async def list(self, which: Which) -> tuple[RolloutView, ...]:
        """As Door."""
        return await asyncio.to_thread(self._reads.list, which)

    async def events(self, rollout: str, after: int) -> tuple[EventSeen, ...]:
        """As Door."""
        return await asyncio.to_thread(self._reads.events, rollout, after)

    async def report(self, name: str) -> "Report":
        """As Door."""
        from orchestrator.engine.views.report_parts import Report

        return self.shaped(Report, await self.ask(requests.report(name)))

    async def undoing(self, name: str) -> "Spec":
        """As Door."""
        from orchestrator import config

        return config.from_json(await self.ask(requests.undo(name)), "the server's answer")

    async def give(self, name: str, command: NewCommand) -> Given:
        """As Door."""
        said: dict[str, object] = {"reason": command.reason, "step": command.step}
        if command.kind is CommandKind.PROMOTE:
            said["full"] = command.full
        if command.to is not None:
            said["to"] = f"{command.to / 10:g}%"
        answer = await self.ask(requests.command(name, command.kind.value, said))
        rollout = self.shaped(RolloutView, answer["rollout"])
        return Given(rollout=rollout, is_recorded=answer.get("recorded") is not False)

    async def start(self, spec: "Spec", *, key: str) -> RolloutView:
        """As Door."""
        from orchestrator.config.rollout_file.dump import document_of

        return self.shaped(RolloutView, await self.ask(requests.start(document_of(spec), key=key)))

    async def services(self) -> "tuple[ServiceView, ...]":
        """As Door."""
        return await asyncio.to_thread(self._reads.services)

    async def service(self, name: str) -> "ServiceView":
        """As Door."""
        return await asyncio.to_thread(self._reads.service, name)

    async def preflight(self, spec: "Spec") -> "PreflightView":
        """What a rollout would start from, as the server reads it. Raises as Door's start."""
        from api.http.json_values import PreflightView
        from orchestrator.config.rollout_file.dump import document_of

        return self.shaped(PreflightView, await self.ask(requests.preflight(document_of(spec))))

    async def traffic(self, spec: "Spec") -> "Measured":
        """A service's traffic as the server reads it. Raises as Door's start, and TrafficUnknown."""
        from orchestrator.config.rollout_file.dump import document_of
        from orchestrator.core.analysis.detectable_regression import Measured

        found = await self.ask(requests.traffic(document_of(spec)))
        return self.shaped(Measured, found["measured"])

    async def ask(self, request: Request) -> Json:
        """One call's answer."""
        return await asyncio.to_thread(self._reads.exchange, request)

    def shaped(self, kind: type[Shape], value: object) -> Shape:
        """A value of this kind from an answer's JSON. Raises Unreachable."""
        return self._reads.shaped(kind, value)


class ServerTokens:
    """A server's tokens."""

    def __init__(self, door: ServerDoor) -> None:
        self._door = door

    async def create(self, wanted: "NewToken") -> "TokenMade":
        """As TokenDoor."""
        from api.auth.token_shapes import TokenMade

        said = {
            "name": wanted.name,
            "role": wanted.role,
            "services": wanted.services,
            "groups": wanted.groups,
            "expires": wanted.expires or None,
        }
        return self._door.shaped(TokenMade, await self._door.ask(requests.create_token(said)))

    async def every(self) -> "tuple[TokenView, ...]":
        """As TokenDoor."""
        from api.auth.token_shapes import TokenView

        page = await self._door.ask(requests.tokens())
        return tuple(self._door.shaped(TokenView, one) for one in page["tokens"])

    async def revoke(self, token: str) -> "TokenView":
        """As TokenDoor."""
        from api.auth.token_shapes import TokenView

        return self._door.shaped(TokenView, await self._door.ask(requests.revoke_token(token)))
