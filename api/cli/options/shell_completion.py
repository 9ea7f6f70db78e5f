"""What TAB offers: ids, services and profiles from the store or server, within a time that a person does not notice.

Whatever goes wrong there offers nothing: a prompt is no place for an error. A store that is not there is not made.
"""

import os
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from orchestrator.engine.views.rollout_values import RolloutView

SERVER_SECONDS = 1.5
STORE_SECONDS = 5.0  # importing what reads it is most of that on a slow machine; the disk itself is quick
OFFERED_MAX = 50


def rollouts(ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem[str]]":
    """Ids of rollouts that have not ended, and their services; for `get`, `events` and `report` ended ones too."""
    is_past_wanted = ctx.info_name in ("get", "events", "report", "evidence")
    found = _bounded(ctx, lambda: _views(None if is_past_wanted else True))
    offers: dict[str, str] = {}
    for view in found:
        offers[view.id] = f"{view.service} {view.phase}"
        if view.is_active:
            offers.setdefault(view.service, f"{view.id} {view.phase}")
    return _items(offers, incomplete)


def ended(ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem[str]]":
    """Ids of rollouts that succeeded, and their services."""
    offers: dict[str, str] = {}
    for view in _bounded(ctx, lambda: _views(False)):
        if view.phase == "succeeded":
            offers[view.id] = f"{view.service} {view.phase}"
            offers.setdefault(view.service, f"{view.id} {view.phase}")
    return _items(offers, incomplete)


def services(ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem[str]]":
    """Services that had a rollout lately."""
    found = _bounded(ctx, lambda: _views(None))
    return _items({view.service: "" for view in found}, incomplete)


def profiles(ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem[str]]":
    """The profiles of the file."""
    from api.cli.backend.profiles import STORE
    from api.cli.backend.profiles import profiles as known
    from orchestrator.core.domain.errors import TealError

    try:
        offers = {one.name: one.server for one in known()}
    except TealError:
        offers = {}
    return _items({**offers, STORE: "the store on this machine"}, incomplete)


def rollout_argument(command: Callable[..., object]) -> Callable[..., object]:
    """``ID``: a rollout, with what TAB offers for it."""
    return click.argument("name", metavar="ID", shell_complete=rollouts)(command)


def ended_argument(command: Callable[..., object]) -> Callable[..., object]:
    """``ID``: a rollout that ended, with what TAB offers for it."""
    return click.argument("name", metavar="ID", shell_complete=ended)(command)


def _items(offers: dict[str, str], incomplete: str) -> "list[CompletionItem[str]]":
    from click.shell_completion import CompletionItem

    begun = [(name, about) for name, about in offers.items() if name.startswith(incomplete)]
    return [CompletionItem(name, help=about or None) for name, about in begun[:OFFERED_MAX]]


def _bounded(ctx: click.Context, ask: "Callable[[], tuple[RolloutView, ...]]") -> "tuple[RolloutView, ...]":
    """What `ask` finds in time, else nothing."""
    from api.cli.backend.profiles import target
    from orchestrator.core.domain.errors import TealError

    found: list[tuple[RolloutView, ...]] = []
    try:
        with ctx:  # the options before the command say which server
            bound = SERVER_SECONDS if target().server else STORE_SECONDS
    except TealError:  # the file of profiles is wrong: a command will say so
        return ()

    def work() -> None:
        try:
            with ctx:
                found.append(ask())
        except Exception:
            found.append(())

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(bound)
    if not found:
        # A name that does not resolve, or a database that does not answer, would keep the process beyond its end.
        sys.stdout.flush()
        os._exit(0)
    return found[0]


def _views(is_active: bool | None) -> "tuple[RolloutView, ...]":
    from api.cli.backend.backend import Which
    from api.cli.backend.open_shows import open_shows
    from api.cli.backend.profiles import target
    from orchestrator.store_at_hand import store_url

    path = store_url().removeprefix("sqlite:///")
    if not target().server and "://" not in path and not os.path.exists(path):
        return ()
    return open_shows().list(Which(is_active=is_active, limit=OFFERED_MAX))
