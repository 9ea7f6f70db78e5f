"""Series of intervals to weigh anew: written by hand or by a program, or a rollout's own recorded events."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from orchestrator.config.text.pydantic_words import words_of
from orchestrator.config.text.yaml_document import step_into
from orchestrator.core.domain.errors import Invalid, Mistake
from orchestrator.core.domain.events import EventKind
from orchestrator.core.gates.gathered import StreamName
from orchestrator.core.statistics.comparison import Use
from orchestrator.core.statistics.remainder import Fall, Remainder, Remainders
from orchestrator.core.statistics.sequential_test import (
    CLIP,
    FAIL_GRID,
    FIRST_MASS,
    HAZARD,
    PROMOTE_GRID,
    Q_OVER_P_MAX,
    Absolute,
    Grid,
    Onset,
    Sample,
    Sums,
)

BYTES_MAX = 64 * 1024 * 1024
FORMS = "write one series, a list of them, {vectors: […], absolute_vectors: […]}, or what `teal events --json` prints"
_DENOMINATOR = {StreamName.SLOW: "timed"}  # what a stream's events are a part of; else the requests


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """One series and its evidence. ``recorded``: what the rollout itself had come to; None for a series by hand."""

    name: str
    log_e: float
    recorded: float | None = None

    @property
    def agrees(self) -> bool:
        """False if a rollout recorded another evidence than its events give."""
        return self.recorded is None or abs(self.recorded - self.log_e) <= 1e-6 + 1e-9 * abs(self.log_e)


class _Model(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)  # a series may carry notes


Whole = Annotated[int, Field(ge=0, le=10**15, strict=True)]


class _Pair(_Model):
    green_requests: Whole
    blue_requests: Whole
    green_errors: Whole
    blue_errors: Whole


class _Green(_Model):
    green_requests: Whole
    green_errors: Whole


class _Grid(_Model):
    lo: Annotated[float, Field(gt=0)]
    hi: Annotated[float, Field(gt=0)]
    n: Annotated[int, Field(ge=1, le=10_000)]


class _Comparing(_Model):
    name: str = "series"
    margin: Annotated[float, Field(ge=1)] = 1.25
    phi: Annotated[float, Field(ge=1)] = 1.0
    intervals: list[_Pair]

    def samples(self) -> Iterator[Sample]:
        for row in self.intervals:
            yield Sample(
                green_requests=row.green_requests,
                blue_requests=row.blue_requests,
                green_events=row.green_errors,
                blue_events=row.blue_errors,
            )


class _Fail(_Comparing):
    process: Literal["fail"]
    grid: _Grid | None = None

    def weigh(self) -> float:
        return _sum(Sums(margin=self.margin, phi=self.phi, grid=_grid(self.grid, FAIL_GRID)), self.samples())


class _Promote(_Comparing):
    process: Literal["promote"]
    grid: _Grid | None = None

    def weigh(self) -> float:
        return _sum(
            Sums(margin=self.margin, phi=self.phi, grid=_grid(self.grid, PROMOTE_GRID)), self.samples()
        )


class _FailFromSomeStart(_Comparing):
    process: Literal["fail_start_time"]
    grid: _Grid | None = None
    first_mass: Annotated[float, Field(gt=0, lt=1)] = FIRST_MASS
    hazard: Annotated[float, Field(gt=0, lt=1)] = HAZARD
    clip: Annotated[float, Field(gt=1)] | None = CLIP

    def weigh(self) -> float:
        onset = Onset(
            margin=self.margin,
            phi=self.phi,
            grid=_grid(self.grid, FAIL_GRID),
            first_mass=self.first_mass,
            hazard=self.hazard,
            clip=self.clip,
        )
        return _sum(onset, self.samples())


class _Absolute(_Model):
    process: Literal["absolute_promote"]
    name: str = "series"
    p_max: Annotated[float, Field(gt=0, lt=1)]
    phi: Annotated[float, Field(ge=1)] = 1.0
    q_over_p_max: list[Annotated[float, Field(ge=0, lt=1)]] = list(Q_OVER_P_MAX)
    intervals: list[_Green]

    def weigh(self) -> float:
        process = Absolute(p_max=self.p_max, phi=self.phi, parts=tuple(self.q_over_p_max))
        for row in self.intervals:
            process = process.add_green(requests=row.green_requests, events=row.green_errors)
        return process.log_e


_SERIES = TypeAdapter[Any](
    Annotated[_Fail | _Promote | _FailFromSomeStart | _Absolute, Field(discriminator="process")]
)


def _grid(given: _Grid | None, default: Grid) -> Grid:
    return Grid(lo=given.lo, hi=given.hi, n=given.n) if given else default


def _sum(process: Sums | Onset, samples: Iterable[Sample]) -> float:
    for sample in samples:
        process = process.add(sample)
    return process.log_e


def weigh_file(path: Path) -> tuple[Weighed, ...]:
    """The evidence of every series in a file. Raises Invalid with every mistake, each at its JSON pointer."""
    source = str(path)
    try:
        with path.open("rb") as file:
            raw = file.read(BYTES_MAX + 1)
        text = raw.decode("utf-8")
    except OSError as error:
        raise _invalid(
            source, f"it cannot be read: {error.strerror}", "name a file that can be read"
        ) from None
    except UnicodeDecodeError:
        raise _invalid(source, "it is not UTF-8", "write it as UTF-8") from None
    if len(raw) > BYTES_MAX:
        raise _invalid(source, "it is larger than 64 MiB", "write fewer series a file")
    return weigh_text(text, source)


def weigh_text(text: str, source: str) -> tuple[Weighed, ...]:
    """The evidence of every series in a text. Raises as `weigh_file`."""
    found, pointer = _listed(_parsed(text, source), source)
    if found and all(isinstance(one, dict) and "kind" in one and "facts" in one for one in found):
        return _of_events(found, source)
    if not found:
        raise _invalid(source, "it holds no series", FORMS)
    weighed: list[Weighed] = []
    mistakes: list[Mistake] = []
    for place, one in zip(pointer, found, strict=True):
        try:
            series = _SERIES.validate_python(one)
        except ValidationError as error:
            mistakes += _mistakes(error, place)
            continue
        weighed.append(Weighed(name=series.name, log_e=series.weigh()))
    if mistakes:
        raise Invalid(source=source, mistakes=mistakes)
    return tuple(weighed)


def _parsed(text: str, source: str) -> object:
    """One JSON value, or one a line."""
    try:
        return json.loads(text, parse_constant=_no_number)
    except ValueError as whole:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) < 2:
            raise _invalid(source, f"it is not JSON: {whole}", FORMS) from None
    found = []
    for number, line in enumerate(lines, 1):
        try:
            found.append(json.loads(line, parse_constant=_no_number))
        except ValueError as error:
            mistake = Mistake(pointer="", what=f"it is not JSON: {error}", instead=FORMS, line=number)
            raise Invalid(source=source, mistakes=[mistake]) from None
    return found


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no number")


def _listed(value: object, source: str) -> tuple[list[object], list[str]]:
    """The series or events in a value, and where each stands."""
    if isinstance(value, list):
        return value, [step_into("", index) for index in range(len(value))]
    if not isinstance(value, dict):
        raise _invalid(source, "it holds no series", FORMS)
    lists = [key for key in ("vectors", "absolute_vectors", "series", "events") if key in value]
    if not lists:
        return [value], [""]
    found: list[object] = []
    places: list[str] = []
    for key in lists:
        if not isinstance(value[key], list):
            raise _invalid(source, f"{key} is no list", FORMS, pointer=f"/{key}")
        found += value[key]
        places += [step_into(f"/{key}", index) for index in range(len(value[key]))]
    return found, places


def _mistakes(error: ValidationError, place: str) -> Iterator[Mistake]:
    for details in error.errors(include_url=False):
        keys = [key for key in details["loc"] if key not in _PROCESSES]
        pointer = place
        for key in keys:
            pointer = step_into(pointer, key)
        match details["type"]:
            case "union_tag_not_found":
                yield Mistake(pointer=pointer, what="process is missing", instead=_ONE_OF)
            case "union_tag_invalid":
                yield Mistake(pointer=f"{pointer}/process", what="there is no such process", instead=_ONE_OF)
            case "missing":
                yield Mistake(pointer=pointer, what=f"{keys[-1]} is missing", instead="write it")
            case _:
                what, instead = words_of(details) or ("it is not what is meant here", FORMS)
                yield Mistake(pointer=pointer, what=what, instead=instead)


_PROCESSES = ("fail", "promote", "fail_start_time", "absolute_promote")
_ONE_OF = f"write one of {', '.join(_PROCESSES)}"


def _of_events(events: list[Any], source: str) -> tuple[Weighed, ...]:
    """The evidence that a rollout's events give, stream by stream, beside what the rollout recorded."""
    streams: dict[str, Weighed] = {}
    processes: dict[str, Onset] = {}
    remainders = Remainders()
    for index, event in enumerate(events):
        facts = event["facts"]
        try:
            if event["kind"] == EventKind.EVIDENCE_FROZEN:
                name = str(facts["stream"])
                processes[name] = _onset(facts)
                if "fall" in facts:
                    remainders = _remainders(facts)
                streams[name] = Weighed(name=name, log_e=0.0)
            elif event["kind"] == EventKind.INTERVAL_TAKEN:
                remainders, facts = _summed(remainders, facts)
                for name, process in processes.items():
                    if facts.get("use") == Use.USED:
                        processes[name] = process.add(_sample(StreamName(name), facts))
                    recorded = facts.get(f"{name}_log_e")
                    streams[name] = replace(
                        streams[name],
                        log_e=processes[name].log_e,
                        recorded=streams[name].recorded if recorded is None else float(recorded),
                    )
        except (KeyError, TypeError, ValueError) as error:
            why = f"fact {error} is missing" if isinstance(error, KeyError) else str(error)
            raise _invalid(
                source, why, "take the events as Teal wrote them", pointer=f"/{index}/facts"
            ) from None
    if not streams:
        raise _invalid(
            source, "these events hold no evidence", "take those of a rollout whose gate compare is on"
        )
    return tuple(streams.values())


