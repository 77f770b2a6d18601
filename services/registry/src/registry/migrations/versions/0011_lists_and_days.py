"""Households in lists, the calendar of working days, the register's latest business date."""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TABLES = """
ALTER TABLE import_row ADD COLUMN household_code text, ADD COLUMN household_head text, ADD COLUMN household_relation text;
COMMENT ON COLUMN import_row.household_head IS 'The name of the head, folded; the name of the person where the row says so';
-- On which day the register lives is the latest business date named.
CREATE INDEX change_set_day ON change_set (business_date);
-- Days on which the week does not tell whether offices work; rows come with a release.
CREATE TABLE public_holiday (
    day date PRIMARY KEY,
    worked boolean NOT NULL,
    name_vi text NOT NULL,
    legal_basis text NOT NULL,
    CHECK (worked = (extract(isodow FROM day) >= 6))
);
COMMENT ON COLUMN public_holiday.worked IS 'A Saturday or Sunday worked for another day off; false: a day off in the week';
"""


def upgrade() -> None:
    """Add columns, index and calendar."""
    op.execute(TABLES)
    config = op.get_context().config
    if config is None:
        raise RuntimeError("run by common.migrate, which names the application role")
    role = config.attributes["app_role"]
    op.execute(f'REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON public_holiday FROM "{role}"')


def downgrade() -> None:
    """Take them away."""
    op.execute(
        "DROP TABLE public_holiday; DROP INDEX change_set_day;"
        "ALTER TABLE import_row DROP COLUMN household_code, DROP COLUMN household_head, DROP COLUMN household_relation"
    )
