"""May the revision's images run at all? The server's settings say which registries are trusted."""

import re
from collections.abc import Iterator, Sequence
from functools import cache

from orchestrator.core.cloud.survey import Finding, Survey
from orchestrator.core.domain.ids import revision_name
from orchestrator.preflight.findings import error

HUB = "docker.io"


def look(survey: Survey, registries: Sequence[str]) -> Iterator[Finding]:
    """An error for every container of the wanted revision whose image matches none of the patterns."""
    if survey.revision is None or not registries:
        return
    name = revision_name(survey.revision.arn)
    if not survey.revision.images:
        yield error(
            "images-unknown",
            f"the images of task definition {name} could not be read",
            "the server's settings allow images of some registries only",
            "start again with a server of this version",
        )
    for container, image in survey.revision.images:
        if not any(is_of(image, pattern) for pattern in registries):
            yield error(
                "registry-not-allowed",
                f"container {container} of {name} runs {image}",
                f"the server's settings allow {', '.join(registries)}",
                "push the image to an allowed registry and register the task definition with it, "
                "or have the registry added to the settings",
            )


def is_of(image: str, pattern: str) -> bool:
    """True if an image, as it is written or by its whole name, with or without tag and digest, fits a pattern.

    ``*`` stands for any part; before the first slash, for parts of the registry's name alone.
    """
    names = (image, _without_tag(image))
    return any(_regex(pattern).fullmatch(name) for name in (*names, *map(_whole, names)))


@cache
def _regex(pattern: str) -> re.Pattern[str]:
    registry, slash, rest = pattern.partition("/")
    if not slash:  # a bare name or *
        return re.compile(_any(pattern, ".*"))
    return re.compile(_any(registry, "[^/]*") + "/" + _any(rest, ".*"))


def _any(text: str, star: str) -> str:
    return star.join(re.escape(part) for part in text.split("*"))


def _without_tag(image: str) -> str:
    name = image.partition("@")[0]
    head, slash, last = name.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"


def _whole(image: str) -> str:
    """The name with its registry, as Docker completes it: ``nginx`` is ``docker.io/library/nginx``."""
    first, slash, _ = image.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return image
    return f"{HUB}/{image}" if slash else f"{HUB}/library/{image}"
