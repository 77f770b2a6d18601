"""Computing dues anew and publishing what changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from common import outbox
from common.contracts.registry_v1 import DuesChanged
from common.db import Tx
from registry.storage.dues.answers import parameters
from registry.storage.dues.sql import LINES

__all__ = ["derive", "intervals_of", "recompute", "say_again"]

_COLUMNS: Final = (
    "person_id, programme, funding_source, benefit_line, from_month, until, amount, status, basis, decision_number, explicit_arrears"
)

# What is compared to know whether anything changed; an unchanged person gets no new version, no event, and no row is written.
_CHANGED: Final = """
WITH digest AS (
    SELECT scope.person_id, md5(coalesce(string_agg(concat_ws('|', d.programme, d.funding_source, d.benefit_line, d.from_month, d.until,
               d.amount, d.status, d.basis, d.decision_number, d.explicit_arrears), E'\\n'
               ORDER BY d.programme, d.funding_source, d.benefit_line, d.from_month), '')) AS lines_md5, count(d.person_id) AS n
    FROM unnest(CAST(:ids AS uuid[])) AS scope(person_id) LEFT JOIN due_now d USING (person_id)
    GROUP BY scope.person_id
)
INSERT INTO dues_state (person_id, lines_md5, computed_on)
SELECT g.person_id, g.lines_md5, CAST(:as_of AS date) FROM digest g
WHERE g.n > 0 OR EXISTS (SELECT 1 FROM dues_state s WHERE s.person_id = g.person_id)
ON CONFLICT (person_id) DO UPDATE SET lines_md5 = excluded.lines_md5, computed_on = excluded.computed_on, version = dues_state.version + 1
WHERE dues_state.lines_md5 <> excluded.lines_md5
RETURNING person_id
"""

_EVENTS: Final = """
SELECT p.person_id AS key, uuidv7() AS event_id,
       json_build_object('version', s.version, 'business_date', CAST(:as_of AS date), 'beneficiary_id', p.person_id,
                         'unit_code', p.unit_code, 'unit_path', p.unit_path, 'lines', coalesce(l.lines, CAST('[]' AS json))) AS body
FROM unnest(CAST(:ids AS uuid[])) AS scope(person_id)
JOIN person p USING (person_id)
JOIN dues_state s USING (person_id)
LEFT JOIN (
    SELECT person_id, json_agg(json_build_object('programme', programme, 'funding_source', funding_source, 'benefit_line', benefit_line,
                                                 'intervals', intervals) ORDER BY programme, funding_source, benefit_line) AS lines
    FROM (
        SELECT d.person_id, d.programme, d.funding_source, d.benefit_line, json_agg(json_build_object(
                   'from_month', to_char(d.from_month, 'YYYY-MM'),
                   'to_month', CASE WHEN d.until < 'infinity' THEN to_char(d.until - 1, 'YYYY-MM') END,
                   'amount', d.amount, 'status', d.status, 'basis', d.basis, 'decision_number', d.decision_number,
                   'explicit_arrears', d.explicit_arrears) ORDER BY d.from_month) AS intervals
        FROM due_now d
        GROUP BY d.person_id, d.programme, d.funding_source, d.benefit_line
    ) grouped GROUP BY person_id
) l USING (person_id)
"""

# People paid for a dependant (a carer, a single parent) follow the dependant's birth date, stay and death.
_BY_DATE: Final = """
SELECT greatest(CAST(:as_of AS date), s.computed_on) AS as_of, array_agg(x.person_id) AS ids
FROM (SELECT unnest(CAST(:ids AS uuid[])) AS person_id
      UNION SELECT e.person_id FROM entitlement e WHERE e.dependant_id = ANY(CAST(:ids AS uuid[]))) AS x
LEFT JOIN dues_state s USING (person_id) GROUP BY 1 ORDER BY 1
"""


async def recompute(tx: Tx, ids: Sequence[UUID], as_of: date) -> int:
    """Compute the dues of these people anew and publish `DuesChanged` for those whose dues changed; how many changed.

    People paid for one of them as a dependant are computed too. `as_of` is the business date: rates known later are not used,
    except for a person whose dues were computed on a later date already (what is known stays known). The caller holds the people
    lock.
    """
    changed = 0
    for group in await tx.rows(_BY_DATE, ids=list(ids), as_of=as_of):
        changed += await _recompute_on(tx, group["ids"], group["as_of"])
    return changed


async def derive(tx: Tx, ids: Sequence[UUID], as_of: date, change_id: UUID | None = None) -> None:
    """Fill the transaction's own table `due_now` (columns of `due_interval`) with what is due to these people, and write nothing else.

    With `change_id` as if that draft of the law were in force: what a what-if compares with `due_interval`.
    """
    await tx.execute("CREATE TEMP TABLE IF NOT EXISTS due_now (LIKE due_interval) ON COMMIT DROP")
    await tx.execute("TRUNCATE due_now")
    await tx.execute(f"INSERT INTO due_now ({_COLUMNS}) {LINES}", ids=list(ids), **await parameters(tx, as_of, change_id))


async def _recompute_on(tx: Tx, scope: Sequence[UUID], as_of: date) -> int:
    await derive(tx, scope, as_of)
    changed = [row["person_id"] for row in await tx.rows(_CHANGED, ids=scope, as_of=as_of)]
    if changed:
        if len(changed) < len(scope):
            await tx.execute("DELETE FROM due_now WHERE NOT person_id = ANY(CAST(:ids AS uuid[]))", ids=changed)
        await tx.execute("DELETE FROM due_interval WHERE person_id = ANY(CAST(:ids AS uuid[]))", ids=changed)
        await tx.execute(f"INSERT INTO due_interval ({_COLUMNS}) SELECT {_COLUMNS} FROM due_now")
        await outbox.insert_select(tx, DuesChanged, _EVENTS, ids=changed, as_of=as_of)
    return len(changed)


async def say_again(tx: Tx, ids: Sequence[UUID], as_of: date) -> int:
    """Publish the dues of these people as they stand, under a higher version; how many had any.

    For what the event carries of the person (the unit) when nothing is computed anew. The caller holds the people lock.
    """
    await tx.execute("CREATE TEMP TABLE IF NOT EXISTS due_now (LIKE due_interval) ON COMMIT DROP")
    await tx.execute("TRUNCATE due_now")
    await tx.execute(
        f"INSERT INTO due_now ({_COLUMNS}) SELECT {_COLUMNS} FROM due_interval WHERE person_id = ANY(CAST(:ids AS uuid[]))", ids=list(ids)
    )
    rows = await tx.rows(
        "UPDATE dues_state SET version = version + 1 WHERE person_id = ANY(CAST(:ids AS uuid[])) RETURNING person_id", ids=list(ids)
    )
    told = [row["person_id"] for row in rows]
    if told:
        await outbox.insert_select(tx, DuesChanged, _EVENTS, ids=told, as_of=as_of)
    return len(told)


async def intervals_of(tx: Tx, person_id: UUID, month: date | None) -> Sequence[Any]:
    """The due intervals of one person; with `month` (its first day) those that cover it."""
    return await tx.rows(
        "SELECT programme, funding_source, benefit_line, from_month, nullif(until, 'infinity') AS until, amount, status,"
        " basis, decision_number, explicit_arrears"
        " FROM due_interval WHERE person_id = :id AND (CAST(:month AS date) IS NULL OR (from_month <= :month AND until > :month))"
        " ORDER BY programme, benefit_line, from_month",
        id=person_id,
        month=month,
    )
