"""Migrations: alembic run from code, one version folder per service, under limits that a live system bears."""

from __future__ import annotations

from importlib.resources import files

from alembic import command, context
from alembic.config import Config
from sqlalchemy import create_engine, make_url, pool, text

from common.settings import MechanismSettings

__all__ = ["config_of", "downgrade", "run_env", "upgrade"]

_LOCK: int = 7_203_411  # one migration at a time in a database


def config_of(settings: MechanismSettings, package: str) -> Config:
    """The alembic configuration of a service: its `migrations` folder, its owner's URL, its application role."""
    config = Config()
    config.set_main_option("script_location", str(files(package) / "migrations"))
    config.attributes["url"] = settings.owner_database_url or settings.database_url
    config.attributes["app_role"] = make_url(settings.database_url).username
    return config


def upgrade(settings: MechanismSettings, package: str, revision: str = "head") -> None:
    """Bring a service's database to a revision."""
    command.upgrade(config_of(settings, package), revision)


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
        connection.execute(text("SET lock_timeout = '4s'"))
        connection.execute(text(f'GRANT USAGE ON SCHEMA public TO "{role}"'))
        for what in ("SELECT, INSERT, UPDATE, DELETE ON TABLES", "USAGE, SELECT ON SEQUENCES", "EXECUTE ON FUNCTIONS"):
            connection.execute(text(f'ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT {what} TO "{role}"'))
        connection.commit()
        context.configure(connection=connection, target_metadata=None, transaction_per_migration=True)
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()
