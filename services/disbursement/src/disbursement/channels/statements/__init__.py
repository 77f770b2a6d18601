"""Partners' statements: one reader per form, one shape for all."""

from __future__ import annotations

from disbursement.channels.statements.protocol import Statement
from disbursement.channels.statements.sheet import read_sheet

__all__ = ["read_statement"]


def read_statement(content: bytes, file_name: str) -> Statement:
    """Read a statement in any form we know. Raises StatementUnreadable."""
    return read_sheet(content, file_name)
