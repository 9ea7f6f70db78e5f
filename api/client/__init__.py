"""Teal's server from Python: rollouts started, followed and commanded by release tooling, sync or async.

The standard library is all it needs (aiohttp too, for `AsyncClient` alone), and it imports nothing of the server:
requests and answers are plain values in `requests` and `answers`, generated value classes stand in `values`, and two
thin transports carry them.

```python
from api.client import Client

teal = Client("https://teal.example", token=os.environ["TEAL_TOKEN"])
rollout = teal.start("rollout.yaml", key=build_id)
print(teal.wait(rollout.id, until="done").phase)
```
"""

from importlib.util import find_spec
from typing import TYPE_CHECKING

from api.client.failures import (
    Conflict,
    Failure,
    Forbidden,
    GaveUp,
    Invalid,
    Mistake,
    NoAnswer,
    NotFound,
    NotReached,
    Outside,
    Problem,
    Refused,
    ServerFault,
    Unauthenticated,
    Unavailable,
    Unfit,
    Unreadable,
)
from api.client.retries import Retries

if TYPE_CHECKING:
    from api.client.aio import AsyncClient
    from api.client.sync import Client

__all__ = [
    "Client",
    "Conflict",
    "Failure",
    "Forbidden",
    "GaveUp",
    "Invalid",
    "Mistake",
    "NoAnswer",
    "NotFound",
    "NotReached",
    "Outside",
    "Problem",
    "Refused",
    "Retries",
    "ServerFault",
    "Unauthenticated",
    "Unavailable",
    "Unfit",
    "Unreadable",
]

if find_spec("aiohttp"):  # else everything but the one class that needs it
    __all__ += ["AsyncClient"]


def __getattr__(name: str) -> object:
    """The clients with their values, each once it is asked for: `AsyncClient` alone needs aiohttp."""
    match name:
        case "Client":
            from api.client.sync import Client

            return Client
        case "AsyncClient":
            from api.client.aio import AsyncClient

            return AsyncClient
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
