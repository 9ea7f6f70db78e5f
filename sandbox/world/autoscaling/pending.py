"""Writes to a scalable target that are still under way, beside which another is refused.

Source: ConcurrentUpdateException of the Application Auto Scaling API reference: "if you request an update to an
Application Auto Scaling resource that already has a pending update".
"""

from collections.abc import Callable
from datetime import datetime

from sandbox.world.kernel.errors import AwsRefusal, Json
from sandbox.world.kernel.kernel import Kernel


class PendingWrites:
    """Until when each scalable target is being written; `WorldSettings.scaling_write` says how long that takes."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._until: dict[str, datetime] = {}

    def alone(self, write: Callable[[Json], Json]) -> Callable[[Json], Json]:
        """The same write, refused with ConcurrentUpdateException while another to its target is under way."""

        def checked(params: Json) -> Json:
            resource, now = params["ResourceId"], self._kernel.now
            if now < self._until.get(resource, now):
                raise AwsRefusal(
                    "ConcurrentUpdateException", f"You already have a pending update to {resource}"
                )
            answer = write(params)
            self._until[resource] = now + self._kernel.settings.scaling_write
            return answer

        return checked
