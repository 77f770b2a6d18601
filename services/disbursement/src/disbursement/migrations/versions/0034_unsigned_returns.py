"""That money came back, said by a statement which nobody signed, is a difference that two people end."""

from __future__ import annotations

from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None
contract = "two lists of allowed words are made longer; nothing that is written today is refused"

_LINES = "'MATCHED', 'REVERSED', 'EXTRA', 'AMOUNT_DIFFERS', 'DUPLICATE', 'STATUS_DIFFERS'"
_BREAKS = "'MISSING', 'EXTRA', 'AMOUNT_DIFFERS', 'DUPLICATE', 'STATUS_DIFFERS'"


def _words(lines: str, breaks: str) -> None:
    op.execute(
        f"""
        ALTER TABLE statement_line DROP CONSTRAINT statement_line_verdict_check,
            ADD CONSTRAINT statement_line_verdict_check CHECK (verdict IN ({lines}));
        ALTER TABLE reconciliation_break DROP CONSTRAINT reconciliation_break_kind_check,
            ADD CONSTRAINT reconciliation_break_kind_check CHECK (kind IN ({breaks}))
        """
    )


def upgrade() -> None:
    """Allow the new word."""
    _words(f"{_LINES}, 'RETURN_UNCONFIRMED'", f"{_BREAKS}, 'RETURN_UNCONFIRMED'")


def downgrade() -> None:
    """The release before knows such lines as extra."""
    op.execute("UPDATE statement_line SET verdict = 'EXTRA' WHERE verdict = 'RETURN_UNCONFIRMED'")
    op.execute("UPDATE reconciliation_break SET kind = 'EXTRA' WHERE kind = 'RETURN_UNCONFIRMED'")
    _words(_LINES, _BREAKS)
