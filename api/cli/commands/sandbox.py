"""`sandbox`: an AWS on this machine, until it is stopped."""

import asyncio
from datetime import timedelta

import click

from api.cli.output.output import emit, json_option

MINUTES = {"1s": 1, "5s": 5, "10s": 10}


@click.command("sandbox")
@click.option(
    "--minute",
    type=click.Choice(list(MINUTES)),
    default="5s",
    show_default=True,
    help="How long a CloudWatch minute lasts; write it as metrics: {period: …, lag: 2 periods} in the rollout file.",
)
@click.option("--empty", is_flag=True, help="Start without any service, load balancer or cluster.")
@click.option(
    "--load",
    "rate",
    type=click.FloatRange(0, 2000),
    default=0.0,
    metavar="RATE",
    help="Requests a second that users send to the service. Gates judge users' requests. Default: none.",
)
@click.option(
    "--test-listener",
    is_flag=True,
    help="Add a listener that users do not use: a probe reaches green through it before they do.",
)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="The API's port. Default: a free one.")
@json_option
def sandbox_command(
    minute: str, empty: bool, rate: float, test_listener: bool, port: int, as_json: bool
) -> None:
    """Run an AWS on this machine until Ctrl-C or SIGTERM: the APIs that Teal uses, and a service with real traffic.

    It listens on loopback only, needs no account, and leaves nothing behind. With --json it prints one line when
    it is ready: endpoint, region, environment to set, cluster, service, listener URLs, rule and target group ARNs.
    """
    from sandbox.sandbox import Sandbox, run_until_signal

    if empty and rate:
        raise click.UsageError("--empty has no service that --load could be sent to")
    if empty and test_listener:
        raise click.UsageError("--empty has no service that --test-listener could lead to")

    sandbox = Sandbox(
        minute=timedelta(seconds=MINUTES[minute]), empty=empty, port=port, test_listener=test_listener
    )

    def ready(about: dict[str, object]) -> None:
        if as_json:
            emit(about)
        else:
            click.echo(_words(about, minute, rate))

    asyncio.run(run_until_signal(sandbox, ready, rate=rate))


def _words(about: dict[str, object], minute: str, rate: float) -> str:
    environment = about["environment"]
    assert isinstance(environment, dict)
    lines = [
        f"An AWS is ready at {about['endpoint']}; one CloudWatch minute lasts {minute}. Ctrl-C stops it.",
        "",
        "In another terminal:",
        "",
        *(f"    export {name}={value}" for name, value in environment.items()),
    ]
    if "service" not in about:
        return "\n".join([*lines, "", "It is empty: make what you need with any AWS client."])
    urls, revisions = about["listeners"], about["task_definitions"]
    assert isinstance(urls, list)
    assert isinstance(revisions, dict)
    name = f"{about['cluster']}/{about['service']}"
    return "\n".join(
        [
            *lines,
            "",
            f"{name} runs {revisions['blue']} and answers at {urls[0]}; {revisions['good']} is a good revision of it,",
            f"{revisions['bad']} fails some of its requests. Write rollout.yaml:",
            "",
            f"    service: {name}",
            f"    revision: {{task_definition: {revisions['good']}}}",
            "    plan: [{weight: 10, bake: 15s}, {weight: 50, bake: 15s}, {weight: 100, bake: 30s}]",
            f"    metrics: {{period: {minute}, lag: 2 periods}}",
            "",
            *_probe_words(about),
            "and roll it out:",
            "",
            "    teal preflight -f rollout.yaml",
            "    teal deploy -f rollout.yaml",
            "",
            f"Its users send {rate:g} requests a second."
            if rate
            else f"Gates judge users' requests: start with --load 50, or send requests to {urls[0]} yourself.",
        ]
    )


def _probe_words(about: dict[str, object]) -> list[str]:
    """How green is probed through the test listener, where there is one."""
    rules, url = about.get("test_rules"), about.get("test_listener")
    if not isinstance(rules, list):
        return []
    return [
        "To have green probed before users reach it, add to it:",
        "",
        f'    traffic: {{test_rules: ["{rules[0]}"]}}',
        f'    gates: {{probe: {{url: "{str(url).rstrip("/")}"}}}}',
        "",
        "and let Teal send requests to this machine, by a settings file that TEAL_SETTINGS names:",
        "",
        "    hosts: {private: [127.0.0.1]}",
        "",
    ]
