"""Gate ``alarms``: the team's own CloudWatch alarms, as far as they can see green.

Green's target group and service are new in every rollout, so an alarm on blue's group or service never sees them.
Such an alarm is judged by its own query, threshold and M of N with green's names put in, and its own state serves as
blue's side: where both fire, it holds. An alarm without blue's names (on the load balancer, say) sees both colours:
its state counts, also if it was in ALARM only between two looks. A composite alarm with parts on blue's names is
judged by its rule, each such part with green's names. One that does not cover green (its threshold is learnt
from a past that green has not) is not counted, and preflight says so. An alarm whose actions are switched off or
suppressed counts like any other: its state is what is read.

Source: CloudWatch, "Evaluating an alarm" and "Configuring how CloudWatch alarms treat missing data".
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from orchestrator.core.cloud import composite_alarm
from orchestrator.core.cloud.resources import AlarmSeen, Unread
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.verdict import Answer, Verdict, fail, hold, not_applicable, passed
from orchestrator.core.gates.alarm_evaluation import Judgement, Outcome, is_blue_over, judge_points
from orchestrator.core.gates.alarm_scope import Sight, everyone, leaves, queries, seeing
from orchestrator.core.gates.gate import Gate, GateNeeds, NoData, Outlook, SeriesNeed
from orchestrator.core.gates.scene import Colour, Scene, first_whole, floor_to

NAME = "alarms"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmSpec:
    """One alarm by name; ``no_data`` None: as the alarm's own missing-data treatment says."""

    name: str
    no_data: NoData | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmsSpec:
    """Settings of ``gates.alarms``."""

    alarms: tuple[AlarmSpec, ...] = ()


def needs(spec: AlarmsSpec, outlook: Outlook) -> GateNeeds:
    """The alarms that the file names and what they are made of, and green's series for those on blue's names."""
    named = tuple(alarm.name for alarm in spec.alarms)
    begun = (alarm for alarm in outlook.alarms_at_start if alarm.name in named)
    parts = everyone(part for alarm in begun for part in alarm.parts)
    return GateNeeds(alarms=tuple(dict.fromkeys((*named, *parts))), series=tuple(_series(outlook)))


def _series(outlook: Outlook) -> Iterator[SeriesNeed]:
    if outlook.since is None or outlook.phase not in (Phase.SHIFTING, Phase.WATCHING):
        return
    counted = (alarm for alarm in outlook.alarms_at_start if alarm.state != "ALARM")
    for leaf in (leaf for alarm in counted for leaf in leaves(alarm, outlook.names)):
        newest = floor_to(outlook.now, leaf.period) - leaf.period * (leaf.evaluation_periods + 3)
        since = max(first_whole(outlook.since, leaf.period), newest)
        yield SeriesNeed(queries=queries(leaf, outlook.names), since=since)


def judge(spec: AlarmsSpec, scene: Scene) -> Answer:
    """The least of the alarms' answers, in the words of the alarm that decided it."""
    if not spec.alarms:
        return not_applicable(NAME, "the file names no alarm")
    answers = [_judge_one(alarm, scene) for alarm in spec.alarms]
    for verdict in (Verdict.FAIL, Verdict.HOLD):
        deciding = [answer for answer in answers if answer.verdict is verdict]
        if deciding:
            return deciding[0]
    applying = [answer for answer in answers if answer.verdict is Verdict.PASS]
    if not applying:
        return answers[0]
    return passed(NAME, "; ".join(answer.reason for answer in applying), numbers={"alarms": len(applying)})


def _judge_one(spec: AlarmSpec, scene: Scene) -> Answer:
    start = next((alarm for alarm in scene.alarms_at_start if alarm.name == spec.name), None)
    if start is not None and start.state == "ALARM":
        return not_applicable(NAME, f"{spec.name} fired before the rollout began: not counted")
    seen = scene.alarms.get(spec.name)
    if not isinstance(seen, AlarmSeen):
        why = f" ({seen.why})" if isinstance(seen, Unread) else ""
        return hold(
            NAME,
            f"alarm {spec.name} is not there or unread{why}",
            clears_when=f"alarm {spec.name} can be read",
        )
    if scene.weight == 0:
        return not_applicable(NAME, f"{scene.judged} takes no traffic")
    if scene.judged is Colour.BLUE:
        # As traffic returns, blue is judged, and an alarm on blue's names says by its own state what it sees of blue.
        if start is not None and start.state == seen.state == "INSUFFICIENT_DATA":
            return not_applicable(NAME, f"{spec.name} had no data of blue before the rollout either")
        return _by_state(spec, seen, scene)
    return _of_green(spec, seen, start, scene)


