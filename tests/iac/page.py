"""The blocks of docs/terraform.md, as a reader would copy them."""

import re
from pathlib import Path

import docs

TEXT = (Path(docs.__path__[0]) / "terraform.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The page's blocks in a language, in their order."""
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


def parted(text: str) -> list[str]:
    """One block's text with one top-level block in each part."""
    return re.findall(r"^\w[^\n]*\{\n.*?^\}", text, re.DOTALL | re.MULTILINE)
