"""How a call reaches AWS: one method, so that the same adapters serve real clients, the sandbox and simulations."""

from collections.abc import Mapping
from typing import Any, Protocol

Answer = dict[str, Any]
"""Parameters and answers in botocore's Python shape, which is described by its service models."""


class Transport(Protocol):
    """Makes one attempt at one call."""

    async def call(self, service: str, operation: str, params: Mapping[str, Any]) -> Answer:
        """The answer to, for example, ``("ecs", "DescribeServices", {…})``, names as in botocore. Raises Outside."""
        ...
