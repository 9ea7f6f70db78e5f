"""Opens what a command that only shows something reads: a server, or the store on this machine."""

from api.cli.backend.backend import Shows
from api.cli.backend.profiles import target


def open_shows() -> Shows:
    """The server that a profile or TEAL_SERVER names, else the store. Raises Invalid if it cannot be."""
    there = target()
    if there.server:
        from api.cli.backend.server_reads import ServerReads

        return ServerReads(there.server, token=there.token, origin=there.origin)
    from api.cli.backend.store_reads import StoreReads

    return StoreReads()
