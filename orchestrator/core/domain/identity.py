"""One person is one identity, however an issuer, Slack, a token, a rollout file or the settings spell the name.

The only place where names are made comparable: kept and shown is what was written, compared is the identity.
"""

from unicodedata import normalize


def identity_of(name: str) -> str:
    """What a name is compared by: trimmed, without case, in Unicode's composed form.

    Source: The Unicode Standard, section 3.13, D145 (canonical caseless matching).
    """
    return normalize("NFC", normalize("NFD", name.strip()).casefold())
