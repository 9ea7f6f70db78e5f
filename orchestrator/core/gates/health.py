"""Gate ``health``: are the targets and tasks of the colour that takes traffic well?"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthSpec:
    """Settings of ``gates.health``."""

    on: bool = True
