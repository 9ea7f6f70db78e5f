"""`verify-account`: proof in the user's own account, with a throw-away service, and a report that names nobody."""

import asyncio
import json
import secrets
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import click

from api.cli.commands.verify_account_cleaning import FAILED, clean_up, in_words, must_be_alone, root
from api.cli.output.logs import quiet_logs
from api.cli.output.output import clock_text, emit, json_option, shape
from orchestrator import bootstrap
from orchestrator.verify.journal import ROWS, Journal, held
from orchestrator.verify.means import Means
from orchestrator.verify.place.making import Tell
from orchestrator.verify.plan import dry_run, words_of
from orchestrator.verify.report.building import checked, report_of
from orchestrator.verify.report.page import page
from orchestrator.verify.report.values import VerifyReport
from orchestrator.verify.run import Outcome, part_names, verify
from orchestrator.verify.wanted import IMAGE, Wanted
from orchestrator.verify.wanted import checked as checked_wanted

INTERRUPTED = 130
MINUTES = {"60s": 60, "1s": 1, "5s": 5, "10s": 10}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to run, beside what is wanted."""

    output: Path | None
    is_dry: bool
    is_sure: bool
    is_sandbox: bool
    as_json: bool


@click.command("verify-account")
@click.option(
    "--subnets", metavar="IDS", help="Two subnets, subnet-…,subnet-…, of two zones, which reach the image."
)
@click.option(
    "--security-group",
    metavar="ID",
    help="It lets this machine reach port 80, and its members each other's port 8080.",
)
@click.option("--listener", metavar="ARN", help="Use this listener, and make no load balancer.")
@click.option(
    "--private", is_flag=True, help="An internal load balancer, and tasks without public addresses."
)
@click.option(
    "--service", metavar="CLUSTER/SERVICE", help="Roll this service out, instead of a throw-away one."
)
@click.option("--only", metavar="PARTS", help="Only these parts, with commas between them; see below.")
@click.option("--role", metavar="ARN", help="A role that may be assumed, to try narrower permissions with.")
@click.option("--namespace", metavar="ARN", help="A Service Connect namespace, to ask what its clients need.")
@click.option("--certificate", metavar="ARN", help="Of Certificate Manager, to ask what HTTPS listeners do.")
@click.option("--url", help="Where this machine reaches the load balancer, if not by its own name.")
@click.option(
    "--image", default=IMAGE, show_default=True, help="What the tasks run; it has BusyBox's sh and httpd."
)
@click.option("--port", type=click.IntRange(1, 65535), default=80, show_default=True, help="Of the listener.")
@click.option(
    "--minute",
    type=click.Choice(list(MINUTES)),
    default="60s",
    show_default=True,
    help="How long a CloudWatch minute lasts; shorter than 60s in a sandbox alone.",
)
@click.option(
    "--output", "-o", type=click.Path(path_type=Path, file_okay=False), help="Where the report goes."
)
@click.option("--dry-run", "is_dry", is_flag=True, help="Say what a run would do, and call nothing.")
@click.option("--yes", "is_sure", is_flag=True, help="Run without asking.")
@click.option(
    "--clean",
    "cleans",
    is_flag=True,
    help="Remove what stopped runs left (or that of --id), and run nothing.",
)
@click.option("--id", "run", metavar="ID", help="The run to clean.")
@json_option
def verify_account_command(  # noqa: PLR0913 - one an option
    *,
    subnets: str | None,
    security_group: str | None,
    listener: str | None,
    private: bool,
    service: str | None,
    only: str | None,
    role: str | None,
    namespace: str | None,
    certificate: str | None,
    url: str | None,
    image: str,
    port: int,
    minute: str,
    output: Path | None,
    is_dry: bool,
    is_sure: bool,
    cleans: bool,
    run: str | None,
    as_json: bool,
) -> None:
    """Try Teal in your own AWS account, on a service that it makes and removes, and write down what AWS does.

    It rolls the service out and back in every way, asks what Teal believes of AWS and no document proves, and writes
    report.json and report.md, which name nobody: send them if you like. First it says what it will make, what that
    costs and which permissions it needs; it goes on with --yes, or when you say so.

    Ctrl-C removes what was made; a run that was killed is removed by --clean, with the credentials and the region of
    the run, and never while the run is under way.

    Parts: preflight, good, bad, rollback (or rollback-PHASE), direct, beliefs (or a belief's name).

    Exits 0 if everything was as Teal believes, 1 if something was not, or could not be removed.
    """
    quiet_logs()
    if cleans:
        sys.exit(clean_up(run or "", as_json=as_json))
    wanted = checked_wanted(
        Wanted(
            id=secrets.token_hex(4),
            subnets=tuple(part.strip() for part in (subnets or "").split(",") if part.strip()),
            security_group=security_group or "",
            service=service or "",
            listener=listener or "",
            parts=frozenset(part.strip() for part in (only or "").split(",") if part.strip()),
            is_private=private,
            url=url or "",
            role=role or "",
            namespace=namespace or "",
            certificate=certificate or "",
            image=image,
            port=port,
            minute=timedelta(seconds=MINUTES[minute]),
        ),
        part_names(),
    )
    options = Options(
        output=output, is_dry=is_dry, is_sure=is_sure, is_sandbox=minute != "60s", as_json=as_json
    )
    sys.exit(_verify(wanted, options))


def _verify(wanted: Wanted, options: Options) -> int:
    plan = dry_run(wanted, bootstrap.region())
    for line in words_of(plan):
        click.echo(line, err=options.as_json)
    if options.is_dry or not (options.is_sure or _is_agreed()):
        click.echo("Nothing was called. Give the same command with --yes to run it.", err=options.as_json)
        if options.as_json:
            emit(plan)
        return 0
    must_be_alone(wanted)
    journal = Journal.begin(root() / wanted.id, wanted)
    with held(journal.folder):
        return asyncio.run(_run(wanted, journal, options))


def _is_agreed() -> bool:
    is_person = sys.stdin.isatty() and sys.stderr.isatty()
    return is_person and click.confirm("Run it?", err=True)


async def _run(wanted: Wanted, journal: Journal, options: Options) -> int:
    def tell(words: str) -> None:
        now = bootstrap.SystemClock().now()
        click.echo(f"{clock_text(now)}  {words}", err=options.as_json)

    async with bootstrap.open_verification(journal.folder / ROWS, role=wanted.role) as means:
        work = asyncio.create_task(
            verify(wanted, means, journal, tell, with_command=not options.is_sandbox), name="verification"
        )
        with _interrupts(work, tell):
            outcome = await work
        report = report_of(outcome, means)
        folder = options.output or journal.folder
        unwritten = _written(report, means, folder)
    for line in (*_ending(outcome, report), unwritten or _where(folder)):
        click.echo(line, err=options.as_json)
    if options.as_json:
        emit(report)
    if outcome.is_interrupted:
        return INTERRUPTED
    return 0 if outcome.is_whole and not unwritten else FAILED


def _written(report: VerifyReport, means: Means, folder: Path) -> str:
    """Write the report; why it could not be, empty if it was. Raises Unclean."""
    checked(report, means)
    texts = {
        "report.json": json.dumps(shape(report), ensure_ascii=False, indent=1) + "\n",
        "report.md": page(report),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        return f"The report could not be written to {folder}: {error.strerror or error}."
    return ""


def _where(folder: Path) -> str:
    return f"The report is in {folder / 'report.md'} and {folder / 'report.json'}; it names nobody."


@contextmanager
def _interrupts(work: "asyncio.Task[Outcome]", tell: Tell) -> Iterator[None]:
    """The first Ctrl-C or SIGTERM ends the run and has it clean up; the second ends that too."""
    loop, heard = asyncio.get_running_loop(), 0

    def interrupt() -> None:
        nonlocal heard
        heard += 1
        if heard == 1:
            tell("interrupted: removing what was made; Ctrl-C again leaves it")
        work.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupt)
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def _ending(outcome: Outcome, report: VerifyReport) -> Iterator[str]:
    yield ""
    for rollout in report.rollouts:
        yield f"{'as wanted' if rollout.as_wanted else 'OTHERWISE':<12} {rollout.name}: {rollout.phase or rollout.why}"
    for belief in report.beliefs:
        yield f"{belief.verdict:<12} {belief.name}: {belief.seen}"
    if outcome.stopped:
        yield f"The run ended before its end: {outcome.stopped}"
    yield from in_words(outcome.left, outcome.wanted.id)
