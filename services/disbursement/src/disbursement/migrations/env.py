"""Alembic's entry: the shared runner does the work."""

from common.migrate import run_env

run_env()
