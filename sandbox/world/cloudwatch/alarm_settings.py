"""What PutMetricAlarm and PutCompositeAlarm accept, with AWS's defaults filled in."""

from collections.abc import Collection

from sandbox.world.cloudwatch import composite, statistics
from sandbox.world.cloudwatch.alarm import DEFAULTS
from sandbox.world.cloudwatch.evaluation import COMPARE, Evaluations
from sandbox.world.cloudwatch.queries import check_queries
from sandbox.world.kernel.errors import AwsRefusal, Json, not_here

_MISSING = ("missing", "ignore", "breaching", "notBreaching")
_OF_ONE_METRIC = ("MetricName", "Namespace", "Dimensions", "Period", "Unit", "Statistic", "ExtendedStatistic")
_QUERIES_MAX = 10  # metrics, and as many expressions


def check_metric(given: Json, evaluations: Evaluations) -> Json:
    """The settings of a metric alarm. Raises AwsRefusal."""
    settings = DEFAULTS | {"TreatMissingData": "missing"} | given
    _require(settings, ("EvaluationPeriods", "Threshold", "ComparisonOperator"))
    if "Metrics" in settings:
        _check_math(settings)
    else:
        _require(settings, ("MetricName", "Namespace", "Period"))
        _check_one(settings)
    if settings["ComparisonOperator"] not in COMPARE:
        raise not_here(f"ComparisonOperator {settings['ComparisonOperator']}")
    if settings["TreatMissingData"] not in _MISSING:
        raise _wrong(f"TreatMissingData must be one of {', '.join(_MISSING)}")
    if settings.get("EvaluateLowSampleCountPercentile", "evaluate") not in ("evaluate", "ignore"):
        raise _wrong("EvaluateLowSampleCountPercentile must be evaluate or ignore")
    if settings["EvaluationPeriods"] < 1:
        raise _wrong("EvaluationPeriods must be at least 1")
    if not 1 <= settings.get("DatapointsToAlarm", 1) <= settings["EvaluationPeriods"]:
        raise _wrong("DatapointsToAlarm must be from 1 to EvaluationPeriods")
    formulas = evaluations.formulas(settings)
    for query in formulas.queries:
        formulas.period(query["Id"])
    return settings


def check_composite(given: Json, known: Collection[str]) -> Json:
    """The settings of a composite alarm; the alarms in its rule must exist. Raises AwsRefusal."""
    settings = DEFAULTS | given
    children = composite.children(composite.parse(settings["AlarmRule"]))
    missing = sorted(children - set(known))
    if missing:
        raise _wrong(
            f"Could not save the composite alarm as alarms [{', '.join(missing)}] in the alarm rule do not exist"
        )
    periods = ("ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod")
    if "ActionsSuppressor" in settings:
        _require(settings, periods)
        if composite.name_of(settings["ActionsSuppressor"]) not in known:
            raise _wrong(f"The suppressor alarm {settings['ActionsSuppressor']} does not exist")
    elif any(name in settings for name in periods):
        raise _wrong("ActionsSuppressor must be specified with its wait and extension periods")
    return settings


def _check_one(settings: Json) -> None:
    if ("Statistic" in settings) == ("ExtendedStatistic" in settings):
        raise _wrong("Exactly one of Statistic and ExtendedStatistic must be specified")
    settings.setdefault("Dimensions", [])
    if "ExtendedStatistic" in settings:
        statistics.parsed(settings["ExtendedStatistic"])


def _check_math(settings: Json) -> None:
    """The rules of `Metrics`: one query that returns data, and none of the members for one metric."""
    mixed = [name for name in _OF_ONE_METRIC if name in settings]
    if mixed:
        raise _wrong(f"Metrics cannot be specified with {', '.join(mixed)}")
    queries: list[Json] = settings["Metrics"]
    check_queries(queries)
    expressions = [query for query in queries if "Expression" in query]
    if not queries or max(len(expressions), len(queries) - len(expressions)) > _QUERIES_MAX:
        raise _wrong(f"Metrics holds at most {_QUERIES_MAX} metrics and {_QUERIES_MAX} expressions")
    if len(expressions) == len(queries):
        raise _wrong("The expression for an alarm must include at least one metric")
    watched = [query for query in queries if query.get("ReturnData", True)]
    if len(watched) != 1:
        raise _wrong("Exactly one element of the metrics list should return data.")


def _require(settings: Json, names: tuple[str, ...]) -> None:
    missing = [name for name in names if name not in settings]
    if missing:
        raise _wrong(f"The parameters {', '.join(missing)} must be specified")


def _wrong(why: str) -> AwsRefusal:
    return AwsRefusal("ValidationError", why)
