"""An OpenID Connect issuer on loopback, with real keys that it can rotate, withdraw and forge with."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from joserfc import jws, jwt
from joserfc.jwk import ECKey, Key, KeyParameters, OKPKey, RSAKey

AUDIENCE = "teal"


class FakeIssuer:
    """Answers discovery and keys as it is told to. ``asked`` is every path that was asked for, in order."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked: list[str] = []
        self.is_away = False
        self.keys: list[Key] = [self.new_key("k1")]
        self.discovery: dict[str, Any] = {"issuer": url, "jwks_uri": f"{url}/keys"}
        self.answers: dict[str, tuple[int, bytes]] = {}  # path → what is answered instead

    @staticmethod
    def new_key(kid: str, alg: str = "RS256") -> Key:
        parameters: KeyParameters = {"kid": kid}
        if alg.startswith(("RS", "PS")):
            return RSAKey.generate_key(2048, parameters)
        if alg.startswith("Ed"):
            return OKPKey.generate_key("Ed25519", parameters)
        return ECKey.generate_key({"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}[alg], parameters)

    def rotate(self, kid: str) -> None:
        """Sign with a new key from now on, and publish no other."""
        self.keys = [self.new_key(kid)]

    def published(self) -> bytes:
        """The key set as it is published."""
        return json.dumps({"keys": [key.as_dict(private=False) for key in self.keys]}).encode()

    def claims(self, now: datetime, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - any claim
        """A person's claims for this server, for ten minutes. A change to None leaves a claim out."""
        at = int(now.timestamp())
        made = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": "1187",
            "email": "operator@teal.example",
            "email_verified": True,
            "groups": ["release"],
            "iat": at,
            "exp": at + 600,
            **changes,
        }
        return {name: value for name, value in made.items() if value is not None}

    def token(
        self,
        claims: dict[str, Any],
        *,
        alg: str = "RS256",
        key: Key | None = None,
        **header: Any,  # noqa: ANN401 - any member of a header
    ) -> str:
        """A signed token. A header member that is None is left out."""
        signer = key or self.keys[0]
        made = {"alg": alg, "kid": signer.get("kid"), **header}
        kept = {name: value for name, value in made.items() if value is not None}
        registry = jws.JWSRegistry(algorithms=[alg], strict_check_header=False)
        return jwt.encode(kept, claims, signer, registry=registry)

    def answer(self, path: str) -> tuple[int, bytes]:
        """What is answered at a path."""
        self.asked.append(path)
        if self.is_away:
            return 503, b"away"
        if path in self.answers:
            return self.answers[path]
        if path == "/.well-known/openid-configuration":
            return 200, json.dumps(self.discovery).encode()
        return (200, self.published()) if path == "/keys" else (404, b"")


@contextmanager
def an_issuer() -> Iterator[FakeIssuer]:
    """An issuer that answers while the context lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = issuer.answer(self.path)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            if status == 302:
                self.send_header("Location", f"{issuer.url}/keys")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        issuer = FakeIssuer(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield issuer
        finally:
            server.shutdown()
            thread.join()
