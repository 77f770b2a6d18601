"""What people object to of an account, what the police said of it, what must be said again; the latest day known."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE account
            ADD COLUMN objection text CHECK (objection IN ('REVIEWED', 'POLICE_DIFFERS')),
            ADD COLUMN police_answer text CHECK (police_answer IN ('match', 'mismatch')),
            ADD COLUMN police_on date,
            ADD COLUMN say_again boolean NOT NULL DEFAULT false;
        COMMENT ON COLUMN account.objection IS 'Why people or the police said no: the provider''s yes alone does not make it usable again';
        COMMENT ON COLUMN account.say_again IS 'What the event says besides the state has changed: a setting, the partner';
        CREATE INDEX account_say_again ON account (account_id) WHERE say_again;
        UPDATE account SET objection = 'REVIEWED' WHERE status = 'REJECTED' AND reason = 'REVIEWED';
        CREATE INDEX beneficiary_business_date ON beneficiary (business_date);
        """
    )


def downgrade() -> None:
    op.execute("DROP INDEX beneficiary_business_date")
    op.execute("ALTER TABLE account DROP COLUMN objection, DROP COLUMN police_answer, DROP COLUMN police_on, DROP COLUMN say_again")
