"""Decisions of commune police on what the source left unclear: proposed by one person, confirmed by another."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping

from common.db import Tx
from common.ids import new_id
from identity_verify.storage.checks import Check

__all__ = ["Decidable", "answer_cipher", "confirm", "lock_decidable", "propose"]


class Decidable:
    """A verification under lock, with what is needed to publish a decision on it."""

    def __init__(self, row: RowMapping) -> None:
        self.check = Check(**{name: row[name] for name in Check.__slots__})
        self.valid_until: date | None = row["valid_until"]
        self.death_date: date | None = row["death_date"]
        self.version: int | None = row["version"]
        self.verdict: str | None = row["verdict"]
        self.current: bool = bool(row["current"])
        self.source_status: str | None = row["source_status"]
        self.fields: dict[str, str] = row["fields"] or {}
        self.reference: str | None = row["reference"]


async def lock_decidable(tx: Tx, beneficiary_id: UUID, subject_id: UUID, scope: str, scope_params: dict[str, Any]) -> Decidable | None:
    """Lock one verification within the caller's units; None where there is none."""
    row = await tx.row(
        "SELECT s.beneficiary_id, s.subject_id, s.kind, s.full_name, s.birth_date, s.sex, s.number_token, s.fingerprint, s.unit_code,"
        " s.unit_path, s.business_date, 'REQUESTED' AS reason, NULL AS traceparent,"
        " v.decided, v.valid_until, v.death_date, v.version, v.verdict, v.source_status, v.fields, v.reference,"
        " v.fingerprint = s.fingerprint AS current"
        " FROM subject s JOIN verification v USING (beneficiary_id, subject_id)"
        f" WHERE s.beneficiary_id = :beneficiary_id AND s.subject_id = :subject_id AND {scope} FOR UPDATE OF v",
        beneficiary_id=beneficiary_id,
        subject_id=subject_id,
        **scope_params,
    )
    return None if row is None else Decidable(row)


async def answer_cipher(tx: Tx, beneficiary_id: UUID, subject_id: UUID) -> bytes | None:
    """The registered values of the source's last answer, encrypted; None where it gave none."""
    cipher: bytes | None = await tx.value(
        "SELECT side_by_side_cipher FROM evidence WHERE beneficiary_id = :beneficiary_id AND subject_id = :subject_id"
        " AND source <> 'commune-police' ORDER BY id DESC LIMIT 1",
        beneficiary_id=beneficiary_id,
        subject_id=subject_id,
    )
    return cipher


async def propose(tx: Tx, found: Decidable, *, verdict: str, note: str, business_date: date, proposed_by: str) -> RowMapping:
    """Keep a proposal on this version of the verification; the one already there, if the same was proposed before."""
    check = found.check
    await tx.execute(
        "INSERT INTO decision (id, beneficiary_id, subject_id, verification_version, verdict, note, business_date, proposed_by)"
        " VALUES (:id, :beneficiary_id, :subject_id, :version, :verdict, :note, :business_date, :proposed_by) ON CONFLICT DO NOTHING",
        id=new_id(),
        beneficiary_id=check.beneficiary_id,
        subject_id=check.subject_id,
        version=found.version,
        verdict=verdict,
        note=note,
        business_date=business_date,
        proposed_by=proposed_by,
    )
    row = await tx.row(
        "SELECT * FROM decision WHERE beneficiary_id = :beneficiary_id AND subject_id = :subject_id"
        " AND verification_version = :version AND verdict = :verdict",
        beneficiary_id=check.beneficiary_id,
        subject_id=check.subject_id,
        version=found.version,
        verdict=verdict,
    )
    assert row is not None
    return row


async def confirm(tx: Tx, decision_id: UUID, confirmed_by: str) -> None:
    """Record the second person; the table refuses the first one again."""
    await tx.execute(
        "UPDATE decision SET confirmed_by = :confirmed_by, confirmed_at = now() WHERE id = :id", id=decision_id, confirmed_by=confirmed_by
    )
