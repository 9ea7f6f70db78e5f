"""Whether a read of a rule shows the client secret of its OIDC action."""

from orchestrator.verify.beliefs.belief import MEMORY, Belief, Need, Seen, judged, not_asked, refused
from orchestrator.verify.journal import Made
from orchestrator.verify.means import Refusal
from orchestrator.verify.place import template
from orchestrator.verify.scene import Scene

PORT = 8443
OIDC = {
    "Issuer": "https://idp.example",
    "AuthorizationEndpoint": "https://idp.example/a",
    "TokenEndpoint": "https://idp.example/t",
    "UserInfoEndpoint": "https://idp.example/u",
    "ClientId": "teal-verify",
}


async def ask(scene: Scene) -> Seen:
    """Make an HTTPS listener whose default action authenticates, and read it."""
    if not scene.wanted.certificate:
        return not_asked("no certificate was named: `--certificate ARN`")
    if scene.wanted.listener:
        return not_asked("the load balancer is yours, and it takes a listener more")
    login = {"Type": "authenticate-oidc", "Order": 1}
    nothing = {"Type": "fixed-response", "Order": 2, "FixedResponseConfig": {"StatusCode": "404"}}
    params = template.listener(scene.wanted, scene.place.load_balancer) | {
        "Protocol": "HTTPS",
        "Port": PORT,
        "Certificates": [{"CertificateArn": scene.wanted.certificate}],
        "DefaultActions": [
            login | {"AuthenticateOidcConfig": OIDC | {"ClientSecret": "not-a-secret"}},
            nothing,
        ],
    }
    made = Made(kind="listener", name=f"{scene.wanted.name}-https", within=scene.place.load_balancer)
    try:
        async with scene.a(made, ("elbv2", "CreateListener", params), "Listeners", 0, "ListenerArn") as arn:
            shown = await scene.calls("elbv2", "DescribeListeners", ListenerArns=[arn])
            is_shown = "not-a-secret" in str(shown)
            again = await _written_back(scene, arn, [login | {"AuthenticateOidcConfig": OIDC}, nothing])
    except Refusal as refusal:
        return refused(refusal)
    words = (
        f"the secret is {'shown' if is_shown else 'not shown'}; written back without it: {again or 'taken'}"
    )
    return judged(not is_shown and bool(again), words, is_shown=is_shown, written_back=again or "taken")


async def _written_back(scene: Scene, listener: str, actions: list[dict[str, object]]) -> str:
    """The code by which a write without the secret is refused; empty: it was taken."""
    try:
        await scene.calls("elbv2", "ModifyListener", ListenerArn=listener, DefaultActions=actions)
    except Refusal as refusal:
        return refusal.code
    return ""


CLIENT_SECRET = Belief(
    name="client-secret",
    believes="A read never shows the client secret of an OIDC action, and a write that neither has it nor says "
    "to keep it is refused.",
    asked_by="CreateListener with an OIDC action on a listener of a moment, DescribeListeners, and ModifyListener.",
    rests_on=MEMORY,
    if_wrong="Teal always says to keep the secret that is there and never writes one, so no login breaks. A secret "
    "that a read showed would stand in the rollout's row and in its report: keep both as secrets then.",
    ask=ask,
    needs=frozenset({Need.THROW_AWAY, Need.BALANCER}),
    actions=("elasticloadbalancing:ModifyListener",),
)
