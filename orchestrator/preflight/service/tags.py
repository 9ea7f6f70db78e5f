"""Is there room for Teal's own tags beside those that green takes over from blue? AWS allows 50 on a resource.

Teal leaves none of blue's out: policies and bills may hang on any of them, and which may go is not its to say.
"""

import json
from collections.abc import Iterator

from orchestrator.core.cloud.survey import Finding, Survey
from orchestrator.core.domain import tags
from orchestrator.core.domain.ids import Json
from orchestrator.preflight.findings import error

MOST = 50  # Sources: ECS TagResource; ELBv2 AddTags (TooManyTags). AWS's own (aws:) do not count


def look(survey: Survey) -> Iterator[Finding]:
    """An error for every thing of blue's whose tags leave no room for Teal's."""
    blue = survey.blue
    named = [(f"service {blue.name}", _count(survey.template, "tags"), len(tags.ON_SERVICE))]
    named += [
        (f"target group {group.name}", _count(group.template, "Tags"), len(tags.ON_GROUP))
        for group in survey.groups
    ]
    named += [
        (f"the task definition behind {new.family}", _count(new.template, "tags"), len(tags.ON_REVISION))
        for new in survey.new_revisions
    ]
    for what, count, own in named:
        if count > MOST - own:
            yield error(
                "too-many-tags",
                f"{what} has {count} tags",
                f"green's copy has them too, and up to {own} of Teal's own, by which Teal finds what it made: AWS "
                f"takes {MOST}",
                f"leave it at most {MOST - own} tags",
            )


def _count(template: Json, key: str) -> int:
    return len(json.loads(template).get(key, ()))
