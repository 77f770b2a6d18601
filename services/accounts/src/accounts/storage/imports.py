"""Account lists and their rows: staging, finding the people they name, verdicts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

from accounts.domain.rows import CheckedRow
from accounts.storage.people import ARRIVALS_LOCK
from common.db import Tx
from common.masking import mask_account
from common.sealing import Keyring

__all__ = ["COUNTS", "find", "page", "refuse_repeats", "resolve", "rows_to_show", "stage", "staged_values", "take_retries"]

_COLUMNS: Final = (
    "import_id", "row_number", "verdict", "reason", "file_code", "beneficiary_name", "name_folded", "payee_name", "payee_key",
    "payee_folded",
    "method", "kind", "provider_code", "partner", "number_cipher", "number_blind", "masked_number", "claimed_holder", "home_reason_cipher",
)  # fmt: skip

COUNTS: Final = """
    count(r.import_id) AS rows_total,
    count(*) FILTER (WHERE r.verdict IN ('GOOD', 'APPLIED', 'UNCHANGED')) AS rows_good,
    count(*) FILTER (WHERE r.verdict = 'REFUSED') AS rows_refused,
    count(*) FILTER (WHERE r.verdict = 'WAITING') AS rows_waiting,
    count(*) FILTER (WHERE r.verdict = 'APPLIED') AS rows_applied,
    count(*) FILTER (WHERE r.verdict = 'UNCHANGED') AS rows_unchanged
"""

# A file code finds the person; the name written beside it must be that person's, else the code was mistyped and the money would
# go to a stranger. The payee is the person, or the representative of that name: letter by letter if there is one, else unaccented.
_RESOLVE: Final = """
WITH r AS (
    SELECT r.import_id, r.row_number, r.file_code, r.name_folded, r.payee_key, r.payee_folded, f.unit_path
    FROM import_row r JOIN import_file f USING (import_id)
    WHERE r.import_id = ANY(CAST(:imports AS uuid[])) AND r.verdict IN ('GOOD', 'WAITING')
), found AS (
    SELECT DISTINCT ON (r.import_id, r.row_number) r.import_id, r.row_number, r.payee_key, b.beneficiary_id,
           p.representative_id, p.kind,
           b.name_folded = r.name_folded AS same_person,
           b.unit_path = r.unit_path OR starts_with(b.unit_path, r.unit_path || '/') AS own_unit
    FROM r
    LEFT JOIN beneficiary b ON b.file_code = r.file_code
    LEFT JOIN representative p ON p.beneficiary_id = b.beneficiary_id AND p.revoked_on IS NULL
         AND (p.name_key = r.payee_key OR p.name_folded = r.payee_folded)
    ORDER BY r.import_id, r.row_number, p.name_key = r.payee_key DESC NULLS LAST, p.representative_id
), judged AS (
    SELECT found.*, CASE
        WHEN beneficiary_id IS NULL THEN 'BENEFICIARY_UNKNOWN'
        WHEN NOT own_unit THEN 'OTHER_UNIT'
        WHEN NOT same_person THEN 'OTHER_PERSON'
        WHEN payee_key IS NOT NULL AND representative_id IS NULL THEN 'PAYEE_UNKNOWN'
    END AS reason FROM found
)
UPDATE import_row t SET
    reason = j.reason, retry = false,
    verdict = CASE WHEN j.reason IS NULL THEN 'GOOD'
                   WHEN j.reason IN ('BENEFICIARY_UNKNOWN', 'PAYEE_UNKNOWN') THEN 'WAITING' ELSE 'REFUSED' END,
    beneficiary_id = j.beneficiary_id,
    payee_id = CASE WHEN j.payee_key IS NULL THEN j.beneficiary_id ELSE j.representative_id END,
    payee_kind = CASE WHEN j.payee_key IS NULL THEN 'SELF' ELSE j.kind END
