"""A simulated AWS account: what it would do, never a byte on a wire."""

from orchestrator.sandbox.world.errors import AwsRefusal, CallLost, Json
from orchestrator.sandbox.world.faults import Fault
from orchestrator.sandbox.world.log import CallRecord
from orchestrator.sandbox.world.settings import WorldSettings
from orchestrator.sandbox.world.world import World, quiet_world

__all__ = ["AwsRefusal", "CallLost", "CallRecord", "Fault", "Json", "World", "WorldSettings", "quiet_world"]
