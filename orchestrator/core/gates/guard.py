"""Gate ``guard``: does one interval alone speak loudly enough against the colour that takes traffic?"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardSpec:
    """Settings of ``gates.guard``. ``errors`` is a share of requests, 0–1."""

    on: bool = True
    errors: float = 0.05
