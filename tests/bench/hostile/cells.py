"""One cell: rollouts at half of the traffic, an attack, and a rollback of each; and the table of all cells."""

import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from statistics import median

from tests.bench.hostile.clients import KINDS
from tests.bench.hostile.place import Aws, Server, aws, begin, clients, server, wait_for
from tests.bench.lines import quantile

ROLLBACKS = 6
KINDS_A_SERVER = 5  # a load balancer has a hundred target groups, and each rollout takes two
COUNTS, DESCRIPTORS = (2, 8, 32), (256, 1024)
SETTLED_SECONDS, BETWEEN_SECONDS, LOOK_SECONDS = 2.0, 0.3, 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What was measured, in seconds from the request: until it was answered, and until traffic was on blue."""

    answered: tuple[float, ...]
    on_blue: tuple[float, ...]
    aws_errors: int
    log_lines: int

    def line(self, name: str, quiet: "Cell") -> str:
        """The cell as a line of the table."""
        return (
            f"{name}: answered {median(self.answered):.3f} p99 {quantile(self.answered, 0.99):.3f}, on blue "
            f"{median(self.on_blue):.3f} p99 {quantile(self.on_blue, 0.99):.3f} "
            f"({quantile(self.on_blue, 0.99) / quantile(quiet.on_blue, 0.99):.2f} of quiet), "
            f"AWS errors {self.aws_errors}, log lines {self.log_lines}"
        )


def measure(
    kinds: Sequence[str] = tuple(KINDS),
    counts: Sequence[int] = COUNTS,
    descriptors: Sequence[int] = DESCRIPTORS,
    rollbacks: int = ROLLBACKS,
) -> Iterator[str]:
    """Every kind with every number of clients, beside the same server when nobody but the operator asks it."""
    some = [kinds[first : first + KINDS_A_SERVER] for first in range(0, len(kinds), KINDS_A_SERVER)]
    for most, count, these in product(descriptors, counts, some):
        with tempfile.TemporaryDirectory() as folder:
            cells = attacked(Path(folder), these, count, descriptors=most, rollbacks=rollbacks)
            quiet = next(cells)
            yield quiet.line(f"hostile_{most}_descriptors_quiet", quiet)
            for kind, found in zip(these, cells, strict=True):
                yield found.line(f"hostile_{most}_descriptors_{count}_of_{kind}", quiet)


def attacked(
    folder: Path, kinds: Sequence[str], count: int, *, descriptors: int, rollbacks: int
) -> Iterator[Cell]:
    """Rollbacks on one server: first in quiet, then beside so many clients of each kind.

    All rollouts are begun at once, since it takes minutes until they have their traffic; so the first cell, the quiet
    one, is that with the most of them beside it.
    """
    with (
        aws(rollbacks * (1 + len(kinds))) as cloud,
        server(folder, cloud, viewers=count, descriptors=descriptors) as at,
    ):
        begin(at, cloud.first["revisions"])
        services = list(cloud.first["revisions"])
        for service in services:
            wait_for(f"half of {service}'s traffic on green", partial(_is_shifted, at, service), LOOK_SECONDS)
        for kind in ("", *kinds):
            mine, services = services[:rollbacks], services[rollbacks:]
            yield _cell(at, cloud, mine, kind, count if kind else 0)


def _cell(at: Server, cloud: Aws, services: Sequence[str], kind: str, count: int) -> Cell:
    errors, lines = len(cloud.errors), _lines(at)
    with clients(kind, at, services[-1], count):
        time.sleep(SETTLED_SECONDS)
        timed = [_roll_back(at, cloud, service) for service in services]
    return Cell(
        answered=tuple(answered for answered, _ in timed),
        on_blue=tuple(on_blue for _, on_blue in timed),
        aws_errors=len(cloud.errors) - errors,
        log_lines=_lines(at) - lines,
    )


def _lines(at: Server) -> int:
    return len(at.log.read_text().splitlines())


def _is_shifted(at: Server, service: str) -> bool:
    status, told = at.ask("GET", f"/v1/rollouts/prod/{service}")
    assert status == 200, told
    assert told["is_active"], told
    return bool(told["phase"] == "shifting" and told["green_percent"] == 50)


def _roll_back(at: Server, cloud: Aws, service: str) -> tuple[float, float]:
    time.sleep(BETWEEN_SECONDS)
    began = time.time()
    status, told = at.ask("POST", f"/v1/rollouts/prod/{service}/rollback", {"reason": "bench"})
    answered = time.time() - began
    assert status == 200, told
    on_blue = wait_for(f"{service} on blue", lambda: cloud.blue_at(service, began))
    return answered, on_blue - began
