"""Lists that are with the police: whom they name, the answers that came back, and which of them were applied."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

from common.db import Tx
from common.ids import new_id
from identity_verify.storage.checks import Check

__all__ = [
    "add_answer", "asked", "close", "create", "find", "find_answer", "lock", "lock_answer", "mark_answer", "mark_rows", "on_list", "page",
    "same_answer",
]  # fmt: skip

# Only people of the caller's units who are not being asked about online at this moment.
_TAKE: Final = """
WITH due AS MATERIALIZED (
    SELECT c.beneficiary_id, c.subject_id FROM check_request c JOIN subject s USING (beneficiary_id, subject_id)
    WHERE c.state = 'PENDING' AND c.exchange_id IS NULL AND (c.lease_until IS NULL OR c.lease_until < now())
      AND s.number_token IS NOT NULL AND s.active AND {scope}
    ORDER BY c.priority, s.unit_path, c.beneficiary_id, c.subject_id LIMIT :limit FOR UPDATE OF c SKIP LOCKED
), taken AS (
    UPDATE check_request c SET exchange_id = :id, lease_owner = NULL, lease_until = NULL
    FROM due WHERE c.beneficiary_id = due.beneficiary_id AND c.subject_id = due.subject_id
    RETURNING c.beneficiary_id, c.subject_id, c.fingerprint
)
INSERT INTO exchange_row (exchange_id, place, beneficiary_id, subject_id, fingerprint)
SELECT :id, row_number() OVER (ORDER BY s.unit_path, s.full_name COLLATE "C", t.beneficiary_id, t.subject_id) - 1,
       t.beneficiary_id, t.subject_id, t.fingerprint
FROM taken t JOIN subject s USING (beneficiary_id, subject_id)
RETURNING beneficiary_id, subject_id
"""

_ON_LIST: Final = """
SELECT r.place, s.number_token, s.full_name, s.birth_date, s.sex, a.provider_code AS bank, a.masked_number AS masked_account
FROM exchange_row r JOIN subject s USING (beneficiary_id, subject_id)
LEFT JOIN LATERAL (SELECT provider_code, masked_number FROM account_copy a
                   WHERE a.payee_id = r.subject_id ORDER BY (a.status = 'ACTIVE') DESC, a.version DESC, a.account_id LIMIT 1) a ON true
WHERE r.exchange_id = :id AND r.fingerprint = s.fingerprint ORDER BY r.place
"""

_ASKED: Final = """
SELECT r.place, s.beneficiary_id, s.subject_id, s.kind, s.full_name, s.birth_date, s.sex, s.number_token, r.fingerprint, s.unit_code,
       s.unit_path, c.business_date, c.reason, c.traceparent, v.decided
FROM exchange_row r JOIN subject s USING (beneficiary_id, subject_id) JOIN check_request c USING (beneficiary_id, subject_id)
LEFT JOIN verification v USING (beneficiary_id, subject_id)
WHERE r.exchange_id = :id AND r.place = ANY(CAST(:places AS int[])) AND r.answered_at IS NULL AND r.fingerprint = s.fingerprint
  AND c.state = 'PENDING' AND c.exchange_id = r.exchange_id
"""


async def create(
    tx: Tx, *, unit_path: str, business_date: date, limit: int, by_whom: str, scope: str, scope_params: dict[str, Any]
) -> tuple[UUID, list[str]]:
    """A new list of up to `limit` people who wait for an answer, and whom it names. Its code is short enough to say aloud."""
    exchange_id = new_id()
    await tx.execute(
        "INSERT INTO exchange (exchange_id, code, unit_path, business_date, created_by) VALUES (:id, :code, :unit_path, :day, :by_whom)",
        id=exchange_id,
        code="XM" + exchange_id.hex[-10:].upper(),
        unit_path=unit_path,
        day=business_date,
        by_whom=by_whom,
    )
    people = await tx.rows(_TAKE.format(scope=scope), id=exchange_id, limit=limit, **scope_params)
    await tx.execute("UPDATE exchange SET people = :people WHERE exchange_id = :id", id=exchange_id, people=len(people))
    return exchange_id, [f"{row['beneficiary_id']}/{row['subject_id']}" for row in people]


async def find(tx: Tx, exchange_id: UUID) -> RowMapping | None:
    """One list, with how many of its rows are answered."""
    return await tx.row(
        "SELECT e.*, (SELECT count(*) FROM exchange_row r WHERE r.exchange_id = e.exchange_id AND r.answered_at IS NOT NULL) AS answered"
        " FROM exchange e WHERE exchange_id = :id",
        id=exchange_id,
    )


async def lock(tx: Tx, exchange_id: UUID) -> RowMapping | None:
    """One list, locked."""
    return await tx.row("SELECT * FROM exchange WHERE exchange_id = :id FOR NO KEY UPDATE", id=exchange_id)


async def page(tx: Tx, *, after: UUID | None, limit: int, scope: str, scope_params: dict[str, Any]) -> Sequence[RowMapping]:
    """Lists of the caller's units, oldest first."""
    return await tx.rows(
        "SELECT e.*, (SELECT count(*) FROM exchange_row r WHERE r.exchange_id = e.exchange_id AND r.answered_at IS NOT NULL) AS answered"
        f" FROM exchange e WHERE {scope} AND (CAST(:after AS uuid) IS NULL OR e.exchange_id > :after) ORDER BY e.exchange_id LIMIT :limit",
        after=after,
        limit=limit,
        **scope_params,
    )


