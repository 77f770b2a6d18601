"""Migrations: alembic run from code, one version folder per service, under limits that a live system bears.

A revision that wants a table somebody else is using waits a second and gives up: whoever waits for a table's exclusive lock holds up
everybody who comes after, so a migration must never be the one that waits. It is tried again after a growing pause; what was done before
it stays.
"""

from __future__ import annotations

import sys
import time
from importlib.resources import files
from typing import Final

from alembic import command, context
from alembic.config import Config
from sqlalchemy import create_engine, make_url, pool, text
from sqlalchemy.exc import OperationalError

from common.locks import Lock
from common.settings import MechanismSettings

__all__ = ["config_of", "downgrade", "run_env", "upgrade"]

_LOCK: Final = int(Lock.MIGRATION)
_LOCK_WAIT: Final = "1s"
_TRIES: Final = 60
_LONGEST_PAUSE_SECONDS: Final = 10.0
_LOCK_NOT_AVAILABLE: Final = "55P03"


def config_of(settings: MechanismSettings, package: str) -> Config:
    """The alembic configuration of a service: its `migrations` folder, its owner's URL, its application role."""
    config = Config()
    config.set_main_option("script_location", str(files(package) / "migrations"))
    config.attributes["url"] = settings.owner_database_url or settings.database_url
    config.attributes["app_role"] = make_url(settings.database_url).username
    return config


def upgrade(settings: MechanismSettings, package: str, revision: str = "head") -> None:
    """Bring a service's database to a revision. Raises OperationalError when a table is not to be had for about eight minutes."""
    for attempt in range(1, _TRIES + 1):
        try:
            command.upgrade(config_of(settings, package), revision)
            return
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE or attempt == _TRIES:
                raise
            pause = min(0.5 * attempt, _LONGEST_PAUSE_SECONDS)
            sys.stderr.write(f"{package}: a table is in use; the migration gives way and tries again in {pause:.1f} s (try {attempt})\n")
            time.sleep(pause)


def downgrade(settings: MechanismSettings, package: str, revision: str) -> None:
    """Take a service's database back to a revision."""
    command.downgrade(config_of(settings, package), revision)


def run_env() -> None:
    """What each service's `migrations/env.py` calls."""
    config = context.config
    engine = create_engine(config.attributes["url"], poolclass=pool.NullPool)
    role = config.attributes["app_role"]
    with engine.connect() as connection:
        connection.execute(text(f"SELECT pg_advisory_lock({_LOCK})"))
        connection.execute(text(f"SET lock_timeout = '{_LOCK_WAIT}'"))
        connection.execute(text(f'GRANT USAGE ON SCHEMA public TO "{role}"'))
        for what in ("SELECT, INSERT, UPDATE, DELETE ON TABLES", "USAGE, SELECT ON SEQUENCES", "EXECUTE ON FUNCTIONS"):
            connection.execute(text(f'ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT {what} TO "{role}"'))
        connection.commit()
        context.configure(connection=connection, target_metadata=None, transaction_per_migration=True)
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()
