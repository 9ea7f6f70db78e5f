"""The tags that Teal puts on what it makes, and what it reads there again. Their names are part of the contract."""

import re
from collections.abc import Mapping

MANAGED = "teal:managed"  # "true" on everything that Teal made
ROLLOUT = "teal:rollout"  # the rollout's id
SERVICE = "teal:service"  # cluster/service of blue
FORMER = "teal:former"  # the task definition that blue ran, written before settling touches it
SERVES = "teal:serves"  # "true" on a green that stayed: it is the service of record
RETIRING = "retiring"  # that tag's value while the service before it is still being retired
TAKEN_BACK = "teal:rollback"  # it was rolled back: by whom, and why
BY_TEAL = "teal: "  # how that tag's value begins where no person did it with AWS alone
UNWATCHED = "teal:unwatched"  # what that person's rollback switched off in blue's deployment configuration
FIRST_BLUE = "teal:blue"  # what blue was before a rollout touched it (`rollout.first_values`)
FIRST_WEIGHTS = "teal:weights"  # and the weights of its rules
REVISIONS = "teal:revisions"  # the revisions that the rollout registered, which go with green

_ON_BOTH = (MANAGED, ROLLOUT, SERVICE, FORMER, SERVES, TAKEN_BACK, UNWATCHED)
ON_SERVICE = (*_ON_BOTH, REVISIONS)  # what may come to stand on a service, all together
ON_GROUP = (*_ON_BOTH, FIRST_BLUE, FIRST_WEIGHTS)
ON_REVISION = (MANAGED, ROLLOUT, SERVICE, FORMER)

VALUE_MAX = 256
_NOT_IN_VALUES = re.compile(r"[^\w .:/=+@-]+")


def value_of(text: str) -> str:
    """Text as the value of a tag may hold it.

    Source: ECS TagResource and ELBv2 AddTags: letters, digits, spaces and ``_ . : / = + - @``, 256 characters.
    """
    return " ".join(_NOT_IN_VALUES.sub(" ", text).split())[:VALUE_MAX].strip()


def is_of(tags: Mapping[str, str], *, cluster: str, service: str) -> bool:
    """True if the tags say that Teal made the thing for this service; `cluster` is its name."""
    place, _, name = tags.get(SERVICE, "").rpartition("/")
    return tags.get(MANAGED) == "true" and name == service and place.rpartition("/")[2] == cluster