def _of_green(spec: AlarmSpec, seen: AlarmSeen, start: AlarmSeen | None, scene: Scene) -> Answer:
    if start is not None:
        seen = _as_begun(seen, start)
    sees = seeing(seen, scene.names)
    match sees.sight:
        case Sight.BOTH:
            return _by_state(spec, seen, scene)
        case Sight.GREENS_NAMES:
            return _by_series(spec, seen, scene)
        case Sight.PARTS:
            return _by_parts(seen, scene)
        case Sight.BLIND if start is not None and seeing(start, scene.names).sight is Sight.BLIND:
            return not_applicable(NAME, f"{spec.name} does not cover green: {sees.why}")
        case Sight.BLIND:
            words = f"{spec.name} does not cover green any more: {sees.why}"
            return hold(NAME, words, clears_when=f"{spec.name} is as it was when the rollout began")


def _as_begun(seen: AlarmSeen, start: AlarmSeen) -> AlarmSeen:
    """The alarm as it was set up when the rollout began, in the state it is in now: nobody moves a threshold meanwhile.

    A part that is gone stays gone.
    """
    now = {part.name: part for part in seen.parts}
    return replace(
        start,
        state=seen.state,
        state_since=seen.state_since,
        reason=seen.reason,
        evaluation=seen.evaluation,
        muted=seen.muted,
        fired_at=seen.fired_at,
        history_unread=seen.history_unread,
        parts=tuple(_as_begun(now[part.name], part) for part in start.parts if part.name in now),
    )


# by its state ------------------------------------------------------------------------------------------------------


def _by_state(spec: AlarmSpec, seen: AlarmSeen, scene: Scene) -> Answer:
    broken = _not_whole(seen)
    if broken:
        return hold(NAME, broken, clears_when="CloudWatch evaluates it again")
    match seen.state:
        case "ALARM":
            since = f" since {seen.state_since:%H:%M:%S}Z" if seen.state_since else ""
            return fail(NAME, f"{seen.name} is in ALARM{since}{_muted(seen)}: {seen.reason}")
        case "OK":
            answer = passed(NAME, f"{seen.name} is OK{_muted(seen)}")
        case _:
            answer = _no_data(spec, seen, f"{seen.name} has no data")
    if scene.judged is Colour.GREEN and (unseen := _between_looks(seen, scene)):
        return unseen
    if answer.verdict is Verdict.PASS and not _could_know(seen, scene):
        return hold(
            NAME,
            f"{seen.name} was not evaluated at this weight yet",
            clears_when="a whole period of it was measured",
        )
    return answer


def _between_looks(seen: AlarmSeen, scene: Scene) -> Answer | None:
    """What an alarm went through between two looks: one that fired and is well again has fired."""
    if seen.history_unread:
        words = (
            f"{seen.name} changed, and whether it fired meanwhile could not be read: {seen.history_unread}"
        )
        return hold(NAME, words, clears_when=f"the history of {seen.name} can be read")
    if seen.fired_at is None or (scene.alarms_from is not None and seen.fired_at < scene.alarms_from):
        return None
    return fail(NAME, f"{seen.name} went to ALARM at {seen.fired_at:%H:%M:%S}Z and is {seen.state} again")


def _not_whole(seen: AlarmSeen) -> str:
    """Why CloudWatch's evaluation of an alarm, or of a part of it, is not to be relied on."""
    if seen.evaluation:
        return f"{seen.name} is not evaluated in full: {seen.evaluation}"
    return next((broken for part in seen.parts if (broken := _not_whole(part))), "")


def _muted(seen: AlarmSeen) -> str:
    return f" ({seen.muted}; its state counts)" if seen.muted else ""


def _could_know(seen: AlarmSeen, scene: Scene) -> bool:
    """True once a whole period of the alarm's at this weight was measured, or must be by now."""
    if scene.serves_since is None:
        return False
    period = max(seen.period, scene.period)
    end = first_whole(scene.serves_since, period) + period
    is_measured = bool(scene.intervals) and scene.intervals[-1].start + scene.period >= end
    return is_measured or scene.now >= end + scene.lag


# by green's series -------------------------------------------------------------------------------------------------


