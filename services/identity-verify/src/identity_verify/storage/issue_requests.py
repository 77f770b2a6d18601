"""Requests to the police to issue a number at home, with every step kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

from common.db import Tx
from common.ids import new_id
from identity_verify.domain.issue_request import TRANSITIONS, IssueState

__all__ = ["close_registered", "create", "find_subject", "lock", "move", "page", "steps"]

_SHOWN: Final = (
    "i.request_id, i.beneficiary_id, i.subject_id, s.full_name, s.birth_date, s.sex, s.unit_code, i.unit_path, i.state, i.reason,"
    " i.visit_on, i.version, i.created_by, i.business_date, i.updated_at, i.note_cipher IS NOT NULL AS has_note"
)
_STEP: Final = "INSERT INTO issue_request_step (request_id, state, business_date, by_whom) VALUES (:id, :state, :business_date, :by_whom)"

_REGISTERED: Final = """
WITH closed AS (
    UPDATE issue_request i SET state = 'REGISTERED', version = i.version + 1, updated_at = now()
    FROM subject s
    WHERE i.beneficiary_id = ANY(CAST(:ids AS uuid[])) AND i.state = ANY(CAST(:open AS text[]))
      AND s.beneficiary_id = i.beneficiary_id AND s.subject_id = i.subject_id AND s.number_token IS NOT NULL
      AND NOT EXISTS (SELECT FROM verification v WHERE v.beneficiary_id = i.beneficiary_id AND v.subject_id = i.subject_id
                      AND v.verdict = 'NOT_FOUND')
    RETURNING i.request_id, s.business_date
)
INSERT INTO issue_request_step (request_id, state, business_date, by_whom)
SELECT request_id, 'REGISTERED', business_date, 'registry' FROM closed
"""


async def find_subject(tx: Tx, beneficiary_id: UUID, subject_id: UUID, scope: str, scope_params: dict[str, Any]) -> RowMapping | None:
    """A person within the caller's units."""
    return await tx.row(
        "SELECT s.number_token IS NOT NULL AS has_number, s.unit_path, v.verdict FROM subject s"
        " LEFT JOIN verification v USING (beneficiary_id, subject_id)"
        f" WHERE s.beneficiary_id = :beneficiary_id AND s.subject_id = :subject_id AND {scope}",
        beneficiary_id=beneficiary_id,
        subject_id=subject_id,
        **scope_params,
    )


async def create(
    tx: Tx, *, beneficiary_id: UUID, subject_id: UUID, reason: str, note: str | None, unit_path: str, by_whom: str, business_date: date
) -> UUID | None:
    """A new request, or None while the person has an open one."""
    request_id, keyring = new_id(), tx.db.keyring
    made = await tx.execute(
        "INSERT INTO issue_request (request_id, beneficiary_id, subject_id, state, reason, note_cipher, unit_path, created_by,"
        " business_date) VALUES (:id, :beneficiary_id, :subject_id, :state, :reason, :note, :unit_path, :by_whom, :business_date)"
        " ON CONFLICT DO NOTHING",
        id=request_id,
        beneficiary_id=beneficiary_id,
        subject_id=subject_id,
        state=IssueState.REQUESTED,
        reason=reason,
        note=keyring.encrypt("issue_note", note) if keyring and note else None,
        unit_path=unit_path,
        by_whom=by_whom,
        business_date=business_date,
    )
    if not made:
        return None
    await tx.execute(_STEP, id=request_id, state=IssueState.REQUESTED, business_date=business_date, by_whom=by_whom)
    return request_id


async def lock(tx: Tx, request_id: UUID, scope: str, scope_params: dict[str, Any]) -> RowMapping | None:
    """A request within the caller's units, locked."""
    return await tx.row(
        f"SELECT * FROM issue_request i WHERE request_id = :id AND {scope} FOR NO KEY UPDATE", id=request_id, **scope_params
    )


async def move(tx: Tx, request_id: UUID, state: IssueState, *, business_date: date, visit_on: date | None, by_whom: str) -> None:
    """Take the request to another state, and keep the step."""
    await tx.execute(
        "UPDATE issue_request SET state = :state, visit_on = coalesce(:visit_on, visit_on), version = version + 1, updated_at = now()"
        " WHERE request_id = :id",
        id=request_id,
        state=state,
        visit_on=visit_on,
    )
    await tx.execute(_STEP, id=request_id, state=state, business_date=business_date, by_whom=by_whom)


async def close_registered(tx: Tx, beneficiary_ids: Sequence[UUID]) -> None:
    """The register has a number for these people now, not the one that the database does not know: their open requests are done."""
    if beneficiary_ids:
        await tx.execute(_REGISTERED, ids=list(beneficiary_ids), open=[state.value for state in TRANSITIONS])


async def page(
    tx: Tx, *, state: str | None, after: UUID | None, limit: int, scope: str, scope_params: dict[str, Any], only: UUID | None = None
) -> Sequence[RowMapping]:
    """Requests of the caller's units, oldest first."""
    return await tx.rows(
        f"SELECT {_SHOWN} FROM issue_request i JOIN subject s USING (beneficiary_id, subject_id)"
        f" WHERE {scope} AND (CAST(:state AS text) IS NULL OR i.state = :state) AND (CAST(:only AS uuid) IS NULL OR i.request_id = :only)"
        " AND (CAST(:after AS uuid) IS NULL OR i.request_id > :after) ORDER BY i.request_id LIMIT :limit",
        state=state,
        only=only,
        after=after,
        limit=limit,
        **scope_params,
    )


async def steps(tx: Tx, request_id: UUID) -> Sequence[RowMapping]:
    """Every state a request was in, in order."""
    return await tx.rows(
        "SELECT state, business_date, by_whom, at FROM issue_request_step WHERE request_id = :id ORDER BY id", id=request_id
    )
