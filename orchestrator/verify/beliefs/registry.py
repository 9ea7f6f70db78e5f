"""Every belief, one line a belief, in the order in which they are asked."""

from orchestrator.verify.beliefs.belief import Belief
from orchestrator.verify.beliefs.composite_alarms import COMPOSITE_ALARMS
from orchestrator.verify.beliefs.datapoint_delay import DATAPOINT_DELAY
from orchestrator.verify.beliefs.datapoint_revision import DATAPOINT_REVISION
from orchestrator.verify.beliefs.in_flight import IN_FLIGHT
from orchestrator.verify.beliefs.request_count import REQUEST_COUNT
from orchestrator.verify.beliefs.scalable_target_tags import SCALABLE_TARGET_TAGS
from orchestrator.verify.beliefs.service_connect import SERVICE_CONNECT
from orchestrator.verify.beliefs.service_revisions import SERVICE_REVISIONS
from orchestrator.verify.beliefs.stickiness_left_out import STICKINESS_LEFT_OUT
from orchestrator.verify.beliefs.weights_of_zero import WEIGHTS_OF_ZERO
from orchestrator.verify.beliefs.written_back import WRITTEN_BACK

BELIEFS: tuple[Belief, ...] = (
    WRITTEN_BACK,
    STICKINESS_LEFT_OUT,
    WEIGHTS_OF_ZERO,
    SCALABLE_TARGET_TAGS,
    SERVICE_REVISIONS,
    COMPOSITE_ALARMS,
    SERVICE_CONNECT,
    IN_FLIGHT,
    REQUEST_COUNT,
    DATAPOINT_DELAY,
    DATAPOINT_REVISION,
)