def _by_series(spec: AlarmSpec, seen: AlarmSeen, scene: Scene) -> Answer:
    found = judge_points(seen, scene, missing_breaches=_breaches(spec.no_data, seen))
    match found.outcome:
        case Outcome.BREACHES:
            return _breached(seen, found.words, found.numbers, is_blue_over(seen, scene, found.periods))
        case Outcome.WITHIN:
            return passed(NAME, f"{found.words}{_muted(seen)}", numbers=found.numbers)
        case Outcome.SILENT:
            return _no_data(spec, seen, found.words)
        case Outcome.MAY_BREACH | Outcome.UNKNOWN:
            return hold(NAME, found.words, clears_when=found.clears_when, numbers=found.numbers)


def _breached(
    seen: AlarmSeen, words: str, numbers: Mapping[str, float], is_blue_over: bool | None = False
) -> Answer:
    """Green is over the threshold; blue's own series says whether blue is too, and later the alarm's state."""
    if is_blue_over is None:
        words = f"{words}, and blue's newest period was not measured yet"
        return hold(NAME, words, clears_when="blue's period was measured", numbers=numbers)
    if is_blue_over:
        words = f"{words}, and blue is over it too"
        return hold(NAME, words, clears_when=f"blue is within {seen.name}'s threshold", numbers=numbers)
    if seen.state == "ALARM":
        return hold(
            NAME, f"{words}, and fires for blue too", clears_when=f"{seen.name} is OK", numbers=numbers
        )
    return fail(NAME, f"{words}{_muted(seen)}", numbers=numbers)


def _breaches(no_data: NoData | None, seen: AlarmSeen) -> bool:
    return no_data is NoData.FAIL or (no_data is None and seen.missing == "breaching")


# by its parts ------------------------------------------------------------------------------------------------------


def _by_parts(seen: AlarmSeen, scene: Scene) -> Answer:
    """A composite alarm's rule, with what its parts say of green."""
    found = {part.name: _state_for_green(part, scene) for part in seen.parts}
    fires = composite_alarm.evaluate(seen.rule, lambda name: found[name][0])
    parts = "; ".join(words for _, words in found.values())
    if fires is None:
        return hold(
            NAME, f"{seen.name} is not known for green: {parts}", clears_when="what it is made of is known"
        )
    if fires:
        return _breached(seen, f"{seen.name} fires for green: {parts}", {})
    return passed(NAME, f"{seen.name} does not fire for green{_muted(seen)}")


def _state_for_green(part: AlarmSeen, scene: Scene) -> tuple[str | None, str]:
    """The state that a part of a composite alarm has for green, None where that is not known, and why."""
    if seeing(part, scene.names).sight is Sight.BOTH:
        if _not_whole(part):
            return None, _not_whole(part)
        if part.state == "OK" and not _could_know(part, scene):
            return None, f"{part.name} was not evaluated at this weight yet"
        return part.state, f"{part.name} is {part.state}"
    if part.kind == "composite":
        states = {one.name: _state_for_green(one, scene)[0] for one in part.parts}
        fires = composite_alarm.evaluate(part.rule, states.get)
        state = None if fires is None else "ALARM" if fires else "OK"
        return state, f"{part.name} is {state or 'unknown'}"
    found = judge_points(part, scene, missing_breaches=part.missing == "breaching")
    return _as_state(part, found), found.words


def _as_state(part: AlarmSeen, found: Judgement) -> str | None:
    match found.outcome:
        case Outcome.BREACHES:
            return "ALARM"
        case Outcome.WITHIN:
            return "OK"
        case Outcome.SILENT:
            return {"notBreaching": "OK", "missing": "INSUFFICIENT_DATA"}.get(part.missing)
        case Outcome.MAY_BREACH | Outcome.UNKNOWN:
            return None


def _no_data(spec: AlarmSpec, seen: AlarmSeen, words: str) -> Answer:
    treatment = {"notBreaching": NoData.PASS, "breaching": NoData.FAIL}
    match spec.no_data or treatment.get(seen.missing, NoData.HOLD):
        case NoData.PASS:
            return passed(NAME, f"{words}, which counts as good")
        case NoData.FAIL:
            return fail(NAME, f"{words}, which counts as bad")
        case NoData.HOLD:
            return hold(NAME, words, clears_when=f"CloudWatch has data for {seen.name}")


ALARMS = Gate(
    name=NAME,
    usual=AlarmsSpec(),
    is_on=lambda spec: bool(spec.alarms),
    judge=judge,
    needs=needs,
    judges_intervals=True,
    may_fail_in_settling=False,  # both colours run the release: the alarm is as much blue's as anybody's
    settles_when="the alarm is OK",
    may_stand_alone=True,
)
