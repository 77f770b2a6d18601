"""How people stand by month, and the sums of lists and people that the indicators are read from."""

from __future__ import annotations

from importlib.resources import files

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

READ_MODELS = (
    "month_sum", "standing_change", "beneficiary_month", "preference_month", "verification_month", "payout_method_month", "account_month",
    "opening_month",
)  # fmt: skip


def upgrade() -> None:
    op.execute((files("reporting") / "migrations" / "sql" / "indicators.sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    for name in READ_MODELS:
        op.execute(f"DROP TABLE IF EXISTS {name}, rebuild_{name}")
        op.execute(f"DELETE FROM read_model WHERE name = '{name}'")
    op.execute("UPDATE read_model SET lock_order = 10 WHERE name = 'unit'")
    for name in ("payment", "hold"):
        op.execute(f"ALTER TABLE {name} DROP COLUMN benefit_lines")
        op.execute(f"DROP INDEX {name}_by_person")
        op.execute(f"CREATE INDEX {name}_by_person ON {name} (beneficiary_id, cycle_id)")
