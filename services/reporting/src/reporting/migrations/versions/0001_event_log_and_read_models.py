"""Event log, read models, and the two operations that need DDL (new partitions, rebuild and swap)."""

from __future__ import annotations

from importlib.resources import files

from alembic import op

from common.schema import append_only, mechanism_migration

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

READ_MODELS = (
    "unit", "beneficiary", "preference", "verification", "account", "payout_method", "cycle", "payment", "hold", "recovery",
)  # fmt: skip
MECHANISMS = ("outbox", "inbox", "parked_event", "consumer_position", "audit_log", "idempotency_key", "job")


def upgrade() -> None:
    mechanism_migration(op)
    folder = files("reporting") / "migrations" / "sql"
    for name in ("0001_event_log.sql", "0001_read_models.sql", "0001_rebuild.sql"):
        op.execute((folder / name).read_text(encoding="utf-8"))
    append_only(op, "event_log")


def downgrade() -> None:
    op.execute("DROP FUNCTION rebuild_swap(bigint); DROP FUNCTION rebuild_begin(); DROP FUNCTION event_log_extend(integer)")
    for table in (*READ_MODELS, *(f"rebuild_{name}" for name in READ_MODELS), "read_model", "event_log", *MECHANISMS):
        op.execute(f"DROP TABLE IF EXISTS {table}")
    op.execute("DROP SEQUENCE event_log_seq")
