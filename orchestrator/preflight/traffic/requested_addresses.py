"""Probes and webhooks: may Teal send requests to the addresses that the file names?"""

from collections.abc import Callable, Iterator

from orchestrator.core.cloud.survey import Finding
from orchestrator.core.gates.probe import ProbeSpec, could_have_missed
from orchestrator.core.rollout.spec import Spec
from orchestrator.preflight.findings import error, note, warning

Refuses = Callable[[str, str], tuple[str, str] | None]
"""(URL, name of a settings' hook or empty) -> why no request may go there and what to do, or None."""


def look(spec: Spec, refuses: Refuses | None) -> Iterator[Finding]:
    """What speaks against the file's probe and webhooks. `refuses` None: nobody here sends requests."""
    if spec.gates.probe.on:
        yield from _address("probe", spec.gates.probe.url, "", refuses)
        yield _plan(spec.gates.probe)
    for number, hook in enumerate(spec.gates.webhooks):
        yield from _address(f"webhook {number + 1}", hook.url, hook.secret, refuses)
        if not hook.secret:
            yield warning(
                "webhook-unsigned",
                f"webhook {number + 1} ({hook.host}) is asked without a signature",
                "whoever receives the request cannot verify that it comes from Teal",
                "name a hook of the server's settings as its secret",
            )


def _address(name: str, url: str, secret: str, refuses: Refuses | None) -> Iterator[Finding]:
    if refuses is None:
        yield error(
            f"{name.partition(' ')[0]}-not-sent",
            f"{name} cannot be asked from here",
            "this process sends no requests to addresses of rollout files",
            f"start it through a server, or take {name.partition(' ')[0]} out of the file's gates",
        )
        return
    found = refuses(url, secret)
    if found is not None:
        yield error(
            f"{name.partition(' ')[0]}-not-allowed",
            f"{name}: {found[0]}",
            "no request would be sent, and the rollout would be held until it is given up",
            found[1],
        )


def _plan(probe: ProbeSpec) -> Finding:
    missed = could_have_missed(probe.count, probe.max_failures)
    warm_up = f" after {probe.warm_up} that warm it up" if probe.warm_up else ""
    return note(
        "probe",
        f"green gets {probe.count} requests of Teal's own{warm_up}, {probe.rate:g} a second, before users reach it; "
        f"a pass will say that a green failing more than {missed * 100:.2g} % would have been found",
        "they come from one address: a WAF rule on its rate must let them through, and a load balancer that is "
        "internal must be reachable from where Teal runs (else the rollout is held)",
    )
