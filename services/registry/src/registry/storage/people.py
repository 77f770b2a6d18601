"""Reading people, and the few changes made to one person at a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from common.db import Tx

__all__ = [
    "complete", "correct_death", "count", "entitlements_of", "find", "next_ids", "record_deaths", "representatives_of", "say_again",
    "update",
]  # fmt: skip

_VIEW: Final = (
    "p.person_id, p.file_code, p.full_name, p.birth_date, p.sex, p.masked_number, p.address, p.unit_code, p.unit_path, p.programmes,"
    " p.status, p.death_date, p.version, p.no_number_reason, f.preference"
)
_MORE: Final = (
    "p.national_number, p.second_number, p.phone, p.ethnicity, p.masked_second_number, p.masked_phone, p.hamlet, p.name_folded,"
    " f.recorded_on AS preference_on, f.evidence AS preference_evidence"
)


async def find(tx: Tx, person_id: UUID, *, lock: bool = False) -> Any | None:
    """One beneficiary, or None. With `lock` for a change."""
    return await tx.row(
        f"SELECT {_VIEW}, {_MORE} FROM person p LEFT JOIN preference f USING (person_id)"
        " WHERE p.person_id = :id AND p.is_beneficiary" + (" FOR UPDATE OF p" if lock else ""),
        id=person_id,
    )


async def count(tx: Tx) -> int:
    """Number of beneficiaries."""
    return int(await tx.value("SELECT count(*) FROM person WHERE is_beneficiary"))


async def next_ids(tx: Tx, after: UUID, limit: int) -> list[UUID]:
    """Ids of beneficiaries after an id, in order."""
    rows = await tx.rows(
        "SELECT person_id FROM person WHERE is_beneficiary AND person_id > :after ORDER BY person_id LIMIT :limit", after=after, limit=limit
    )
    return [row["person_id"] for row in rows]


async def representatives_of(tx: Tx, person_id: UUID) -> Sequence[Any]:
    """Who may collect for a beneficiary."""
    return await tx.rows(
        "SELECT r.representative_id, r.kind, p.full_name, p.birth_date, p.masked_number, r.certificate_number, r.valid_from,"
        " r.valid_to, r.revoked_on FROM representative r JOIN person p ON p.person_id = r.representative_id"
        " WHERE r.beneficiary_id = :id ORDER BY r.valid_from",
        id=person_id,
    )


async def say_again(tx: Tx, representative_ids: Sequence[UUID]) -> list[tuple[UUID, UUID]]:
    """Raise the version of what these people are to those they collect for, since it carries their identity; the pairs to publish."""
    rows = await tx.rows(
        "UPDATE representative SET version = version + 1 WHERE representative_id = ANY(CAST(:ids AS uuid[])) AND revoked_on IS NULL"
        " RETURNING beneficiary_id, representative_id",
        ids=list(representative_ids),
    )
    return [(row["beneficiary_id"], row["representative_id"]) for row in rows]


async def entitlements_of(tx: Tx, person_id: UUID) -> Sequence[Any]:
    """The decisions of a person."""
    return await tx.rows(
        "SELECT entitlement_id, programme, funding_source, category, percent, benefit_line, decision_number, decision_date, authority,"
        " from_month, arrears_from, nullif(until, 'infinity') AS until, status FROM entitlement WHERE person_id = :id"
        " ORDER BY from_month, entitlement_id",
        id=person_id,
    )


async def update(tx: Tx, person_id: UUID, values: dict[str, Any]) -> None:
    """Set columns of a person (names are ours) and count the version up."""
    sets = ", ".join(f"{name} = :{name}" for name in values)
    await tx.execute(
        f"UPDATE person SET {sets}, version = version + 1, updated_at = now() WHERE person_id = :person_id",
        person_id=person_id,
        **values,
    )


async def complete(tx: Tx, person_id: UUID, values: dict[str, Any]) -> None:
    """Set columns that no event carries, of a person registered in this transaction."""
    sets = ", ".join(f"{name} = :{name}" for name in values)
    await tx.execute(f"UPDATE person SET {sets} WHERE person_id = :person_id", person_id=person_id, **values)


async def record_deaths(tx: Tx, deaths: Sequence[tuple[UUID, date]]) -> list[UUID]:
    """Record deaths, also of whom a file was merged into; people already recorded as dead keep the date they have. The people changed."""
    rows = await tx.rows(
        "WITH RECURSIVE told AS (SELECT x.person_id, x.died FROM unnest(CAST(:ids AS uuid[]), CAST(:days AS date[])) AS x(person_id, died)"
        "   UNION SELECT m.merged_into, t.died FROM told t JOIN person m USING (person_id) WHERE m.merged_into IS NOT NULL)"
        " UPDATE person p SET status = 'DECEASED', death_date = x.died, version = p.version + 1, updated_at = now()"
        " FROM (SELECT person_id, min(died) AS died FROM told GROUP BY person_id) x"
        " WHERE p.person_id = x.person_id AND p.is_beneficiary AND p.status <> 'DECEASED' RETURNING p.person_id",
        ids=[person_id for person_id, _ in deaths],
        days=[day for _, day in deaths],
    )
    return [row["person_id"] for row in rows]


async def correct_death(tx: Tx, person_id: UUID, died: date) -> Sequence[Any]:
    """Set another date of death, in every file of the person that was merged with this one; who changed (person, the date before)."""
    return await tx.rows(
        "WITH RECURSIVE one AS (SELECT p.person_id FROM person p WHERE p.person_id = :id"
        "   UNION SELECT n.person_id FROM one o JOIN LATERAL (SELECT m.person_id FROM person m WHERE m.merged_into = o.person_id"
        "     UNION ALL SELECT x.merged_into FROM person x WHERE x.person_id = o.person_id AND x.merged_into IS NOT NULL) n ON true),"
        " before AS (SELECT p.person_id, p.death_date FROM person p JOIN one USING (person_id) WHERE p.is_beneficiary"
        "   AND p.status = 'DECEASED' AND p.death_date <> CAST(:died AS date) FOR UPDATE OF p)"
        " UPDATE person p SET death_date = :died, version = p.version + 1, updated_at = now() FROM before b"
        " WHERE p.person_id = b.person_id RETURNING p.person_id, b.death_date AS was",
        id=person_id,
        died=died,
    )
