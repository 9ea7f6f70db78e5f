"""Every belief, one line a belief, in the order in which they are asked."""

from orchestrator.verify.beliefs.belief import Belief
from orchestrator.verify.beliefs.client_secret import CLIENT_SECRET
from orchestrator.verify.beliefs.composite_alarms import COMPOSITE_ALARMS
from orchestrator.verify.beliefs.datapoint_delay import DATAPOINT_DELAY
from orchestrator.verify.beliefs.datapoint_revision import DATAPOINT_REVISION
from orchestrator.verify.beliefs.in_flight import IN_FLIGHT
from orchestrator.verify.beliefs.long_draining import LONG_DRAINING
from orchestrator.verify.beliefs.past_schedule import PAST_SCHEDULE
from orchestrator.verify.beliefs.request_count import REQUEST_COUNT
from orchestrator.verify.beliefs.rules_by_arn import RULES_BY_ARN
from orchestrator.verify.beliefs.scalable_target_tags import SCALABLE_TARGET_TAGS
from orchestrator.verify.beliefs.service_connect import SERVICE_CONNECT
from orchestrator.verify.beliefs.service_revisions import SERVICE_REVISIONS
from orchestrator.verify.beliefs.stickiness_left_out import STICKINESS_LEFT_OUT
from orchestrator.verify.beliefs.unasked import UNASKED
from orchestrator.verify.beliefs.unknown_credentials import UNKNOWN_CREDENTIALS
from orchestrator.verify.beliefs.weights_of_zero import WEIGHTS_OF_ZERO
from orchestrator.verify.beliefs.written_back import WRITTEN_BACK

BELIEFS: tuple[Belief, ...] = (
    WRITTEN_BACK,
    STICKINESS_LEFT_OUT,
    WEIGHTS_OF_ZERO,
    LONG_DRAINING,
    RULES_BY_ARN,
    CLIENT_SECRET,
    UNKNOWN_CREDENTIALS,
    SCALABLE_TARGET_TAGS,
    PAST_SCHEDULE,
    SERVICE_REVISIONS,
    COMPOSITE_ALARMS,
    SERVICE_CONNECT,
    IN_FLIGHT,
    REQUEST_COUNT,
    DATAPOINT_DELAY,
    DATAPOINT_REVISION,
    *UNASKED,
)
