"""How figures are printed and condensed."""

from collections.abc import Sequence


def line(name: str, value: float, *, digits: int = 1) -> str:
    """One figure; the name carries its unit."""
    return f"{name}: {value:.{digits}f}"


def ratio(name: str, value: float, baseline: float, *, to: str) -> str:
    """One figure as a multiple of a baseline that `to` names."""
    return f"{name}_to_{to}: {value / baseline:.2f}"


def quantile(values: Sequence[float], share: float) -> float:
    """The value that `share` of the values do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-int(share * len(ordered) * 1000) // 1000) - 1))]
