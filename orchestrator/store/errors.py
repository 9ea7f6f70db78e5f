"""What the store itself can fail with, beyond the errors its port promises."""

from orchestrator.core.domain.errors import TealError


class Unusable(TealError):
    """The store's file or one of its rows cannot be used as it is; nothing was changed."""

    code = "store-unusable"
