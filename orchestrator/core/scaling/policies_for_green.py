"""Blue's scaling policies and the alarms that drive them, with green's names in place of blue's.

Names stand in dimensions and in resource labels. One that stands in the text of a search or of SQL is somebody's
hand-written query: such a policy is left out and said to be, rather than changed by guessing.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from orchestrator.core.cloud.forward_action import canonical
from orchestrator.core.cloud.metric_math import looks_around
from orchestrator.core.cloud.resources import DriverSeen, PolicySeen, ScalesSeen
from orchestrator.core.domain.ids import Json, metric_dimension
from orchestrator.core.gates.scene import Names

FORECAST_ONLY = "ForecastOnly"
LABEL = "ResourceLabel"


def renamed(text: Json, names: Names) -> Json:
    """A policy's configuration or an alarm's settings, about green.

    A dimension's value that is blue's target group is always green's; one that is blue's service only where the
    dimension is about services: a queue may be called like its service, and it stays the same queue.
    """
    groups = {metric_dimension(blue): metric_dimension(green) for blue, green in names.groups}

    def value(name: str, given: str) -> str:
        if given in groups:
            return groups[given]
        is_service = given == names.blue_service and "service" in name.lower()
        return names.green_service if is_service else given

    def label(given: str) -> str:
        head, mark, group = given.partition("/targetgroup/")
        return f"{head}/{groups.get(f'targetgroup/{group}', f'targetgroup/{group}')}" if mark else given

    return canonical(_changed(json.loads(text), value, label))


def _changed(found: Any, value: Callable[[str, str], str], label: Callable[[str], str]) -> Any:  # noqa: ANN401
    """JSON with every dimension and resource label in it changed."""
    if isinstance(found, list):
        return [_changed(one, value, label) for one in found]
    if not isinstance(found, dict):
        return found
    if found.keys() == {"Name", "Value"}:
        return {"Name": found["Name"], "Value": value(found["Name"], found["Value"])}
    return {
        key: label(one) if key == LABEL and isinstance(one, str) else _changed(one, value, label)
        for key, one in found.items()
    }


def for_green(policy: PolicySeen, names: Names, *, may_forecast: bool = False) -> Json:
    """A policy's configuration for green; a predictive one only forecasts, since green has no past to go by.

    `may_forecast`: it acts on its forecasts as blue's does.
    """
    configuration = json.loads(renamed(policy.configuration, names))
    if policy.kind == "PredictiveScaling" and not may_forecast:
        configuration["Mode"] = FORECAST_ONLY
    return canonical(configuration)


def left_out(policy: PolicySeen, scales: ScalesSeen, names: Names) -> str:
    """Why a policy cannot be given to green, in words; empty if it can. `names`: blue's are enough."""
    if why := _named_in_text(policy.configuration, names):
        return why
    if policy.kind != "StepScaling":
        return ""
    driven = [driver for driver in scales.drivers if policy.arn in _arns(driver)]
    for driver in driven:
        if "ThresholdMetricId" in json.loads(driver.settings):
            return f"the threshold of its alarm {driver.name} is learnt from the metric's past, and green has none"
        if why := _named_in_text(driver.settings, names):
            return f"of its alarm {driver.name}, {why}"
    return "" if driven else "no metric alarm makes it act"


def _named_in_text(text: Json, names: Names) -> str:
    sought = [*(metric_dimension(blue) for blue, _ in names.groups), names.blue_service]
    for expression in _expressions(json.loads(text)):
        named = next((name for name in sought if _has_word(expression, name)), None)
        if named is not None and looks_around(expression):
            return f"the text of a query names {named}: {expression}"
    return ""


def _has_word(text: str, name: str) -> bool:
    """True if a text holds a name, and not merely a longer one that begins or ends like it."""
    return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text) is not None


def _expressions(found: object) -> Iterator[str]:
    if isinstance(found, dict):
        for key, one in found.items():
            if key == "Expression" and isinstance(one, str):
                yield one
            else:
                yield from _expressions(one)
    elif isinstance(found, list):
        for one in found:
            yield from _expressions(one)


def copied(scales: ScalesSeen, names: Names) -> tuple[PolicySeen, ...]:
    """The policies that green gets."""
    return tuple(policy for policy in scales.policies if not left_out(policy, scales, names))


def drivers_of(scales: ScalesSeen, policies: tuple[PolicySeen, ...]) -> tuple[DriverSeen, ...]:
    """The alarms that make these policies act."""
    wanted = {policy.arn for policy in policies}
    return tuple(driver for driver in scales.drivers if _arns(driver) & wanted)


def _arns(driver: DriverSeen) -> set[str]:
    return {arn for _, arns in driver.actions for arn in arns}