async def on_list(tx: Tx, exchange_id: UUID) -> Sequence[RowMapping]:
    """Whom a list names, in order; people whose data changed since are left out, they are asked about again."""
    return await tx.rows(_ON_LIST, id=exchange_id)


async def asked(tx: Tx, exchange_id: UUID, places: Sequence[int]) -> dict[int, Check]:
    """The checks behind these places that still wait for this list's answer."""
    rows = await tx.rows(_ASKED, id=exchange_id, places=list(places))
    return {row["place"]: Check(**{name: row[name] for name in Check.__slots__}) for row in rows}


async def mark_rows(tx: Tx, exchange_id: UUID, places: Sequence[int]) -> None:
    """Record that these rows are answered."""
    await tx.execute(
        "UPDATE exchange_row SET answered_at = now() WHERE exchange_id = :id AND place = ANY(CAST(:places AS int[]))",
        id=exchange_id,
        places=list(places),
    )


async def close(tx: Tx, exchange_id: UUID) -> list[str]:
    """No more answers are expected: who has none is asked about otherwise again. Who that is."""
    await tx.execute("UPDATE exchange SET state = 'CLOSED', closed_at = now() WHERE exchange_id = :id", id=exchange_id)
    rows = await tx.rows(
        "UPDATE check_request SET exchange_id = NULL, next_try_at = now() WHERE exchange_id = :id AND state = 'PENDING'"
        " RETURNING beneficiary_id, subject_id",
        id=exchange_id,
    )
    return [f"{row['beneficiary_id']}/{row['subject_id']}" for row in rows]


async def same_answer(tx: Tx, exchange_id: UUID, sha256: bytes) -> RowMapping | None:
    """The same file, where it was sent before."""
    return await tx.row("SELECT * FROM exchange_answer WHERE exchange_id = :id AND sha256 = :sha256", id=exchange_id, sha256=sha256)


async def add_answer(tx: Tx, exchange_id: UUID, **values: Any) -> UUID:
    """Keep a file of answers as it was sent, encrypted, with what can be read of it."""
    answer_id, keyring = new_id(), tx.db.keyring
    content: bytes = values.pop("content")
    await tx.execute(
        "INSERT INTO exchange_answer (answer_id, exchange_id, file_name, sha256, content, readable, unreadable, statuses, uploaded_by)"
        " VALUES (:answer_id, :id, :file_name, :sha256, :content, :readable, CAST(:unreadable AS jsonb), :statuses, :uploaded_by)",
        answer_id=answer_id,
        id=exchange_id,
        content=keyring.encrypt("exchange_answer", content) if keyring else content,
        **values,
    )
    return answer_id


async def find_answer(tx: Tx, answer_id: UUID) -> RowMapping | None:
    """One file of answers with its list."""
    return await tx.row(
        "SELECT a.*, e.code, e.people, e.unit_path, e.state AS exchange_state FROM exchange_answer a JOIN exchange e USING (exchange_id)"
        " WHERE a.answer_id = :id",
        id=answer_id,
    )


async def lock_answer(tx: Tx, answer_id: UUID) -> RowMapping | None:
    """The same, locked."""
    return await tx.row(
        "SELECT a.answer_id, a.state, a.uploaded_by, e.unit_path, e.business_date, e.state AS exchange_state"
        " FROM exchange_answer a JOIN exchange e USING (exchange_id) WHERE a.answer_id = :id FOR NO KEY UPDATE OF a",
        id=answer_id,
    )


async def mark_answer(tx: Tx, answer_id: UUID, state: str, *, by_whom: str | None = None, job_id: UUID | None = None) -> None:
    """Take a file of answers to its next state; the table refuses that the one who sent it decides on it."""
    await tx.execute(
        "UPDATE exchange_answer SET state = :state, job_id = coalesce(:job_id, job_id), decided_by = coalesce(:by_whom, decided_by),"
        " decided_at = CASE WHEN CAST(:by_whom AS text) IS NULL THEN decided_at ELSE now() END WHERE answer_id = :id",
        id=answer_id,
        state=state,
        job_id=job_id,
        by_whom=by_whom,
    )
