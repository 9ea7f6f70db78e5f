"""Gate ``alarms``: alarms that see both colours by their state, alarms on blue's names by green's own series."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.core.cloud.resources import Absent, AlarmSeen, Unread
from orchestrator.core.domain.ids import TargetGroupArn
from orchestrator.core.domain.verdict import Answer, Verdict
from orchestrator.core.gates.alarm_scope import Sight, queries, seeing, with_greens_names
from orchestrator.core.gates.alarms import AlarmSpec, AlarmsSpec, judge
from orchestrator.core.gates.gate import NoData
from orchestrator.core.gates.scene import Colour
from tests.builders import NOON, good_alarm
from tests.core.gates.scenes import counts, fired_at_start, minute, scene, series
from tests.core.stages import GREEN_GROUP, GREEN_NAME, MINUTE

FAIL, HOLD, PASS, NOT = Verdict.FAIL, Verdict.HOLD, Verdict.PASS, Verdict.NOT_APPLICABLE
NAME = "checkout-5xx"
BALANCER = ("LoadBalancer", "app/public/50dc6c495c0c9188")
BOTH = good_alarm(dimensions=(BALANCER,))  # on the load balancer: it sees both colours
LATENCY = good_alarm(metric="TargetResponseTime", stat="p99", threshold=1.0)  # on blue's group


def asked(alarm: Any, no_data: NoData | None = None, **changes: Any) -> Answer:  # noqa: ANN401 - any look
    """The answer about one alarm, as it is seen now; it was set up alike, and OK, when the rollout began."""
    spec = AlarmsSpec(alarms=(AlarmSpec(name=NAME, no_data=no_data),))
    begun = (replace(alarm, state="OK", evaluation=""),) if isinstance(alarm, AlarmSeen) else (good_alarm(),)
    return judge(spec, scene(**{"alarms": {NAME: alarm}, "alarms_at_start": begun, **changes}))


def of_green(
    alarm: AlarmSeen,
    values: Mapping[int, float],
    *,
    requests: Mapping[int, float] | None = None,
    no_data: NoData | None = None,
    **changes: Any,  # noqa: ANN401 - the fields of Scene
) -> Answer:
    """The answer when green's own series holds these values, by how many periods ago theirs began."""
    metrics = {
        f"alarm {NAME}": series(values, period=alarm.period),
        f"requests {NAME}": series(requests or {}, period=alarm.period),
    }
    return asked(alarm, no_data, **{"metrics": metrics, **changes})


# by its own state --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "verdict", "words"),
    [
        ("OK", PASS, "checkout-5xx is OK"),
        ("ALARM", FAIL, "checkout-5xx is in ALARM since 11:58:00Z"),
        ("INSUFFICIENT_DATA", HOLD, "checkout-5xx has no data"),
    ],
)
def test_an_alarm_that_sees_both_colours_speaks_by_its_state(
    state: str, verdict: Verdict, words: str
) -> None:
    answer = asked(replace(BOTH, state=state, state_since=NOON - 2 * MINUTE))
    assert answer.verdict is verdict
    assert words in answer.reason


@pytest.mark.parametrize("evaluation", ["PARTIAL_DATA", "EVALUATION_ERROR", "EVALUATION_FAILURE"])
@pytest.mark.parametrize("state", ["OK", "ALARM", "INSUFFICIENT_DATA"])
def test_an_evaluation_that_is_not_whole_is_unknown_whatever_the_state(evaluation: str, state: str) -> None:
    answer = asked(replace(BOTH, state=state, evaluation=evaluation), NoData.PASS)
    assert answer.verdict is HOLD
    assert evaluation in answer.reason


@pytest.mark.parametrize("seen", [Absent(), Unread(why="throttled")])
def test_an_alarm_that_is_unread_or_not_there_holds_even_where_silence_is_good(seen: Any) -> None:  # noqa: ANN401
    assert asked(seen, NoData.PASS).verdict is HOLD
    assert asked(good_alarm(), NoData.PASS, alarms={}).verdict is HOLD


TREATMENTS = {"missing": HOLD, "ignore": HOLD, "notBreaching": PASS, "breaching": FAIL}
CHOICES = {NoData.HOLD: HOLD, NoData.PASS: PASS, NoData.FAIL: FAIL}
SILENCES = [
    pytest.param(missing, no_data, CHOICES[no_data] if no_data else own, id=f"{missing}, file: {no_data}")
    for missing, own in TREATMENTS.items()
    for no_data in (None, *NoData)
]


