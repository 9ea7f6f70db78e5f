"""uvicorn as the doors use it: an app on a listener until SIGTERM."""

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn
from fastapi import FastAPI

from api.http.request.server_state import Door
from api.serving.connections import Connections, bounded, room
from orchestrator.settings import Bounds

GRACE_SECONDS = 20  # for requests under way; a tick ends within 15 s by itself


ACCEPTED_AT_ONCE = (
    16  # each turn of the loop; whoever waits longer waits in the kernel, and costs no descriptor
)
WAITING_IN_KERNEL = 512
HEAD_BYTES = 48 * 1024  # of a request's address and headers, before they are whole


async def serve(
    app: FastAPI,
    listener: socket.socket,
    on_start: Callable[[], None],
    *,
    bounds: Bounds = Bounds(),
    proxies: tuple[str, ...] = (),
) -> None:
    """Serve an app until SIGINT or SIGTERM; then finish what is under way. `proxies`: whose word on a client counts."""
    door: Door = app.state.door
    most = room(bounds)
    # Whoever comes while all that may ask do so is heard before those who come after him take his connection.
    door.asked_max = min(door.asked_max, _but_for_newcomers(most))
    door.asked_from_max = min(door.asked_from_max, _but_for_newcomers(bounds.per_address))
    door.waiters_max = min(door.waiters_max, door.asked_max * 3 // 4)
    door.bounds = bounds
    server = Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            http=bounded(Connections(bounds, most, proxies, door.pacing.is_owing)),
            ws="none",
            backlog=ACCEPTED_AT_ONCE,
            h11_max_incomplete_event_size=HEAD_BYTES,
            # A proxy's word on where a request comes from is taken only from proxies that the operator names.
            proxy_headers=bool(proxies),
            forwarded_allow_ips=list(proxies),
        )
    )
    server.config.timeout_graceful_shutdown = GRACE_SECONDS
    server.on_exit = door.closing.set
    server.on_start = on_start
    await server.serve(sockets=[listener])


def _but_for_newcomers(connections: int) -> int:
    return max(connections // 2, connections - 4 * ACCEPTED_AT_ONCE)


class Server(uvicorn.Server):
    """uvicorn, which tells when it starts and when it is asked to stop.

    An open event stream would keep uvicorn waiting for its end, so its end is asked for where uvicorn hears the
    signal. uvicorn also raises the signal again once it has shut down, which would end the process before others
    have finished; here the loop hears it and nobody raises it again.
    """

    on_exit: Callable[[], None]
    on_start: Callable[[], None]

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and tell."""
        await super().startup(sockets)
        for listener in sockets or ():
            listener.listen(WAITING_IN_KERNEL)
        self.on_start()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Shut down, and tell whoever waits for news."""
        super().handle_exit(sig, frame)
        self.on_exit()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Hear SIGINT and SIGTERM, where they are not ignored, through the event loop while the context lasts."""
        loop = asyncio.get_running_loop()
        heard = [
            one for one in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(one) is not signal.SIG_IGN
        ]
        for sig in heard:
            loop.add_signal_handler(sig, self.handle_exit, sig, None)
        try:
            yield
        finally:
            for sig in heard:
                loop.remove_signal_handler(sig)
