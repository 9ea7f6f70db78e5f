"""A simulated AWS account: what it would do, never a byte on a wire."""

from sandbox.world.kernel.errors import AwsRefusal, CallLost, Json
from sandbox.world.kernel.faults import Fault
from sandbox.world.kernel.log import CallRecord
from sandbox.world.kernel.settings import WorldSettings
from sandbox.world.world import World, quiet_world

__all__ = ["AwsRefusal", "CallLost", "CallRecord", "Fault", "Json", "World", "WorldSettings", "quiet_world"]
