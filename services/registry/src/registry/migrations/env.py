"""Alembic environment of the registry."""

from common.migrate import run_env

run_env()