@pytest.mark.parametrize(("missing", "no_data", "verdict"), SILENCES)
def test_silence_of_an_alarm_means_what_the_file_says_and_else_the_alarm(
    missing: str, no_data: NoData | None, verdict: Verdict
) -> None:
    assert asked(replace(BOTH, state="INSUFFICIENT_DATA", missing=missing), no_data).verdict is verdict


@pytest.mark.parametrize(("missing", "no_data", "verdict"), SILENCES)
def test_silence_of_greens_series_means_what_the_file_says_and_else_the_alarm(
    missing: str, no_data: NoData | None, verdict: Verdict
) -> None:
    assert of_green(replace(LATENCY, missing=missing), {}, no_data=no_data).verdict is verdict


def test_silence_counts_as_good_only_once_there_could_have_been_data() -> None:
    silent = replace(BOTH, state="INSUFFICIENT_DATA")
    young = NOON - timedelta(seconds=20)
    assert asked(silent, NoData.PASS, serves_since=young).verdict is HOLD
    assert asked(silent, NoData.PASS, serves_since=None).verdict is HOLD
    assert of_green(LATENCY, {}, no_data=NoData.PASS, serves_since=young).verdict is HOLD


@pytest.mark.parametrize(
    ("since", "verdict"),
    [
        pytest.param(timedelta(seconds=190), PASS, id="a whole period and the lag have passed"),
        pytest.param(timedelta(seconds=180), HOLD, id="the period of the change itself does not count"),
        pytest.param(timedelta(seconds=20), HOLD, id="just read back"),
    ],
)
def test_ok_says_nothing_of_a_weight_that_the_alarm_cannot_know_yet(
    since: timedelta, verdict: Verdict
) -> None:
    assert asked(BOTH, serves_since=NOON - since).verdict is verdict


def test_ok_counts_as_soon_as_an_interval_of_this_weight_was_measured() -> None:
    young = NOON - timedelta(seconds=100)
    assert asked(BOTH, serves_since=young).verdict is HOLD
    assert asked(BOTH, serves_since=young, intervals=(minute(counts(100), ago=1),)).verdict is PASS


def test_an_alarm_that_says_no_period_is_given_the_metrics_own() -> None:
    composite = replace(BOTH, kind="composite", rule="TRUE", period=timedelta(0))
    assert asked(composite).verdict is PASS
    assert asked(composite, serves_since=NOON - timedelta(seconds=100)).verdict is HOLD


def test_ok_of_an_alarm_with_a_long_period_counts_only_after_one_of_those() -> None:
    slow = replace(BOTH, period=5 * MINUTE)
    few = tuple(minute(counts(100), ago=ago) for ago in (6, 5, 4))
    since = NOON - 7 * MINUTE  # 11:53: the first whole five minutes end at 12:00
    assert asked(slow, intervals=few, serves_since=since).verdict is HOLD
    assert asked(slow, intervals=(*few, minute(counts(100), ago=1)), serves_since=since).verdict is PASS
    assert asked(slow, intervals=few, serves_since=since, now=NOON + 2 * MINUTE).verdict is PASS


# with green's names ------------------------------------------------------------------------------------------------


def test_greens_names_stand_in_for_blues() -> None:
    names = scene().names
    assert with_greens_names(good_alarm().dimensions, names) == (
        BALANCER,
        ("TargetGroup", GREEN_GROUP.rpartition(":")[2]),
    )
    on_service = good_alarm(dimensions=(("ClusterName", "prod"), ("ServiceName", "checkout")))
    assert with_greens_names(on_service.dimensions, names) == (
        ("ClusterName", "prod"),
        ("ServiceName", GREEN_NAME),
    )


def test_an_alarm_that_names_nothing_of_blues_has_no_series_of_its_own() -> None:
    elsewhere = good_alarm(dimensions=(BALANCER, ("TargetGroup", "targetgroup/legacy/943f017f100becff")))
    same_value = good_alarm(dimensions=(("QueueName", "checkout"),))
    for alarm in (BOTH, elsewhere, same_value):
        assert seeing(alarm, scene().names).sight is Sight.BOTH
        assert queries(alarm, scene().names) == ()