FROM judged j WHERE t.import_id = j.import_id AND t.row_number = j.row_number
"""


def staged_values(keyring: Keyring, import_id: UUID, number: int, row: CheckedRow) -> tuple[Any, ...]:
    """One checked row as stored: the account number encrypted, blind-indexed and masked, the reason for home payment encrypted."""
    account = row.account_number
    return (
        import_id, number, "REFUSED" if row.refusal else "GOOD", row.refusal, row.file_code, row.beneficiary_name, row.name_folded,
        row.payee_name, row.payee_key, row.payee_folded, row.method, row.kind, row.provider_code, row.partner,
        keyring.encrypt("account_number", account) if account else None, keyring.blind("account_number", account) if account else None,
        mask_account(account), row.claimed_holder, keyring.encrypt("home_reason", row.home_reason) if row.home_reason else None,
    )  # fmt: skip


async def stage(tx: Tx, rows: Iterable[tuple[Any, ...]]) -> int:
    """COPY checked rows into the staging table; how many."""
    return await tx.copy("import_row", _COLUMNS, rows)


async def refuse_repeats(tx: Tx, import_id: UUID) -> None:
    """Refuse further rows of a file code in one list: a person has one way to be paid, and the first row says it."""
    await tx.execute(
        "UPDATE import_row r SET verdict = 'REFUSED', reason = 'DUPLICATE_ROW' FROM (SELECT row_number,"
        "   row_number() OVER (PARTITION BY file_code ORDER BY row_number) AS nth FROM import_row"
        "   WHERE import_id = :id AND verdict = 'GOOD') d"
        " WHERE r.import_id = :id AND r.row_number = d.row_number AND d.nth > 1",
        id=import_id,
    )


async def resolve(tx: Tx, imports: Sequence[UUID]) -> None:
    """Find the people that rows name. Rows of people not registered yet wait; rows that name somebody else are refused.

    People who arrive at this moment are kept out until the transaction ends: they then find the rows that wait for them.
    """
    await tx.execute(f"SELECT pg_advisory_xact_lock({ARRIVALS_LOCK})")
    await tx.execute(_RESOLVE, imports=list(imports))


async def take_retries(tx: Tx, limit: int) -> Sequence[RowMapping]:
    """Imports with rows whose person has arrived meanwhile, locked; oldest first."""
    return await tx.rows(
        "SELECT import_id, state FROM import_file f WHERE state IN ('CHECKED', 'APPLIED') AND EXISTS"
        " (SELECT FROM import_row r WHERE r.import_id = f.import_id AND r.retry) ORDER BY seq LIMIT :limit FOR NO KEY UPDATE SKIP LOCKED",
        limit=limit,
    )


async def find(tx: Tx, import_id: UUID) -> RowMapping | None:
    """An import with its counts."""
    return await tx.row(
        f"SELECT f.*, {COUNTS} FROM import_file f LEFT JOIN import_row r USING (import_id) WHERE f.import_id = :id GROUP BY f.import_id",
        id=import_id,
    )


async def page(
    tx: Tx, *, state: str | None, after: UUID | None, limit: int, scope: str, scope_params: dict[str, Any]
) -> Sequence[RowMapping]:
    """One page of imports in the order received, with counts."""
    return await tx.rows(
        "WITH f AS (SELECT * FROM import_file f WHERE (CAST(:after AS uuid) IS NULL OR f.import_id > :after)"
        f"   AND (CAST(:state AS text) IS NULL OR f.state = :state) AND {scope} ORDER BY f.import_id LIMIT :limit),"
        f" c AS (SELECT f.import_id, {COUNTS} FROM f LEFT JOIN import_row r USING (import_id) GROUP BY f.import_id)"
        " SELECT f.*, c.* FROM f JOIN c USING (import_id) ORDER BY f.import_id",
        after=after,
        state=state,
        limit=limit,
        **scope_params,
    )


async def rows_to_show(tx: Tx, import_id: UUID) -> AsyncIterator[RowMapping]:
    """Refused and waiting rows of an import, by row."""
    async for row in tx.stream(
        "SELECT row_number, verdict, reason, file_code, beneficiary_name, masked_number FROM import_row"
        " WHERE import_id = :id AND verdict IN ('REFUSED', 'WAITING') ORDER BY row_number",
        id=import_id,
    ):
        yield row
