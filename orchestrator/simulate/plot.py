"""A report as a picture: harm against time for each policy, drawn as SVG."""

import math
from html import escape

from orchestrator.simulate.defects import GOOD
from orchestrator.simulate.report import Row, Simulation

WIDTH, HEIGHT, PAD = 460, 300, 52
COLOURS = ("#0f766e", "#b45309", "#6d28d9", "#be123c", "#1d4ed8", "#4d7c0f", "#a21caf", "#57534e")
LEAST = 0.005  # percent of a minute; less is drawn there


def svg(report: Simulation) -> str:
    """One panel a defect: minutes to full weight across, mean harm in percent of one minute of traffic up, both log."""
    shown = [defect for defect in dict.fromkeys(row.defect for row in report.rows) if defect not in GOOD]
    policies = list(dict.fromkeys(row.policy for row in report.rows))
    columns = 2
    lines = -(-len(shown) // columns)
    legend = 22 * len(policies) + 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH * columns} {HEIGHT * lines + legend}" '
        'font-family="system-ui, sans-serif" font-size="12">',
        f'<rect width="{WIDTH * columns}" height="{HEIGHT * lines + legend}" fill="white"/>',
    ]
    limits = {one.defect: one.harm_percent for one in report.limits}
    full = {row.policy: row.full_minutes_median or 0.0 for row in report.rows if row.defect in GOOD}
    for number, defect in enumerate(shown):
        rows = [row for row in report.rows if row.defect is defect]
        x, y = WIDTH * (number % columns), HEIGHT * (number // columns)
        parts += _panel(defect.value, rows, full, policies, x, y, limits.get(defect))
    for number, policy in enumerate(policies):
        y = HEIGHT * lines + 20 + 22 * number
        parts.append(f'<circle cx="20" cy="{y}" r="6" fill="{COLOURS[number % len(COLOURS)]}"/>')
        parts.append(f'<text x="34" y="{y + 4}">{escape(policy)}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _panel(
    title: str,
    rows: list[Row],
    full: dict[str, float],
    policies: list[str],
    x: int,
    y: int,
    limit: float | None,
) -> list[str]:
    top = max(1.0, *(row.harm_percent_mean for row in rows))
    high = math.ceil(math.log10(top))
    low = math.floor(math.log10(LEAST))
    right = max(10.0, *full.values()) if full else 10.0

    def across(minutes: float) -> float:
        return x + PAD + (WIDTH - 2 * PAD) * math.log1p(minutes) / math.log1p(right)

    def up(percent: float) -> float:
        share = (math.log10(max(percent, LEAST)) - low) / (high - low)
        return y + HEIGHT - PAD - (HEIGHT - 2 * PAD) * share

    parts = [f'<text x="{x + PAD}" y="{y + 24}" font-size="14" font-weight="bold">{escape(title)}</text>']
    for power in range(low, high + 1):
        at = up(10.0**power)
        parts.append(
            f'<line x1="{x + PAD}" x2="{x + WIDTH - PAD}" y1="{at:.1f}" y2="{at:.1f}" stroke="#e5e7eb"/>'
        )
        parts.append(f'<text x="{x + PAD - 6}" y="{at + 4:.1f}" text-anchor="end">{10.0**power:g} %</text>')
    for minutes in (0, 5, 10, 20, 50):
        if minutes <= right:
            parts.append(
                f'<text x="{across(minutes):.1f}" y="{y + HEIGHT - PAD + 18}" text-anchor="middle">{minutes}</text>'
            )
    parts.append(
        f'<text x="{x + WIDTH / 2}" y="{y + HEIGHT - 12}" text-anchor="middle" fill="#57534e">'
        "minutes to full weight; up: harm in % of one minute of traffic</text>"
    )
    if limit is not None and limit >= LEAST:
        at = up(limit)
        parts.append(
            f'<line x1="{x + PAD}" x2="{x + WIDTH - PAD}" y1="{at:.1f}" y2="{at:.1f}" stroke="#57534e" '
            'stroke-dasharray="4 3"/>'
        )
        parts.append(
            f'<text x="{x + WIDTH - PAD}" y="{at - 4:.1f}" text-anchor="end" fill="#57534e">nothing can do less</text>'
        )
    for row in rows:
        colour = COLOURS[policies.index(row.policy) % len(COLOURS)]
        cx, cy = across(full.get(row.policy, 0.0)), up(row.harm_percent_mean)
        parts.append(f'<circle cx="{cx:.1f}" cy="{cy:.1f}" r="6" fill="{colour}" fill-opacity="0.85"/>')
    return parts
