"""The ledger's references are checked once a statement, not once a row: a province's list posts half a million transfers at once.

Nothing is given up. A foreign key guards two sides: that what is referred to is there when a transfer is posted (checked here
for all rows of a statement together), and that it stays (payments and journals can be neither deleted nor renumbered).
"""

from __future__ import annotations

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

# Scalar subqueries, not joins: always a look into the primary key, whatever size a cached plan was made for.
UPGRADE = """
ALTER TABLE ledger_transfer
    DROP CONSTRAINT ledger_transfer_journal_id_fkey,
    DROP CONSTRAINT ledger_transfer_payment_id_fkey;
CREATE FUNCTION ledger_refers_to_what_is_there() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM added a WHERE (SELECT j.journal_id FROM ledger_journal j WHERE j.journal_id = a.journal_id) IS NULL) THEN
        RAISE EXCEPTION 'a transfer names no journal' USING ERRCODE = 'foreign_key_violation';
    END IF;
    IF EXISTS (SELECT FROM added a WHERE a.payment_id IS NOT NULL
               AND (SELECT p.payment_id FROM payment p WHERE p.payment_id = a.payment_id) IS NULL) THEN
        RAISE EXCEPTION 'a transfer names no payment' USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER ledger_transfer_references AFTER INSERT ON ledger_transfer REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refers_to_what_is_there();
CREATE TRIGGER payment_stays BEFORE DELETE OR TRUNCATE ON payment EXECUTE FUNCTION refuse_change();
CREATE TRIGGER payment_keeps_its_id BEFORE UPDATE OF payment_id ON payment EXECUTE FUNCTION refuse_change();
"""

DOWNGRADE = """
DROP TRIGGER payment_keeps_its_id ON payment;
DROP TRIGGER payment_stays ON payment;
DROP TRIGGER ledger_transfer_references ON ledger_transfer;
DROP FUNCTION ledger_refers_to_what_is_there();
ALTER TABLE ledger_transfer
    ADD CONSTRAINT ledger_transfer_journal_id_fkey FOREIGN KEY (journal_id) REFERENCES ledger_journal,
    ADD CONSTRAINT ledger_transfer_payment_id_fkey FOREIGN KEY (payment_id) REFERENCES payment;
"""


def upgrade() -> None:
    """One check a statement; payments cannot go."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """The foreign keys again; what lies there fits them."""
    op.execute(DOWNGRADE)