def test_each_of_several_groups_has_its_own_stand_in() -> None:
    second = TargetGroupArn(GREEN_GROUP.replace("-0/", "-1/"))
    other = TargetGroupArn("arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/two/aa")
    names = replace(scene().names, groups=(*scene().names.groups, (other, second)))
    alarm = good_alarm(dimensions=(("TargetGroup", "targetgroup/two/aa"),))
    assert with_greens_names(alarm.dimensions, names) == (("TargetGroup", second.rpartition(":")[2]),)


@pytest.mark.parametrize(
    ("metric", "stat", "metrics_read"),
    [
        ("HTTPCode_Target_5XX_Count", "Sum", ["HTTPCode_Target_5XX_Count", "RequestCount"]),
        ("TargetConnectionErrorCount", "Sum", ["TargetConnectionErrorCount", "RequestCount"]),
        ("TargetResponseTime", "p99", ["TargetResponseTime"]),
        ("RequestCount", "Sum", ["RequestCount"]),
        ("UnHealthyHostCount", "Maximum", ["UnHealthyHostCount"]),
    ],
)
def test_counts_that_are_absent_when_zero_are_read_with_the_requests_beside_them(
    metric: str, stat: str, metrics_read: list[str]
) -> None:
    asked_for = queries(good_alarm(metric=metric, stat=stat, period=5 * MINUTE), scene().names)
    made = [query for query in asked_for if not query.id.startswith("blue ")]
    assert [query.metric for query in made] == metrics_read
    assert [query.metric for query in asked_for if query.id.startswith("blue ")] == [metric]
    assert {query.period for query in made} == {5 * MINUTE}
    assert made[0].stat == stat


@pytest.mark.parametrize(
    ("comparison", "under", "equal", "over"),
    [
        ("GreaterThanThreshold", PASS, PASS, FAIL),
        ("GreaterThanOrEqualToThreshold", PASS, FAIL, FAIL),
        ("LessThanThreshold", FAIL, PASS, PASS),
        ("LessThanOrEqualToThreshold", FAIL, FAIL, PASS),
    ],
)
def test_the_alarms_own_comparison_is_used(
    comparison: str, under: Verdict, equal: Verdict, over: Verdict
) -> None:
    alarm = replace(LATENCY, comparison=comparison)
    for value, verdict in ((0.9, under), (1.0, equal), (1.1, over)):
        assert of_green(alarm, dict.fromkeys(range(1, 10), value)).verdict is verdict


OVER, UNDER = 2.0, 0.5


@pytest.mark.parametrize(
    ("m", "n", "values", "verdict"),
    [
        pytest.param(1, 1, {4: OVER, 3: UNDER}, PASS, id="1 of 1: only the newest counts"),
        pytest.param(1, 1, {4: UNDER, 3: OVER}, FAIL, id="1 of 1: the newest is over"),
        pytest.param(2, 3, {5: OVER, 4: UNDER, 3: OVER}, FAIL, id="2 of 3: both ends"),
        pytest.param(2, 3, {6: OVER, 5: UNDER, 4: UNDER, 3: OVER}, PASS, id="2 of 3: one has grown too old"),
        pytest.param(3, 3, {5: OVER, 4: OVER, 3: UNDER}, PASS, id="3 of 3: two are not enough"),
        pytest.param(3, 3, {5: OVER, 4: OVER, 3: OVER}, FAIL, id="3 of 3: all"),
        pytest.param(2, 3, {5: OVER, 3: OVER}, FAIL, id="2 of 3 with a gap between"),
        pytest.param(2, 3, {5: OVER, 3: UNDER}, PASS, id="a gap alone does not breach"),
    ],
)
def test_m_of_the_newest_n_periods_decide(m: int, n: int, values: dict[int, float], verdict: Verdict) -> None:
    alarm = replace(LATENCY, datapoints_to_alarm=m, evaluation_periods=n)
    newest_is = NOON + timedelta(seconds=10)  # one and two minutes ago are not published yet
    assert of_green(alarm, values, now=newest_is).verdict is verdict


def test_a_gap_breaches_where_missing_data_does() -> None:
    alarm = replace(LATENCY, datapoints_to_alarm=2, evaluation_periods=3, missing="breaching")
    assert of_green(alarm, {5: OVER, 3: UNDER}).verdict is FAIL
    assert of_green(alarm, {5: OVER, 3: UNDER}, no_data=NoData.HOLD).verdict is PASS


