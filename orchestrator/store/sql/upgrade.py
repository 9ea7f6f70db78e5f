"""Bringing a database to the tables of this version, by the migrations that ship with it."""

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from orchestrator.store.errors import Unusable
from orchestrator.store.migrations import HEAD

MIGRATIONS = Path(__file__).parents[1] / "migrations"


def upgrade(connection: Connection, is_used: Callable[[], bool]) -> None:
    """Run the migrations that are missing, inside the connection's transaction: all of them or none.

    The transaction must lock out other writers, so that of two processes which open a file together one migrates and
    the other finds it done. Raises Unusable if the database was made by a newer version, or by an older one of which an
    engine still works on it (`is_used`): its tables are not changed under it.
    """
    current = revision(connection)
    if current == HEAD:
        return  # without Alembic, whose import costs more than a short command's whole work
    if current is not None and is_used():
        raise Unusable(
            what="the store is of another version of Teal, and an engine works on it",
            why=f"its tables are at {current}, this version's are at {HEAD}",
            next_step="Use the engine's version, or end it (`teal serve`, `teal deploy`) and run `teal migrate`.",
        )

    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if current is not None and current not in known:
        raise Unusable(
            what="the store was made by a newer version of Teal",
            why=f"its tables are at {current}, this version knows them up to {HEAD}",
            next_step="Use that version or a newer one.",
        )
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    _require_whole(connection)


def _require_whole(connection: Connection) -> None:
    """Raise Unusable if a row refers to one that is not there: SQLite does not look while tables are changed."""
    if connection.dialect.name != "sqlite":
        return
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken is not None:
        raise Unusable(
            what="the store cannot be brought to this version of Teal",
            why=f"its table {broken[0]} refers to rows of {broken[2]} that are not there",
            next_step="Nothing was changed. Restore the store from a backup.",
        )


def revision(connection: Connection) -> str | None:
    """The newest migration a database has seen; None: it is empty."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found
