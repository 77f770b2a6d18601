"""The catalogue of categories as officers read it: what there is, what it pays in which months, by which law."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from common.db import Tx

__all__ = ["categories", "rates"]

_CATEGORIES: Final = """
SELECT c.code, c.programme, c.funding_source, c.benefit_line, c.name_vi, c.name_en, c.needs_percent, c.per_dependant, c.per_quantity,
       c.frequency, c.min_age_months, c.legal_basis, c.start_basis,
       CASE WHEN w.category IS NULL THEN c.applies_from ELSE w.applies_from END AS applies_from,
       CASE WHEN w.category IS NULL THEN c.applies_to ELSE w.applies_to END AS applies_to
FROM benefit_category c
LEFT JOIN LATERAL (
    SELECT t.* FROM category_term t WHERE t.category = c.code AND law_counts(t.change_id, NULL) AND t.known_from <= :on
    ORDER BY t.known_from DESC, t.row_id DESC LIMIT 1
) w ON true
WHERE law_counts(c.change_id, NULL) AND (CAST(:programme AS text) IS NULL OR c.programme = :programme)
ORDER BY c.programme, c.code
"""


async def categories(tx: Tx, on: date, programme: str | None) -> Sequence[Any]:
    """Categories of the law as known on a day; those of a draft are none yet."""
    return await tx.rows(_CATEGORIES, on=on, programme=programme)


async def rates(tx: Tx, on: date) -> Sequence[Any]:
    """What each category pays in which months, as known on a day; months without a loaded rate are left out."""
    return await tx.rows(
        "SELECT category, percent, from_month, nullif(until, 'infinity') AS until, amount, basis FROM rate_piece(:on)"
        " WHERE amount IS NOT NULL ORDER BY category, percent, from_month",
        on=on,
    )
