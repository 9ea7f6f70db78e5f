"""AWS's time, where this machine's clock is wrong: windows of metrics and hours must not be looked for elsewhere."""

from datetime import datetime, timedelta

from orchestrator.core.cloud.clock_skew import WARN_OVER
from orchestrator.ports.clock import Clock
from orchestrator.ports.cloud import AwsTimeSource


class AwsTime:
    """A clock that goes by AWS's once this machine's is known to be wrong by more than a minute."""

    def __init__(self, clock: Clock, cloud: AwsTimeSource) -> None:
        self._clock, self._cloud = clock, cloud

    def now(self) -> datetime:
        """The present moment, as AWS has it."""
        ahead = self._cloud.ahead()
        return self._clock.now() + (ahead if abs(ahead) > WARN_OVER else timedelta(0))
