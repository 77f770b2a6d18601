"""What decisions in force will owe stands among the sums: what the register last told of each person, and its changes by year.

The figures of a database that already has some are made by the job that the migration 0016 told of; until it is done no estimate is made.
"""

from __future__ import annotations

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_PARENT = "left(unit_path, length(unit_path) - strpos(reverse(unit_path), '/'))"
_AGAIN = """
    INSERT INTO job (id, kind, requested_by, business_date)
    SELECT gen_random_uuid(), 'rebuild_after_upgrade', 'reporting', CURRENT_DATE
    WHERE EXISTS (SELECT FROM event_log)
      AND NOT EXISTS (SELECT FROM job WHERE kind = 'rebuild_after_upgrade' AND state = 'QUEUED')
"""


def _sums(table: str) -> str:
    return f"""
        CREATE TABLE {table} (
            month date NOT NULL,
            unit_path text COLLATE "C" NOT NULL,
            programme text NOT NULL,
            measure text NOT NULL,
            people bigint NOT NULL,
            lines bigint NOT NULL,
            dong bigint NOT NULL,
            PRIMARY KEY (unit_path, month, programme, measure)
        ) WITH (fillfactor = 60);
    """


def upgrade() -> None:
    op.execute(f"""
        CREATE TABLE dues (
            beneficiary_id uuid PRIMARY KEY,
            version bigint NOT NULL,
            unit_path text COLLATE "C" NOT NULL,
            lines jsonb NOT NULL
        );
        {_sums("owed_change")}
        {_sums("owed_above")}
        CREATE INDEX owed_change_by_parent ON owed_change (({_PARENT}), unit_path);
        INSERT INTO read_model VALUES ('dues', 21), ('owed_change', 22), ('owed_above', 23);
        {_AGAIN}
    """)


def downgrade() -> None:
    op.execute("""
        DELETE FROM read_model WHERE name IN ('dues', 'owed_change', 'owed_above');
        DROP TABLE dues;
        DROP TABLE owed_change;
        DROP TABLE owed_above;
        DROP TABLE IF EXISTS rebuild_dues;
        DROP TABLE IF EXISTS rebuild_owed_change;
        DROP TABLE IF EXISTS rebuild_owed_above
    """)
