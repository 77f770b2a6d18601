"""Deterministic payment references: the partner's idempotency key, at most 35 characters of [A-Z0-9] (ISO 20022 EndToEndId).

A reference is the list line's 32 hexadecimal digits and the attempt in three digits: the same line and attempt always
give the same reference, whichever worker asks, and no two lines share one.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

__all__ = ["MAX_ATTEMPTS", "batch_reference", "batch_reference_sql", "payment_reference", "payment_reference_sql", "transfer_text"]

MAX_ATTEMPTS: Final = 999


def payment_reference(line_id: UUID, attempt: int) -> str:
    """The reference of one attempt to pay one list line: 35 characters. Raises ValueError for an attempt outside 1…999."""
    if not 1 <= attempt <= MAX_ATTEMPTS:
        raise ValueError(f"attempt {attempt} is outside 1…{MAX_ATTEMPTS}")
    return f"{line_id.hex.upper()}{attempt:03d}"


def payment_reference_sql(line_id: str, attempt: str) -> str:
    """The rule of :func:`payment_reference` as an SQL expression over two expressions."""
    return f"upper(replace(({line_id})::text, '-', '')) || lpad(({attempt})::text, 3, '0')"


def batch_reference(batch_id: UUID) -> str:
    """The reference of one batch: `B` and the batch id's digits, 33 characters."""
    return f"B{batch_id.hex.upper()}"


def batch_reference_sql(batch_id: str) -> str:
    """The rule of :func:`batch_reference` as an SQL expression."""
    return f"'B' || upper(replace(({batch_id})::text, '-', ''))"


def transfer_text(month: str) -> str:
    """The text a payee sees, at most 25 unaccented characters and without any programme or health fact. `month` is YYYY-MM."""
    year, number = month.split("-")
    return f"AN SINH THANG {number}/{year}"
