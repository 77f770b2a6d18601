"""Sums of the units above, so that a province is read without its communes; and what a new measure needs: the sums made again.

The figures of a database that already has some are made again by a job of its own (`rebuild_after_upgrade`), which the release before
does not know and so cannot take. Until it is done the units above are added up from the sums that are there.
"""

from __future__ import annotations

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_PARENT = "left(unit_path, length(unit_path) - strpos(reverse(unit_path), '/'))"
_ABOVE = (
    "CROSS JOIN LATERAL generate_series(2, length(b.unit_path)) AS slash WHERE substr(b.unit_path, slash, 1) = '/'"
    " GROUP BY month, left(b.unit_path, slash - 1), programme, measure"
)


def upgrade() -> None:
    op.execute(f"""
        CREATE TABLE month_sum_above (
            month date NOT NULL,
            unit_path text COLLATE "C" NOT NULL,
            programme text NOT NULL,
            measure text NOT NULL,
            people bigint NOT NULL,
            lines bigint NOT NULL,
            dong bigint NOT NULL,
            payments bigint NOT NULL,
            PRIMARY KEY (unit_path, month, programme, measure)
        ) WITH (fillfactor = 60);
        CREATE TABLE standing_above (
            month date NOT NULL,
            unit_path text COLLATE "C" NOT NULL,
            programme text NOT NULL,
            measure text NOT NULL,
            people bigint NOT NULL,
            PRIMARY KEY (unit_path, month, programme, measure)
        ) WITH (fillfactor = 60);
        CREATE INDEX month_sum_by_parent ON month_sum (({_PARENT}), month, unit_path);
        CREATE INDEX standing_change_by_parent ON standing_change (({_PARENT}), unit_path);
        CREATE INDEX month_sum_due ON month_sum (month, unit_path) WHERE measure = 'due' AND programme = '*';
        INSERT INTO read_model VALUES ('month_sum_above', 19), ('standing_above', 20);
        INSERT INTO month_sum_above (month, unit_path, programme, measure, people, lines, dong, payments)
        SELECT month, left(b.unit_path, slash - 1), programme, measure, sum(people), sum(lines), sum(dong), sum(payments)
        FROM month_sum AS b {_ABOVE};
        INSERT INTO standing_above (month, unit_path, programme, measure, people)
        SELECT month, left(b.unit_path, slash - 1), programme, measure, sum(people) FROM standing_change AS b {_ABOVE};
        INSERT INTO job (id, kind, requested_by, business_date)
        SELECT gen_random_uuid(), 'rebuild_after_upgrade', 'reporting', CURRENT_DATE WHERE EXISTS (SELECT FROM month_sum)
    """)


def downgrade() -> None:
    op.execute("""
        DELETE FROM job WHERE kind = 'rebuild_after_upgrade';
        DELETE FROM read_model WHERE name IN ('month_sum_above', 'standing_above');
        DROP INDEX month_sum_by_parent;
        DROP INDEX standing_change_by_parent;
        DROP INDEX month_sum_due;
        DROP TABLE month_sum_above;
        DROP TABLE standing_above;
        DROP TABLE IF EXISTS rebuild_month_sum_above;
        DROP TABLE IF EXISTS rebuild_standing_above
    """)
