"""Partners' statements: one reader per form, one shape for all."""

from __future__ import annotations

from disbursement.channels.iso_xml import looks_like_xml
from disbursement.channels.statements.camt import read_camt
from disbursement.channels.statements.protocol import Statement
from disbursement.channels.statements.sheet import read_sheet

__all__ = ["read_statement"]


def read_statement(content: bytes, file_name: str) -> Statement:
    """Read a statement in any form we know. Raises StatementUnreadable."""
    return read_camt(content) if looks_like_xml(content) else read_sheet(content, file_name)
