"""Actions that come before the forward: who may come in at all, and the one secret that is never shown again.

Sources: "Authenticate users using an Application Load Balancer", "Verify JWTs using an Application Load Balancer", and
the ELBv2 API reference of AuthenticateOidcActionConfig, AuthenticateCognitoActionConfig and JwtValidationActionConfig.
"""

from sandbox.world.kernel.errors import AwsRefusal, Json
from sandbox.world.kernel.operation import only

KINDS = ("authenticate-oidc", "authenticate-cognito", "jwt-validation")
_DEFAULTS: Json = {
    "SessionCookieName": "AWSELBAuthSessionCookie",
    "Scope": "openid",
    "SessionTimeout": 604800,
    "OnUnauthenticatedRequest": "authenticate",
}
_OIDC = ("Issuer", "AuthorizationEndpoint", "TokenEndpoint", "UserInfoEndpoint", "ClientId")
_COGNITO = ("UserPoolArn", "UserPoolClientId", "UserPoolDomain")
_JWT = ("JwksEndpoint", "Issuer")


def shown(action: Json, *, is_secure: bool) -> Json:
    """The action as DescribeRules shows it, without its secret. Raises AwsRefusal for what AWS refuses."""
    kind = action["Type"]
    if not is_secure:
        raise AwsRefusal(
            "InvalidLoadBalancerAction", f"Actions of type '{kind}' are supported only on HTTPS listeners"
        )
    match kind:
        case "authenticate-oidc":
            own = (*_DEFAULTS, "AuthenticationRequestExtraParams")
            hidden = ("ClientSecret", "UseExistingClientSecret")
            config = _config(action, "AuthenticateOidcConfig", _OIDC, (*own, *hidden))
            return {"AuthenticateOidcConfig": _DEFAULTS | _without(config, hidden)}
        case "authenticate-cognito":
            own = (*_DEFAULTS, "AuthenticationRequestExtraParams")
            config = _config(action, "AuthenticateCognitoConfig", _COGNITO, own)
            return {"AuthenticateCognitoConfig": _DEFAULTS | config}
        case _:
            return {
                "JwtValidationConfig": _config(action, "JwtValidationConfig", _JWT, ("AdditionalClaims",))
            }


def secret_after(actions: list[Json], *, former: str | None) -> str | None:
    """The client secret that a rule holds after a write; `former`: before it, None where it had none.

    Raises AwsRefusal where the write neither brings one nor says to keep the one that is there.
    """
    config = next((a.get("AuthenticateOidcConfig") or {} for a in actions if a["Type"] == KINDS[0]), None)
    if config is None:
        return None
    given, keeps = config.get("ClientSecret"), config.get("UseExistingClientSecret", False)
    if given and keeps:
        raise AwsRefusal(
            "InvalidLoadBalancerAction",
            "A client secret cannot be given together with UseExistingClientSecret",
        )
    if given:
        return str(given)
    if not keeps or former is None:
        raise AwsRefusal("InvalidLoadBalancerAction", "A client secret must be specified")
    return former


def _config(action: Json, name: str, needed: tuple[str, ...], optional: tuple[str, ...]) -> Json:
    only(action, ("Type", "Order", name), f"{action['Type']} action")
    config: Json = action.get(name) or {}
    missing = [member for member in needed if not config.get(member)]
    if missing:
        raise AwsRefusal("ValidationError", f"{name} needs {', '.join(missing)}")
    only(config, (*needed, *optional), name)
    return dict(config)


def _without(config: Json, hidden: tuple[str, ...]) -> Json:
    return {name: value for name, value in config.items() if name not in hidden}
