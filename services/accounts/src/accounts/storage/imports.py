"""Account lists and their rows: staging, finding the people they name, verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import RowMapping

from accounts.domain.rows import FIELDS, REASONS, CheckedRow
from accounts.storage.people import ARRIVALS_LOCK
from common.db import Tx
from common.lists.reasons import Reason, reason
from common.lists.storage import GENERAL_COLUMNS, reasons_json
from common.masking import mask_account
from common.sealing import Keyring

__all__ = ["OWN_COLUMNS", "next_import", "own_values", "reasons_of", "refuse_repeats", "resolve", "stage", "staged_values", "take_retries"]

OWN_COLUMNS: Final = (
    "file_code", "beneficiary_name", "name_folded", "payee_name", "payee_key", "payee_folded", "method", "kind", "provider_code", "partner",
    "number_cipher", "number_blind", "masked_number", "claimed_holder", "home_reason_cipher",
)  # fmt: skip
"""What accounts keeps of a row besides its verdict."""

_CATALOGUE: Final = orjson.dumps({code: reason(code, field, "", REASONS).as_json() for code, field in FIELDS.items()}).decode()

# A file code finds the person; the name written beside it must be that person's, else the code was mistyped and the money would
# go to a stranger. The payee is the person, or the representative of that name: letter by letter if there is one, else unaccented.
# A good row of a list that was approved before stays marked (`retry`) until it is applied: no approval comes for it any more.
_RESOLVE: Final = """
WITH r AS (
    SELECT r.import_id, r.row_number, r.file_code, r.name_folded, r.payee_key, r.payee_folded, f.unit_path,
           f.state = 'APPLIED' AS approved_before
    FROM import_row r JOIN import_file f USING (import_id)
    WHERE r.import_id = ANY(CAST(:imports AS uuid[])) AND r.verdict IN ('GOOD', 'WAITING')
), found AS (
    SELECT DISTINCT ON (r.import_id, r.row_number) r.import_id, r.row_number, r.payee_key, r.approved_before, b.beneficiary_id,
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
    reasons = CASE WHEN j.reason IS NULL THEN '[]'::jsonb ELSE jsonb_build_array(CAST(:catalogue AS jsonb) -> j.reason) END,
    retry = j.reason IS NULL AND j.approved_before,
    verdict = CASE WHEN j.reason IS NULL THEN 'GOOD'
                   WHEN j.reason IN ('BENEFICIARY_UNKNOWN', 'PAYEE_UNKNOWN') THEN 'WAITING' ELSE 'REFUSED' END,
    beneficiary_id = j.beneficiary_id,
    payee_id = CASE WHEN j.payee_key IS NULL THEN j.beneficiary_id ELSE j.representative_id END,
    payee_kind = CASE WHEN j.payee_key IS NULL THEN 'SELF' ELSE j.kind END
FROM judged j WHERE t.import_id = j.import_id AND t.row_number = j.row_number
"""


def reasons_of(row: CheckedRow) -> list[Reason]:
    """Why a row cannot be taken; empty when it can."""
    found = [reason("NUMBER_IN_TEXT", name) for name in row.hidden_in]
    return found if row.refusal is None else [*found, reason(row.refusal, FIELDS[row.refusal], "", REASONS)]


def own_values(keyring: Keyring, row: CheckedRow) -> tuple[Any, ...]:
    """One checked row as stored: the account number encrypted, blind-indexed and masked, the reason for home payment encrypted."""
    account = row.account_number
    return (
        row.file_code, row.beneficiary_name, row.name_folded, row.payee_name, row.payee_key, row.payee_folded, row.method, row.kind,
        row.provider_code, row.partner, keyring.encrypt("account_number", account) if account else None,
        keyring.blind("account_number", account) if account else None, mask_account(account), row.claimed_holder,
        keyring.encrypt("home_reason", row.home_reason) if row.home_reason else None,
    )  # fmt: skip


def staged_values(keyring: Keyring, import_id: UUID, number: int, row: CheckedRow) -> tuple[Any, ...]:
    """One checked row with its verdict, for `stage`."""
    found = reasons_of(row)
    return (import_id, number, "REFUSED" if found else "GOOD", reasons_json(found), "[]", *own_values(keyring, row))


async def stage(tx: Tx, rows: Iterable[tuple[Any, ...]]) -> int:
    """COPY checked rows into the staging table; how many."""
    return await tx.copy("import_row", (*GENERAL_COLUMNS, *OWN_COLUMNS), rows)


async def refuse_repeats(tx: Tx, import_id: UUID) -> None:
    """Refuse further rows of a file code in one list: a person has one way to be paid, and the first row says it."""
    await tx.execute(
        "UPDATE import_row r SET verdict = 'REFUSED', reasons = jsonb_build_array(CAST(:catalogue AS jsonb) -> 'DUPLICATE_ROW')"
        " FROM (SELECT row_number,"
        "   row_number() OVER (PARTITION BY file_code ORDER BY row_number) AS nth FROM import_row"
        "   WHERE import_id = :id AND verdict = 'GOOD') d"
        " WHERE r.import_id = :id AND r.row_number = d.row_number AND d.nth > 1",
        id=import_id,
        catalogue=_CATALOGUE,
    )


async def resolve(tx: Tx, imports: Sequence[UUID]) -> None:
    """Find the people that rows name. Rows of people not registered yet wait; rows that name somebody else are refused.

    People who arrive at this moment are kept out until the transaction ends: they then find the rows that wait for them.
    """
    await tx.execute(f"SELECT pg_advisory_xact_lock({ARRIVALS_LOCK})")
    await tx.execute(_RESOLVE, imports=list(imports), catalogue=_CATALOGUE)


async def take_retries(tx: Tx, limit: int) -> Sequence[RowMapping]:
    """Imports with rows whose person has arrived meanwhile, locked; oldest first."""
    return await tx.rows(
        "SELECT import_id, state, traceparent FROM import_file f WHERE state IN ('CHECKED', 'APPLIED') AND EXISTS"
        " (SELECT FROM import_row r WHERE r.import_id = f.import_id AND r.retry) ORDER BY seq LIMIT :limit FOR NO KEY UPDATE SKIP LOCKED",
        limit=limit,
    )


async def next_import(tx: Tx, imports: Sequence[UUID]) -> UUID | None:
    """The first of these approved imports, in the order received, that has good rows left; locked."""
    found = await tx.row(
        "SELECT f.import_id FROM import_file f WHERE f.import_id = ANY(CAST(:ids AS uuid[])) AND f.state IN ('APPROVED', 'APPLIED')"
        " AND EXISTS (SELECT FROM import_row r WHERE r.import_id = f.import_id AND r.verdict = 'GOOD') ORDER BY f.seq LIMIT 1"
        " FOR NO KEY UPDATE",
        ids=list(imports),
    )
    return None if found is None else UUID(str(found["import_id"]))
