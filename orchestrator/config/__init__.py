"""The rollout file: text or JSON into the core's frozen ``Spec``, every mistake at once, each with its line.

It knows what people may write and nothing of AWS: whether a service, a rule or an alarm exists is preflight's
question.
"""

from orchestrator.config.rollout_file.dump import differences, document_of, dump
from orchestrator.config.rollout_file.load import from_json, line_of, load_file, load_text, minimal
from orchestrator.config.rollout_file.models import schema
from orchestrator.config.text.quantities import duration_text

__all__ = [
    "differences",
    "document_of",
    "dump",
    "duration_text",
    "from_json",
    "line_of",
    "load_file",
    "load_text",
    "minimal",
    "schema",
]
