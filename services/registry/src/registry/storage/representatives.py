"""Representatives: appointing, ending, and the lists of those about to end or acting for many."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from common.actor import Actor
from common.db import Tx

__all__ = ["appoint", "end_of_dead", "end_standing", "expire", "expiring", "find", "of_many", "revoke", "update"]

_COLUMNS: Final = (
    "r.beneficiary_id, r.representative_id, r.kind, r.basis, r.programmes, r.certificate_number, r.valid_from, r.valid_to, r.revoked_on,"
    " r.revoked_why, r.attachment_id, r.version, p.full_name, p.birth_date, p.masked_number, p.status AS person_status"
)
_FROM: Final = "FROM representative r JOIN person p ON p.person_id = r.representative_id"


async def find(tx: Tx, beneficiary_id: UUID, representative_id: UUID, *, lock: bool = False) -> Any | None:
    """One representative of one beneficiary, or None."""
    return await tx.row(
        f"SELECT {_COLUMNS}, p.address, p.unit_path AS representative_path {_FROM}"
        " WHERE r.beneficiary_id = :one AND r.representative_id = :other" + (" FOR UPDATE OF r" if lock else ""),
        one=beneficiary_id,
        other=representative_id,
    )


async def appoint(tx: Tx, values: dict[str, Any]) -> bool:
    """Appoint somebody, or somebody again whose right had ended; False when they are appointed and not revoked."""
    names = ", ".join(values)
    sets = ", ".join(f"{name} = excluded.{name}" for name in values if name not in ("beneficiary_id", "representative_id"))
    return bool(
        await tx.execute(
            f"INSERT INTO representative AS t ({names}) VALUES ({', '.join(':' + name for name in values)})"
            f" ON CONFLICT (beneficiary_id, representative_id) DO UPDATE SET {sets}, revoked_on = NULL, revoked_why = NULL,"
            " appointed_at = now(), version = t.version + 1 WHERE t.revoked_on IS NOT NULL",
            **values,
        )
    )


async def update(tx: Tx, beneficiary_id: UUID, representative_id: UUID, values: dict[str, Any]) -> None:
    """Set columns (names are ours) and count the version up."""
    sets = ", ".join(f"{name} = :{name}" for name in values)
    await tx.execute(
        f"UPDATE representative SET {sets}, version = version + 1 WHERE beneficiary_id = :one AND representative_id = :other",
        one=beneficiary_id,
        other=representative_id,
        **values,
    )


async def revoke(tx: Tx, beneficiary_id: UUID, representative_id: UUID, day: date, why: str) -> None:
    """End a right."""
    await update(tx, beneficiary_id, representative_id, {"revoked_on": day, "revoked_why": why})


async def end_standing(tx: Tx, beneficiary_id: UUID, day: date) -> list[tuple[UUID, UUID]]:
    """End what a living person had granted: an authorisation ends with the life of who gave it (Civil Code 2015 Art. 140, 563)."""
    rows = await tx.rows(
        "UPDATE representative SET revoked_on = :day, revoked_why = 'DEATH', version = version + 1"
        " WHERE beneficiary_id = :id AND basis = 'STANDING' AND revoked_on IS NULL RETURNING beneficiary_id, representative_id",
        id=beneficiary_id,
        day=day,
    )
    return [(row["beneficiary_id"], row["representative_id"]) for row in rows]


async def end_of_dead(tx: Tx, representative_ids: Sequence[UUID], day: date) -> list[tuple[UUID, UUID]]:
    """End what people who died had been appointed to. The pairs to publish."""
    rows = await tx.rows(
        "UPDATE representative SET revoked_on = :day, revoked_why = 'REPRESENTATIVE_DIED', version = version + 1"
        " WHERE representative_id = ANY(CAST(:ids AS uuid[])) AND revoked_on IS NULL RETURNING beneficiary_id, representative_id",
        ids=list(representative_ids),
        day=day,
    )
    return [(row["beneficiary_id"], row["representative_id"]) for row in rows]


async def expire(tx: Tx, business_date: date, limit: int) -> list[tuple[UUID, UUID]]:
    """End rights whose last day is past, the day after it; at most `limit`. The pairs to publish."""
    rows = await tx.rows(
        "UPDATE representative r SET revoked_on = r.valid_to + 1, revoked_why = 'EXPIRED', version = r.version + 1"
        " FROM (SELECT beneficiary_id, representative_id FROM representative WHERE revoked_on IS NULL AND valid_to < :day"
        "       ORDER BY valid_to, beneficiary_id, representative_id LIMIT :limit FOR UPDATE) x"
        " WHERE r.beneficiary_id = x.beneficiary_id AND r.representative_id = x.representative_id"
        " RETURNING r.beneficiary_id, r.representative_id",
        day=business_date,
        limit=limit,
    )
    return [(row["beneficiary_id"], row["representative_id"]) for row in rows]


async def expiring(
    tx: Tx, actor: Actor, *, on: date, until: date, unit_path: str | None, after: tuple[date, UUID, UUID] | None, limit: int
) -> Sequence[Any]:
    """Rights that end between two dates, for beneficiaries of the actor's area, first to end first."""
    scope, params = actor.scope_sql("b.unit_path")
    end, one, other = after if after is not None else (None, None, None)
    return await tx.rows(
        f"SELECT {_COLUMNS}, b.full_name AS beneficiary_name, b.file_code, b.unit_code, b.unit_path, r.valid_to - :on AS days_left"
        f" {_FROM} JOIN person b ON b.person_id = r.beneficiary_id"
        f" WHERE {scope} AND r.revoked_on IS NULL AND r.valid_to BETWEEN :on AND :until"
        " AND (CAST(:unit AS text) IS NULL OR b.unit_path = :unit OR b.unit_path LIKE :unit || '/%')"
        " AND (CAST(:end AS date) IS NULL OR (r.valid_to, r.beneficiary_id, r.representative_id) > (:end, CAST(:one AS uuid),"
        "      CAST(:other AS uuid)))"
        " ORDER BY r.valid_to, r.beneficiary_id, r.representative_id LIMIT :limit",
        on=on, until=until, unit=unit_path, end=end, one=one, other=other, limit=limit, **params,
    )  # fmt: skip


async def of_many(tx: Tx, actor: Actor, *, on: date, at_least: int, after: UUID | None, limit: int) -> Sequence[Any]:
    """People who collect for several beneficiaries of the actor's area on a date, with how many."""
    scope, params = actor.scope_sql("b.unit_path")
    return await tx.rows(
        "SELECT r.representative_id, p.full_name, p.birth_date, p.masked_number, count(*) AS beneficiaries,"
        " count(*) FILTER (WHERE r.kind = 'GUARDIAN') AS as_guardian, count(*) FILTER (WHERE r.kind = 'AUTHORISED') AS as_authorised,"
        f" count(*) FILTER (WHERE r.kind = 'CARER') AS as_carer {_FROM} JOIN person b ON b.person_id = r.beneficiary_id"
        f" WHERE {scope} AND r.valid_from <= :on AND (r.valid_to IS NULL OR r.valid_to >= :on)"
        " AND (r.revoked_on IS NULL OR r.revoked_on > :on) AND (CAST(:after AS uuid) IS NULL OR r.representative_id > :after)"
        " GROUP BY r.representative_id, p.full_name, p.birth_date, p.masked_number HAVING count(*) >= :least"
        " ORDER BY r.representative_id LIMIT :limit",
        on=on, least=at_least, after=after, limit=limit, **params,
    )  # fmt: skip
