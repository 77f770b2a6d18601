"""Data sets for a ministry: records in parts, encrypted at rest, with a manifest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from common.actor import Actor
from common.db import Tx

__all__ = ["SCHEMA_VERSION", "add", "add_part", "find", "page", "part", "parts", "ready", "records"]

SCHEMA_VERSION: Final = "registry.person/1"

# Categories, ethnicity and phone are left out: the first tells of health, the others nobody asked for. So are people who were only ever
# paid a single sum (organiser of a funeral, gift): they are not in the programmes.
_RECORDS: Final = """
SELECT p.person_id, p.national_number, p.status, p.programmes,
       json_build_object('beneficiary_id', p.person_id, 'version', p.version, 'file_code', p.file_code, 'full_name', p.full_name,
           'birth_date', p.birth_date, 'sex', p.sex, 'masked_number', p.masked_number, 'no_number_reason', p.no_number_reason,
           'address', p.address, 'unit_code', p.unit_code, 'unit_path', p.unit_path, 'programmes', p.programmes, 'status', p.status,
           'death_date', p.death_date, 'merged_into', p.merged_into, 'preference', f.preference, 'preference_on', f.recorded_on,
           'entitlements', (SELECT coalesce(json_agg(json_build_object('programme', e.programme, 'funding_source', e.funding_source,
               'benefit_line', e.benefit_line, 'decision_number', e.decision_number, 'decision_date', e.decision_date,
               'from_month', to_char(e.from_month, 'YYYY-MM'),
               'to_month', CASE WHEN e.until < 'infinity' THEN to_char(e.until - 1, 'YYYY-MM') END, 'status', e.status)
               ORDER BY e.from_month, e.entitlement_id), '[]')
               FROM entitlement e WHERE e.person_id = p.person_id AND e.until > e.from_month),
           'representatives', (SELECT coalesce(json_agg(json_build_object('kind', r.kind, 'full_name', q.full_name,
               'masked_number', q.masked_number, 'certificate_number', r.certificate_number, 'valid_from', r.valid_from,
               'valid_to', r.valid_to) ORDER BY r.valid_from, r.representative_id), '[]')
               FROM representative r JOIN person q ON q.person_id = r.representative_id
               WHERE r.beneficiary_id = p.person_id AND r.revoked_on IS NULL),
           'dues', (SELECT coalesce(json_agg(json_build_object('programme', d.programme, 'funding_source', d.funding_source,
               'benefit_line', d.benefit_line, 'from_month', to_char(d.from_month, 'YYYY-MM'),
               'to_month', CASE WHEN d.until < 'infinity' THEN to_char(d.until - 1, 'YYYY-MM') END, 'amount', d.amount,
               'status', d.status, 'basis', d.basis) ORDER BY d.programme, d.benefit_line, d.from_month), '[]')
               FROM due_interval d WHERE d.person_id = p.person_id)) AS record
FROM person p
LEFT JOIN preference f ON f.person_id = p.person_id
WHERE p.is_beneficiary AND (p.unit_path = :unit OR p.unit_path LIKE :below) AND p.person_id > :after
  AND EXISTS (SELECT FROM entitlement h WHERE h.person_id = p.person_id)
  AND (CAST(:since AS bigint) IS NULL
       OR EXISTS (SELECT FROM person_change c WHERE c.person_id = p.person_id AND c.id > :since AND c.id <= :position))
ORDER BY p.person_id LIMIT :limit
"""


async def records(tx: Tx, unit_path: str, since: int | None, position: int, after: UUID, limit: int) -> Sequence[Any]:
    """The next records in order of id: all people below a unit, or those who changed after `since`."""
    return await tx.rows(_RECORDS, unit=unit_path, below=unit_path + "/%", since=since, position=position, after=after, limit=limit)


async def add(tx: Tx, values: dict[str, Any]) -> None:
    """Note a data set to be built."""
    names = list(values)
    await tx.execute(f"INSERT INTO data_set ({', '.join(names)}) VALUES ({', '.join(':' + name for name in names)})", **values)


async def add_part(tx: Tx, data_set_id: UUID, number: int, count: int, sha256: str, content: bytes) -> None:
    """Keep one part."""
    await tx.execute(
        "INSERT INTO data_set_part (data_set_id, part, records, sha256, content) VALUES (:id, :part, :records, :sha, :content)",
        id=data_set_id,
        part=number,
        records=count,
        sha=sha256,
        content=content,
    )


async def ready(tx: Tx, data_set_id: UUID, position: int, manifest: dict[str, Any]) -> None:
    """The data set may be downloaded."""
    await tx.execute(
        "UPDATE data_set SET state = 'READY', position = :position, manifest = :manifest WHERE data_set_id = :id",
        id=data_set_id,
        position=position,
        manifest=manifest,
    )


async def find(tx: Tx, data_set_id: UUID, *, lock: bool = False) -> Any | None:
    """One data set."""
    return await tx.row("SELECT * FROM data_set WHERE data_set_id = :id" + (" FOR UPDATE" if lock else ""), id=data_set_id)


async def page(tx: Tx, actor: Actor, after: UUID | None, limit: int) -> Sequence[Any]:
    """Data sets of the actor's area, by id."""
    scope, params = actor.scope_sql("unit_path")
    return await tx.rows(
        f"SELECT * FROM data_set WHERE {scope} AND (CAST(:after AS uuid) IS NULL OR data_set_id > :after)"
        " ORDER BY data_set_id LIMIT :limit",
        after=after,
        limit=limit,
        **params,
    )


async def parts(tx: Tx, data_set_id: UUID) -> Sequence[Any]:
    """The parts without their content."""
    return await tx.rows("SELECT part, records, sha256 FROM data_set_part WHERE data_set_id = :id ORDER BY part", id=data_set_id)


async def part(tx: Tx, data_set_id: UUID, number: int) -> bytes | None:
    """The encrypted content of one part."""
    found = await tx.value("SELECT content FROM data_set_part WHERE data_set_id = :id AND part = :part", id=data_set_id, part=number)
    return None if found is None else bytes(found)
