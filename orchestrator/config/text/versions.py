"""The version of a file's format: one for rollout files, settings files and JSON bodies alike.

It goes up where an older Teal would misread a file rather than refuse its keys. A file that names none is of the first.
"""

from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

from orchestrator.config.text.fields import refusal
from orchestrator.config.text.yaml_document import Document
from orchestrator.core.domain.errors import Invalid

FORMAT = 1  # the newest that this code reads


def _known(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= FORMAT:
        return value
    raise refusal("this is no version of a file", f"write version: {FORMAT}, or leave it out")


FileVersion = Annotated[int, BeforeValidator(_known), WithJsonSchema({"enum": list(range(1, FORMAT + 1))})]


def refuse_newer(document: Document) -> None:
    """Raise Invalid if a file is of a newer version: whatever else is in it cannot be judged, and is not."""
    version = document.value.get("version") if isinstance(document.value, dict) else None
    if isinstance(version, int) and version > FORMAT:
        what = f"version: this file is for a newer Teal: it is of version {version}, and this one reads up to {FORMAT}"
        instead = f"use a newer Teal, or write it as version {FORMAT}"
        raise Invalid(source=document.source, mistakes=[document.mistake("/version", what, instead)])