@pytest.mark.parametrize(
    ("m", "verdict", "words"),
    [
        pytest.param(1, FAIL, "over its threshold in 1 of 1 periods", id="one is enough"),
        pytest.param(2, HOLD, "over its threshold in 1 of 1 periods", id="two more periods could still tell"),
        pytest.param(3, HOLD, "over its threshold in 1 of 1 periods", id="all three may still be over"),
    ],
)
def test_a_first_period_over_the_threshold_is_no_pass_while_m_of_n_may_still_come_true(
    m: int, verdict: Verdict, words: str
) -> None:
    alarm = replace(LATENCY, datapoints_to_alarm=m, evaluation_periods=3)
    young = NOON - timedelta(seconds=230)  # 11:56:10: the first whole period began at 11:57
    answer = of_green(alarm, {3: OVER}, serves_since=young)
    assert answer.verdict is verdict
    assert words in answer.reason


def test_silence_that_breaches_fails_only_once_it_lasted_for_m_periods() -> None:
    alarm = replace(LATENCY, datapoints_to_alarm=3, evaluation_periods=3, missing="breaching")
    assert of_green(alarm, {}, serves_since=NOON - timedelta(seconds=230)).verdict is HOLD
    assert of_green(alarm, {}, serves_since=NOON - timedelta(seconds=360)).verdict is FAIL


def test_a_first_period_within_the_threshold_is_a_pass() -> None:
    alarm = replace(LATENCY, datapoints_to_alarm=3, evaluation_periods=3)
    assert of_green(alarm, {3: UNDER}, serves_since=NOON - timedelta(seconds=230)).verdict is PASS


def test_periods_from_before_the_weight_are_not_counted() -> None:
    old = dict.fromkeys(range(4, 12), OVER)
    since = NOON - timedelta(seconds=230)
    assert of_green(LATENCY, old, serves_since=since).verdict is HOLD
    assert of_green(LATENCY, {**old, 3: UNDER}, serves_since=since).verdict is PASS


def test_the_newest_period_counts_as_soon_as_it_is_published() -> None:
    assert of_green(LATENCY, {4: UNDER, 3: UNDER, 2: UNDER, 1: OVER}).verdict is FAIL


@pytest.mark.parametrize(
    ("values", "requests", "verdict"),
    [
        pytest.param({}, {3: 100.0}, PASS, id="requests and no errors: zero"),
        pytest.param({}, {}, HOLD, id="no requests either: no data"),
        pytest.param({}, {3: 0.0}, HOLD, id="zero requests: no data"),
        pytest.param({3: 10.0}, {3: 100.0}, PASS, id="errors at the threshold"),
        pytest.param({3: 11.0}, {3: 100.0}, FAIL, id="errors over the threshold"),
        pytest.param({3: 11.0}, {}, FAIL, id="errors over the threshold, requests not published yet"),
    ],
)
def test_absent_errors_are_zero_only_beside_requests(
    values: dict[int, float], requests: dict[int, float], verdict: Verdict
) -> None:
    assert of_green(good_alarm(), values, requests=requests).verdict is verdict


def test_both_colours_firing_is_a_hold() -> None:
    answer = of_green(replace(LATENCY, state="ALARM"), dict.fromkeys(range(1, 10), OVER))
    assert answer.verdict is HOLD
    assert "fires for blue too" in answer.reason


@pytest.mark.parametrize(
    ("blue", "verdict"),
    [
        pytest.param(series({4: 1, 3: 9}), Verdict.HOLD, id="blue is over it in one of the same periods"),
        pytest.param(series({4: 1, 3: 1}), Verdict.FAIL, id="blue is within it"),
        pytest.param(series({9: 9, 4: 1, 3: 1}), Verdict.FAIL, id="blue was over it before"),
        pytest.param(Unread(why="a test"), Verdict.FAIL, id="blue's is unread: that excuses nobody"),
    ],
)
def test_an_outage_of_both_is_known_before_the_alarm_says_so(blue: Any, verdict: Verdict) -> None:  # noqa: ANN401
    alarm = good_alarm(threshold=5.0, evaluation_periods=2, datapoints_to_alarm=2)
    read = {"alarm checkout-5xx": series({4: 9, 3: 9}), f"blue alarm {alarm.name}": blue}
    answer = asked(alarm, metrics=read, now=NOON - MINUTE)
    assert answer.verdict is verdict, answer.reason


