"""Published figures; what was said of one person's entitlements and dues is found by the person."""

from __future__ import annotations

from importlib.resources import files

from alembic import op

from common.schema import append_only

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute((files("reporting") / "migrations" / "sql" / "public_reports.sql").read_text(encoding="utf-8"))
    append_only(op, "public_report")
    # Payments are found by their own index; of the log only what has no read model is looked up by person.
    op.execute(
        "CREATE INDEX event_log_said_of ON event_log (key, type) WHERE type IN ('DuesChanged', 'EntitlementGranted', 'EntitlementChanged',"
        " 'EntitlementSuspended', 'EntitlementResumed', 'EntitlementEnded')"
    )


def downgrade() -> None:
    op.execute("DROP INDEX event_log_said_of")
    op.execute("DROP TABLE public_report")
