"""One household, or one person, is in one group of a set on any day: the schema itself refuses a second."""

from __future__ import annotations

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

# Where two stood, the one that began later was listed later: it holds from its day. The change is in the record's history as any other.
_MEND = """
UPDATE group_membership m SET to_date = x.next - 1
FROM (SELECT m.membership_id, min(n.from_date) AS next FROM group_membership m
      JOIN group_membership n ON n.set_key = m.set_key AND n.from_date > m.from_date
       AND (n.household_id = m.household_id OR n.person_id = m.person_id) GROUP BY m.membership_id) x
WHERE m.membership_id = x.membership_id AND coalesce(m.to_date, 'infinity') >= x.next
"""


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    op.execute("ALTER TABLE group_membership ADD COLUMN set_key text; ALTER TABLE group_membership DISABLE TRIGGER USER")
    # '=' stands in no group's code: a set and a group of the same name are two things.
    op.execute(
        "UPDATE group_membership m SET set_key = coalesce('=' || g.exclusive_set, g.code) FROM beneficiary_group g"
        " WHERE g.code = m.group_code; ALTER TABLE group_membership ENABLE TRIGGER USER"
    )
    op.execute(_MEND)
    op.execute(
        "CREATE FUNCTION set_of_group() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " SELECT coalesce('=' || exclusive_set, code) INTO NEW.set_key FROM beneficiary_group WHERE code = NEW.group_code; RETURN NEW;"
        " END $$;"
        "CREATE TRIGGER set_of_group BEFORE INSERT OR UPDATE OF group_code ON group_membership FOR EACH ROW EXECUTE FUNCTION set_of_group()"
    )
    for subject in ("household_id", "person_id"):
        op.execute(
            f"ALTER TABLE group_membership ADD CONSTRAINT group_membership_one_of_set_{subject.removesuffix('_id')} EXCLUDE USING gist"
            f" ({subject} WITH =, set_key WITH =, daterange(from_date, to_date, '[]') WITH &&) WHERE ({subject} IS NOT NULL)"
        )
    op.execute("ALTER TABLE group_membership ALTER COLUMN set_key SET NOT NULL")
    op.execute("DROP INDEX group_membership_household_once, group_membership_person_once")


def downgrade() -> None:
    for subject in ("household", "person"):
        op.execute(
            f"CREATE UNIQUE INDEX group_membership_{subject}_once ON group_membership ({subject}_id, group_code)"
            f" WHERE {subject}_id IS NOT NULL AND to_date IS NULL"
        )
    op.execute(
        "ALTER TABLE group_membership DROP CONSTRAINT group_membership_one_of_set_household,"
        " DROP CONSTRAINT group_membership_one_of_set_person; DROP TRIGGER set_of_group ON group_membership;"
        " DROP FUNCTION set_of_group(); ALTER TABLE group_membership DROP COLUMN set_key; DROP EXTENSION btree_gist"
    )
