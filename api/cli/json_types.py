"""What `--json` prints, command by command, as types: ``docs/cli-json.md`` and the tests are made from this table.

Imported for the documentation and by tests alone; the commands print the values themselves.
"""

from dataclasses import dataclass

from api.auth.token_shapes import TokenMade, TokenView
from api.cli.backend.profiles import Profile
from api.cli.commands.login import LoggedIn
from api.cli.commands.profile import Profiles
from api.cli.commands.report_log import LogCheck
from api.cli.commands.rollback_direct import DirectRollback
from api.cli.commands.verify_account_cleaning import Cleaned
from api.cli.output.init_result import Beginnings
from api.http.json_values import PreflightView
from orchestrator.core.cloud.definition_differences import Difference
from orchestrator.engine.views.event_values import EventView
from orchestrator.engine.views.report_parts import Report
from orchestrator.engine.views.rollout_values import RolloutView
from orchestrator.engine.views.service_values import ServiceView
from orchestrator.simulate.report import Simulation
from orchestrator.verify.plan import DryRun
from orchestrator.verify.report.values import VerifyReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollouts:
    """Rollouts, newest first."""

    rollouts: tuple[RolloutView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Services, by name."""

    services: tuple[ServiceView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """Tokens, newest first."""

    tokens: tuple[TokenView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreAt:
    """The store that was brought up to date."""

    store: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A copy of the store. ``active``: the ids of the rollouts that were under way."""

    file: str
    rollouts: int
    active: tuple[str, ...]
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreCheck:
    """What SQLite finds wrong in the store's file; empty: nothing."""

    store: str
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """What a rollout would change in the task definition; null where one of the two is not known."""

    service: str
    former: str
    task_definition: str
    differences: tuple[Difference, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """The version of this Teal."""

    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """One comparison's evidence."""

    name: str
    log_e: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """How many requests failed, by whose fault."""

    revision: int
    shift: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """One rollout of the demo."""

    name: str
    id: str
    phase: str
    seconds: float
    requests: int
    failed: Failed
    green_weight_max: float
    bad_to_blue_seconds: float | None
    rollback_reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """What became of the demo; ``error`` where it could not be played to its end."""

    ok: bool
    rollouts: tuple[Played, ...]
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxAt:
    """A sandbox that is ready. What belongs to its service is missing with ``--empty``."""

    endpoint: str
    region: str
    account: str
    minute_seconds: float
    environment: dict[str, str]
    control: str
    cluster: str = ""
    service: str = ""
    listeners: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    target_groups: tuple[str, ...] = ()
    task_definitions: dict[str, str] | None = None
    alarms: tuple[str, ...] = ()
    test_listener: str = ""  # only with ``--test-listener``
    test_rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MistakeAt:
    """One mistake: the file, the line in it (null where it has none), a JSON pointer (RFC 6901), and what to write."""

    source: str
    pointer: str
    line: int | None
    what: str
    instead: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorPart:
    """What failed, why, and what to do next; ``code`` is one of docs/errors.md.

    ``mistakes``: every one in a file or request, where that is what is wrong; ``findings``: what preflight refuses.
    """

    code: str
    what: str
    why: str
    next_step: str
    mistakes: tuple[MistakeAt, ...]
    findings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorLine:
    """What any command prints instead when it fails. Usage errors (exit code 2) print nothing here."""

    error: ErrorPart
    exit_code: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What a command prints: one line of this, or (``is_each``) a line for each."""

    kind: object
    is_each: bool = False


_ROLLOUT = Output(kind=RolloutView)
OUTPUTS: dict[str, Output] = {
    "demo": Output(kind=Demo),
    "sandbox": Output(kind=SandboxAt),
    "init": Output(kind=Beginnings),
    "deploy": _ROLLOUT,
    "undo": _ROLLOUT,
    "preflight": Output(kind=PreflightView),
    "diff": Output(kind=Differences),
    "start": _ROLLOUT,
    "list": Output(kind=Rollouts),
    "get": _ROLLOUT,
    "watch": _ROLLOUT,
    "wait": _ROLLOUT,
    "events": Output(kind=EventView, is_each=True),
    "approve": _ROLLOUT,
    "reject": _ROLLOUT,
    "pause": _ROLLOUT,
    "resume": _ROLLOUT,
    "promote": _ROLLOUT,
    "back": _ROLLOUT,
    "rollback": _ROLLOUT,
    "rollback --direct": Output(kind=DirectRollback),
    "abandon": _ROLLOUT,
    "report": Output(kind=Report),
    "report --log": Output(kind=LogCheck),
    "services": Output(kind=Services),
    "services NAME": Output(kind=ServiceView),
    "outputs": Output(kind=dict[str, str]),
    "tokens create": Output(kind=TokenMade),
    "tokens list": Output(kind=Tokens),
    "tokens revoke": Output(kind=TokenView),
    "login": Output(kind=LoggedIn),
    "profile list": Output(kind=Profiles),
    "profile show": Output(kind=Profile),
    "profile use": Output(kind=Profiles),
    "profile remove": Output(kind=Profile),
    "profile set": Output(kind=Profile),
    "simulate": Output(kind=Simulation),
    "verify-account": Output(kind=VerifyReport),
    "verify-account --dry-run": Output(kind=DryRun),
    "verify-account --clean": Output(kind=Cleaned, is_each=True),
    "evidence": Output(kind=tuple[Weighed, ...]),
    "migrate": Output(kind=StoreAt),
    "backup": Output(kind=Backup),
    "restore": Output(kind=Backup),
    "check-store": Output(kind=StoreCheck),
    "version": Output(kind=Version),
}
WITHOUT = frozenset({"serve", "schema", "completion"})
"""Commands that print no value: a server's address, a schema, a script."""
