"""Statistics for fresh read models: the sums are made from them, and a planner that believes them empty takes hours."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE FUNCTION read_models_analyze(prefix text) RETURNS void
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
        DECLARE
            model text;
        BEGIN
            FOR model IN SELECT name FROM read_model ORDER BY lock_order LOOP
                EXECUTE format('ANALYZE %I', prefix || model);
            END LOOP;
        END $$
    """)


def downgrade() -> None:
    op.execute("DROP FUNCTION read_models_analyze(text)")