@pytest.mark.parametrize(
    "newest",
    [
        pytest.param({}, id="the next period was not published yet"),
        pytest.param({2: 3.0}, id="of the next period a part was published"),
        pytest.param({2: 3.0, 1: 2.0}, id="parts of the next two"),
        pytest.param({2: 9.0}, id="the next one is over it too"),
    ],
)
def test_a_breach_in_periods_that_are_final_fails_though_blue_has_no_errors_and_newer_periods_come(
    newest: dict[int, float],
) -> None:
    alarm = good_alarm(threshold=5.0, evaluation_periods=2, datapoints_to_alarm=2)
    read = {"alarm checkout-5xx": series({4: 9, 3: 9, **newest}), f"blue alarm {alarm.name}": series({})}
    answer = asked(alarm, metrics=read, now=NOON)
    assert answer.verdict is FAIL, answer.reason
    assert "over its threshold in 2 of 2 periods" in answer.reason


def test_blue_firing_alone_says_nothing_against_green() -> None:
    assert of_green(replace(LATENCY, state="ALARM"), dict.fromkeys(range(1, 10), UNDER)).verdict is PASS


@pytest.mark.parametrize("unread", [f"alarm {NAME}", f"requests {NAME}"])
def test_a_series_that_could_not_be_read_holds_whatever_silence_means(unread: str) -> None:
    known = {f"alarm {NAME}": series({3: 50.0}), f"requests {NAME}": series({3: 100.0})}
    answer = asked(good_alarm(), NoData.PASS, metrics={**known, unread: Unread(why="throttled")})
    assert answer.verdict is HOLD


def test_a_series_that_was_not_asked_for_holds_whatever_silence_means() -> None:
    assert asked(good_alarm(), NoData.PASS, metrics={}).verdict is HOLD


def test_a_weight_that_was_not_read_back_has_no_period_to_judge() -> None:
    assert of_green(LATENCY, dict.fromkeys(range(1, 10), OVER), serves_since=None).verdict is HOLD


# where the rollout stands ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["OK", "ALARM", "INSUFFICIENT_DATA"])
def test_an_alarm_that_fired_before_the_rollout_is_not_counted(state: str) -> None:
    answer = asked(replace(BOTH, state=state), alarms_at_start=fired_at_start(BOTH))
    assert answer.verdict is NOT
    assert "fired before the rollout began" in answer.reason


def test_a_colour_without_traffic_is_not_judged() -> None:
    assert asked(replace(BOTH, state="ALARM"), weight=0).verdict is NOT


def test_on_the_way_home_an_alarm_on_blues_names_speaks_by_its_own_state() -> None:
    assert asked(good_alarm(), judged=Colour.BLUE).verdict is PASS
    assert asked(good_alarm(state="ALARM"), judged=Colour.BLUE).verdict is FAIL


def test_a_file_without_alarms_has_nothing_to_say() -> None:
    assert judge(AlarmsSpec(), scene()).verdict is NOT


@pytest.mark.parametrize(
    ("states", "verdict", "words"),
    [
        (("OK", "OK"), PASS, "one is OK; two is OK"),
        (("OK", "ALARM"), FAIL, "two is in ALARM"),
        (("INSUFFICIENT_DATA", "ALARM"), FAIL, "two is in ALARM"),
        (("INSUFFICIENT_DATA", "OK"), HOLD, "one has no data"),
        (("before", "OK"), PASS, "two is OK"),
        (("before", "before"), NOT, "one fired before"),
        (("before", "INSUFFICIENT_DATA"), HOLD, "two has no data"),
    ],
)
def test_the_least_of_the_alarms_decides_and_is_named(
    states: tuple[str, str], verdict: Verdict, words: str
) -> None:
    both = {
        name: replace(BOTH, name=name, state="ALARM" if state == "before" else state)
        for name, state in zip(("one", "two"), states, strict=True)
    }
    start = tuple(alarm for alarm, state in zip(both.values(), states, strict=True) if state == "before")
    spec = AlarmsSpec(alarms=tuple(AlarmSpec(name=name) for name in both))
    answer = judge(spec, scene(alarms=both, alarms_at_start=start))
    assert answer.verdict is verdict
    assert words in answer.reason
