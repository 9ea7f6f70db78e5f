"""`teal rollback SERVICE --direct`: break glass, with AWS credentials and the service's name alone."""

import asyncio
import re
import sys
from dataclasses import dataclass
from typing import NoReturn

import click

from api.cli.backend.operating_user import local_actor
from api.cli.output.output import clock_text, emit, say
from orchestrator import bootstrap
from orchestrator.core.break_glass import leftovers
from orchestrator.core.break_glass import messages as words
from orchestrator.core.break_glass.snapshot import Place
from orchestrator.core.domain import tags
from orchestrator.core.domain.errors import TealError
from orchestrator.core.domain.ids import revision_name
from orchestrator.core.domain.text import span
from orchestrator.engine.direct_rollback import DirectEnd, DirectRun, until_answered

INTERRUPTED = 130
_NAME = r"[A-Za-z0-9_-]{1,255}"
_SERVICE = re.compile(
    rf"(?:(?P<account>[a-z][a-z0-9-]*):)?(?:(?P<cluster>{_NAME})/)?(?P<service>{_NAME})", re.ASCII
)
_ARN = re.compile(
    rf"arn:aws[a-z-]*:ecs:[a-z0-9-]+:\d+:service/(?:(?P<cluster>{_NAME})/)?(?P<service>{_NAME})"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleLeft:
    """A rule that carries blue and green, and green's share on it when it was last read."""

    rule: str
    name: str
    green_percent: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectRollback:
    """What a direct rollback did, or with ``--dry-run`` would do."""

    service: str
    is_dry_run: bool
    has_acted: bool  # False: all traffic was on blue already
    blue: str  # the revision that blue runs
    rules: tuple[RuleLeft, ...]
    plan: tuple[str, ...]  # what it set out to do
    seconds_to_blue: float | None  # until all traffic was read back on blue
    is_tagged: bool  # green says that it was rolled back, for a server that returns
    left: tuple[str, ...]
    commands: tuple[str, ...]  # that remove what is left, where no server will


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackOptions:
    """What a person typed."""

    account: str
    cluster: str  # empty: the only cluster that has the service
    service: str
    reason: str
    is_dry_run: bool
    is_sure: bool
    as_json: bool


def options_of(name: str, *, reason: str, dry_run: bool, yes: bool, as_json: bool) -> RollbackOptions:
    """The service that a name means. Raises click.UsageError for a name that is none."""
    found = _ARN.fullmatch(name) or _SERVICE.fullmatch(name)
    if found is None:
        raise click.UsageError(
            f"`{name}` names no service. Write CLUSTER/SERVICE, such as prod/checkout, or the service alone where "
            "only one cluster has it."
        )
    parts = found.groupdict()
    return RollbackOptions(
        account=parts.get("account") or "",
        cluster=parts.get("cluster") or "",
        service=parts["service"],
        reason=reason,
        is_dry_run=dry_run,
        is_sure=yes,
        as_json=as_json,
    )


def roll_back_directly(options: RollbackOptions) -> None:
    """Bring all traffic to blue and say what is left. Raises TealError; Ctrl-C says how things stand."""
    run = _Run(options)
    try:
        asyncio.run(run.go())
    except KeyboardInterrupt:
        run.say_where_it_stands("Interrupted.")
        raise
    except TealError:
        run.say_where_it_stands("Stopped.")
        raise


class _Run:
    """One run at a terminal or in a script."""

    def __init__(self, options: RollbackOptions) -> None:
        self._options = options
        self._bringing: DirectRun | None = None
        self._has_begun = False

    async def go(self) -> None:
        """Look, say what will be done, do it, say what is left."""
        options, clock = self._options, bootstrap.SystemClock()
        async with bootstrap.open_direct(options.account) as direct:
            service = await until_answered(
                lambda: direct.find(cluster=options.cluster, service=options.service), self._tell
            )
            bringing = self._bringing = DirectRun(direct, service, clock=clock, tell=self._tell)
            place = await bringing.look()
            if place.unread and not place.guests:
                self._say(*(f"not read yet: {why}" for why in place.unread))
            elif not place.guests:
                self._say(f"{place.name}: blue runs {_revision(place)}; {words.NOTHING}.")
                self._emit(place, plan=(), end=None)
                return
            plan = words.intentions(place)
            self._say(*words.situation(place), "", "What will be done:", *_numbered(plan), "")
            if options.is_dry_run:
                self._say(*words.pinned(place), "Dry run: nothing was touched.")
                self._emit(place, plan=plan, end=None)
                return
            self._confirm()
            self._has_begun = True
            end = await bringing.run(by=_by(options))
        self._say(*_ended(end))
        self._emit(end.place, plan=plan, end=end)

    def say_where_it_stands(self, how: str) -> None:
        """What was last seen, and that the same command goes on; nothing before anything could be touched."""
        place = self._bringing.place if self._bringing else None
        if place is None or not self._has_begun:
            click.echo(f"{how} Nothing was touched.", err=True)
            return
        lines = (f"{how} When last looked at:", *words.situation(place))
        for line in (*lines, "The weights stay as they are; give the command again to go on."):
            say(line, err=True)

    def _confirm(self) -> None:
        is_asked = not self._options.is_sure and _is_terminal()
        if is_asked and not click.confirm("Do it?", err=True):
            _leave("Nothing was touched.")

    def _tell(self, text: str) -> None:
        self._say(f"{clock_text(bootstrap.SystemClock().now())}  {text}")

    def _say(self, *lines: str) -> None:
        for line in lines:
            say(line, err=self._options.as_json)

    def _emit(self, place: Place, *, plan: tuple[str, ...], end: DirectEnd | None) -> None:
        if not self._options.as_json:
            return
        rules = tuple(
            RuleLeft(rule=rule.arn, name=rule.name, green_percent=place.green_part(rule) / 10)
            for rule in place.rules
        )
        emit(
            DirectRollback(
                service=place.name,
                is_dry_run=self._options.is_dry_run,
                has_acted=end is not None and end.has_acted,
                blue=_revision(place),
                rules=rules,
                plan=plan,
                seconds_to_blue=end.on_blue_after.total_seconds() if end else None,
                is_tagged=end is not None and bool(place.guests) and not end.cannot_tag,
                left=leftovers.leftovers(place),
                commands=leftovers.commands(place),
            )
        )


def _is_terminal() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def _ended(end: DirectEnd) -> list[str]:
    place = end.place
    lines = [f"{place.name}: all traffic is on blue, which runs {_revision(place)} ({span(end.took)})."]
    lines += words.pinned(place)
    left = leftovers.leftovers(place)
    if not left:
        return [*lines, "Nothing of green is left on the rules."]
    lines += ["", "Left as they are:", *(f"  {one}" for one in left), ""]
    if end.cannot_tag:
        lines += [
            f"Green could not be tagged as rolled back ({end.cannot_tag}).",
            "A server that returns sees it by the weights, if green had any when it last looked; else roll back there "
            "as well.",
        ]
    else:
        lines.append(
            "A server or `teal deploy` that returns takes this for a person's rollback and cleans up."
        )
    lines += [
        "Where none will return, these commands do it, in this order:",
        *(f"  {c}" for c in leftovers.commands(place)),
    ]
    return lines


def _numbered(lines: tuple[str, ...]) -> list[str]:
    return [f"  {number}. {line}" for number, line in enumerate(lines, 1)]


def _by(options: RollbackOptions) -> str:
    who = tags.value_of(local_actor().name.replace(":", " ")) or "somebody"
    return tags.value_of(f"{who}: {options.reason or 'teal rollback --direct'}")


def _revision(place: Place) -> str:
    primary = place.blue.primary
    return revision_name(primary.task_definition if primary else place.blue.task_definition)


def _leave(words_: str) -> NoReturn:
    click.echo(words_, err=True)
    raise click.exceptions.Exit(INTERRUPTED)
