"""Every change of every record, written by triggers (migration 0006), read here; and the dates of a transaction's changes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from common.db import Tx
from registry.domain.history import Version

__all__ = ["dated", "hidden_fields", "kinds", "last_day", "records_of", "unit_of_state", "versions", "who"]


async def dated(tx: Tx, business_date: date, effective_on: date | None = None) -> None:
    """Say on which business date this transaction's changes were made, and from when they hold where that is another day.

    The first word counts. Whoever publishes says it anyhow (`storage.publishing`); changes that nobody dates are known
    from the day they were written.
    """
    await tx.execute(
        "INSERT INTO change_set (business_date, effective_on) VALUES (:day, :effective) ON CONFLICT DO NOTHING",
        day=business_date,
        effective=effective_on,
    )


async def last_day(tx: Tx) -> date | None:
    """The latest business date anybody's changes were made on; None in an empty register."""
    day: date | None = await tx.value("SELECT max(business_date) FROM change_set")
    return day


async def kinds(tx: Tx) -> list[str]:
    """The kinds of records whose history is kept."""
    return [row["kind"] for row in await tx.rows("SELECT kind FROM history_table ORDER BY kind")]


async def hidden_fields(tx: Tx, kind: str) -> list[str] | None:
    """Columns of a kind that hold encrypted or blind values; None for an unknown kind."""
    value = await tx.value("SELECT hidden FROM history_table WHERE kind = :kind", kind=kind)
    return None if value is None else list(value)


async def versions(tx: Tx, kind: str, key: str) -> list[Version]:
    """All versions of one record, in the order they were written."""
    rows = await tx.rows(
        "SELECT seq, op, recorded_at, known_on, effective_on, state FROM record_versions(:kind, :key) ORDER BY seq", kind=kind, key=key
    )
    return [Version(**row) for row in rows]


async def who(tx: Tx, kind: str, key: str) -> dict[int, dict[str, Any]]:
    """Who made each change, in which request, by which action, as the audit row of the same transaction says."""
    rows = await tx.rows(
        "SELECT DISTINCT ON (h.seq) h.seq, a.subject, a.request_id, a.action FROM record_history h"
        " JOIN audit_log a ON a.txid = h.txid AND a.at >= h.tx_at AND a.at < h.tx_at + interval '6 hours'"  # numbers restart on restore
        " WHERE h.record_key = :key AND h.kind = :kind ORDER BY h.seq, (a.object_id = :key) DESC, a.id",
        key=key,
        kind=kind,
    )
    return {row["seq"]: {"changed_by": row["subject"], "request_id": row["request_id"], "action": row["action"]} for row in rows}


async def records_of(tx: Tx, person_id: UUID) -> Sequence[Any]:
    """All records that are or ever were about a person, by kind; their keys."""
    return await tx.rows(
        "SELECT DISTINCT kind, record_key FROM record_history WHERE subject_id = :id OR record_key = CAST(:id AS text)"
        " ORDER BY kind, record_key",
        id=person_id,
    )


_BY_REFERENCE: Final[tuple[tuple[str, str], ...]] = (
    ("person_id", "SELECT unit_path FROM person WHERE person_id = CAST(:id AS uuid)"),
    ("beneficiary_id", "SELECT unit_path FROM person WHERE person_id = CAST(:id AS uuid)"),
    ("merit_person_id", "SELECT unit_path FROM person WHERE person_id = CAST(:id AS uuid)"),
    ("deceased_id", "SELECT unit_path FROM person WHERE person_id = CAST(:id AS uuid)"),
    (
        "entitlement_id",
        "SELECT p.unit_path FROM entitlement e JOIN person p USING (person_id) WHERE e.entitlement_id = CAST(:id AS uuid)",
    ),
    ("household_id", "SELECT unit_path FROM household WHERE household_id = CAST(:id AS uuid)"),
    ("institution_id", "SELECT unit_path FROM institution WHERE institution_id = CAST(:id AS uuid)"),
)


async def unit_of_state(tx: Tx, state: dict[str, Any]) -> str | None:
    """The unit whose officers may see a record: that of the person, household or institution it is about, as it is today."""
    for name, query in _BY_REFERENCE:
        if state.get(name):
            path = await tx.value(query, id=state[name])
            if path is not None:
                return str(path)
    path = state.get("unit_path")
    return str(path) if path else None