def _onset(facts: dict[str, Any]) -> Onset:
    return Onset(
        margin=facts["margin"],
        phi=facts["phi"],
        grid=Grid(lo=facts["grid_lo"], hi=facts["grid_hi"], n=facts["grid_n"]),
        first_mass=facts["first_mass"],
        hazard=facts["hazard"],
        clip=facts["clip"],
    )


def _remainders(facts: dict[str, Any]) -> Remainders:
    return Remainders(green=Remainder(fall=Fall(by=facts["fall"], requests=facts["fall_requests"])))


def _summed(before: Remainders, facts: dict[str, Any]) -> tuple[Remainders, dict[str, Any]]:
    """An interval's facts with its unanswered requests as they count beside the intervals before it.

    Events of a version that did not sum them up hold no remainder, and count as they stand.
    """
    if facts.get("use") not in (Use.USED, Use.WARM_UP) or facts.get("green_remainder") is None:
        return before, facts
    after, news = before.take(
        weight=facts["green_tenths"],
        green=(facts["green_requests"], facts["green_remainder"]),
        blue=(facts["blue_requests"], facts["blue_remainder"]),
    )
    return after, facts | {"green_unanswered": news.green.sure, "blue_unanswered": news.blue.most}


def _sample(name: StreamName, facts: dict[str, Any]) -> Sample:
    of = _DENOMINATOR.get(name, "requests")
    return Sample(
        green_requests=facts.get(f"green_{of}") or 0,
        blue_requests=facts.get(f"blue_{of}") or 0,
        green_events=facts.get(f"green_{name}") or 0,
        blue_events=facts.get(f"blue_{name}") or 0,
    )


def _invalid(source: str, what: str, instead: str, *, pointer: str = "") -> Invalid:
    return Invalid(source=source, mistakes=[Mistake(pointer=pointer, what=what, instead=instead)])
