"""Lists out: the four registration lists of plan 152/KH-UBND, and how far each unit is in five separate states."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

from sqlalchemy import RowMapping

from common.db import Tx

__all__ = ["counters", "four_lists", "withheld"]

_LISTED: Final = """
FROM payout_method m JOIN beneficiary b USING (beneficiary_id) JOIN account a USING (account_id)
LEFT JOIN representative r ON m.payee_kind <> 'SELF' AND r.beneficiary_id = m.beneficiary_id AND r.representative_id = m.payee_id
WHERE m.method = 'ACCOUNT' AND (b.unit_path = :unit OR b.unit_path LIKE :below) AND :programme = ANY(b.programmes)
  AND (m.payee_kind = 'SELF') = :own AND b.status = 'ACTIVE'
"""

# One row a person and unit; a person counts in each column whose own condition holds, whatever the other columns say.
_COUNTERS: Final = """
SELECT b.unit_code, b.unit_path, count(*) AS people,
       count(*) FILTER (WHERE p.preference IN ('WANTS_ACCOUNT', 'DECLINES', 'FORCE_MAJEURE')
                        OR EXISTS (SELECT FROM account a WHERE a.via_beneficiary_id = b.beneficiary_id)) AS collected,
       count(*) FILTER (WHERE p.preference = 'WANTS_ACCOUNT') AS wanting,
       count(*) FILTER (WHERE EXISTS (SELECT FROM opening_request o WHERE o.beneficiary_id = b.beneficiary_id AND o.status = 'OPENED')
                        OR EXISTS (SELECT FROM account a WHERE a.via_beneficiary_id = b.beneficiary_id AND a.checked_on IS NOT NULL
                                   AND a.status <> 'CLOSED' AND a.reason IS DISTINCT FROM 'NOT_FOUND')) AS opened,
       count(*) FILTER (WHERE m.method = 'ACCOUNT') AS registered,
       count(*) FILTER (WHERE m.method = 'ACCOUNT' AND EXISTS (SELECT FROM account a WHERE a.account_id = m.account_id
                        AND a.status = 'ACTIVE')) AS verified,
       count(*) FILTER (WHERE EXISTS (SELECT FROM paid_by_account q WHERE q.beneficiary_id = b.beneficiary_id AND q.paid
                        AND (CAST(:month AS text) IS NULL OR q.month = :month))) AS paid
FROM beneficiary b LEFT JOIN preference p USING (beneficiary_id) LEFT JOIN payout_method m USING (beneficiary_id)
WHERE b.status = 'ACTIVE' AND (b.unit_path = :unit OR b.unit_path LIKE :below)
GROUP BY b.unit_code, b.unit_path ORDER BY b.unit_path
"""


async def four_lists(tx: Tx, *, unit: str, programme: str, own: bool, with_vneid: bool) -> AsyncIterator[RowMapping]:
    """One of the four lists, streamed in the order of units and file codes."""
    async for row in tx.stream(
        "SELECT b.file_code, b.full_name, r.full_name AS payee_name, a.provider_code, a.number_cipher, a.masked_number, a.holder_name,"
        f" a.status, b.unit_code {_LISTED} AND (:with_vneid OR a.source <> 'VNEID')"
        ' ORDER BY b.unit_path COLLATE "C", b.file_code COLLATE "C", b.beneficiary_id',
        unit=unit,
        below=unit + "/%",
        programme=programme,
        own=own,
        with_vneid=with_vneid,
    ):
        yield row


async def withheld(tx: Tx, *, unit: str, programme: str, own: bool) -> int:
    """How many rows of a list are left out because their account data came from VNeID."""
    return int(
        await tx.value(f"SELECT count(*) {_LISTED} AND a.source = 'VNEID'", unit=unit, below=unit + "/%", programme=programme, own=own)
    )


async def counters(tx: Tx, *, unit: str, month: str | None) -> Sequence[RowMapping]:
    """Per unit below (and including) a unit: people collected, opened, registered, verified and paid, each counted by itself."""
    params: dict[str, Any] = {"unit": unit, "below": unit + "/%", "month": month}
    return await tx.rows(_COUNTERS, **params)
