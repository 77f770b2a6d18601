"""The order of committed changes. Ids are drawn under the people lock: what lies below an id that was read is complete for ever."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from common.actor import Actor
from common.db import Tx

__all__ = ["after", "position"]

_STATE: Final = """
SELECT c.change_id, c.types, c.at, p.person_id AS beneficiary_id, p.version, p.file_code, p.full_name, p.birth_date, p.sex, p.masked_number,
       p.unit_code, p.unit_path, p.programmes, p.status, p.death_date, p.merged_into, f.preference, s.version AS dues_version,
       EXISTS (SELECT FROM duplicate_candidate d WHERE d.b_id = p.person_id AND d.strong AND d.state IN ('OPEN', 'CONFIRMED', 'UNDONE'))
       AS unresolved_duplicate
FROM (SELECT person_id, max(id) AS change_id, array_agg(DISTINCT type ORDER BY type) AS types, max(at) AS at
      FROM person_change WHERE id > :after AND id <= :reached GROUP BY person_id) c
JOIN person p USING (person_id)
LEFT JOIN preference f ON f.person_id = p.person_id
LEFT JOIN dues_state s ON s.person_id = p.person_id
"""


async def position(tx: Tx) -> int:
    """The last change committed."""
    return int(await tx.value("SELECT coalesce(max(id), 0) FROM person_change"))


async def after(tx: Tx, actor: Actor, cursor: int, limit: int) -> tuple[Sequence[Any], int, bool]:
    """What happened after a position to people of the actor's area, one row a person; the position reached; whether there is more.

    `limit` counts changes, seen or not: a page may be empty and still lead on.
    """
    row = await tx.row(
        "SELECT coalesce(max(id), :after) AS reached, count(*) AS changes FROM"
        " (SELECT id FROM person_change WHERE id > :after ORDER BY id LIMIT :limit) x",
        after=cursor,
        limit=limit,
    )
    reached, full = (int(row["reached"]), row["changes"] == limit) if row else (cursor, False)
    scope, params = actor.scope_sql("p.unit_path")
    rows = await tx.rows(f"{_STATE} WHERE {scope} ORDER BY c.change_id", after=cursor, reached=reached, **params)
    return rows, reached, full
