"""The work list of people whose new unit has to be told by somebody who knows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from common.actor import Actor
from common.db import Tx

__all__ = ["applied", "approve", "approved", "page", "places", "propose", "summary"]

# Where people of an old unit can have gone: its parts; without links of its own (a district) the parts of the units below it; for a code
# that another unit bears now, the one unit it became and that other one.
_CANDIDATES: Final = """
SELECT l.old_unit_id, n.unit_id, n.code, n.name, n.path FROM unit_link l JOIN administrative_unit n ON n.unit_id = l.new_unit_id
WHERE l.effective_on = :on
UNION SELECT o.unit_id, n.unit_id, n.code, n.name, n.path FROM administrative_unit o
JOIN administrative_unit b ON b.path LIKE o.path || '/%' AND b.valid_to = o.valid_to
JOIN unit_link l ON l.old_unit_id = b.unit_id AND l.effective_on = :on JOIN administrative_unit n ON n.unit_id = l.new_unit_id
WHERE o.valid_to = CAST(:on AS date) - 1 AND NOT EXISTS (SELECT 1 FROM unit_link x WHERE x.old_unit_id = o.unit_id)
  AND EXISTS (SELECT 1 FROM unit_work_item w WHERE w.old_unit_id = o.unit_id AND w.effective_on = :on)
UNION SELECT o.unit_id, n.unit_id, n.code, n.name, n.path FROM administrative_unit o JOIN administrative_unit n ON n.path = o.path
WHERE o.valid_to = CAST(:on AS date) - 1 AND n.valid_from <= :on AND (n.valid_to IS NULL OR n.valid_to >= :on)
"""


def _scope(actor: Actor) -> tuple[str, dict[str, Any]]:
    """Items of old units in the actor's area, and those whose people can have gone into it."""
    old, params = actor.scope_sql("w.old_path")
    new, _ = actor.scope_sql("c.path")
    return f"({old} OR EXISTS (SELECT 1 FROM candidate c WHERE c.old_unit_id = w.old_unit_id AND {new}))", params


def _with(rest: str) -> str:
    return f"WITH candidate AS MATERIALIZED ({_CANDIDATES}) {rest}"


async def summary(tx: Tx, actor: Actor, effective_on: date) -> Sequence[Any]:
    """Per old unit: how many people in which state, and the communes they can have gone to."""
    scope, params = _scope(actor)
    return await tx.rows(
        _with(
            "SELECT o.code AS old_code, o.name AS old_name, w.old_path, count(*) AS people,"
            " count(*) FILTER (WHERE w.state = 'OPEN') AS open,"
            " count(*) FILTER (WHERE w.state = 'PROPOSED') AS proposed, count(*) FILTER (WHERE w.state = 'APPROVED') AS approved,"
            " count(*) FILTER (WHERE w.state = 'APPLIED') AS applied, count(*) FILTER (WHERE w.state = 'STALE') AS stale,"
            " (SELECT coalesce(json_agg(json_build_object('code', c.code, 'name', c.name, 'path', c.path) ORDER BY c.path), '[]')"
            "  FROM candidate c WHERE c.old_unit_id = o.unit_id) AS candidates"
            " FROM unit_work_item w JOIN administrative_unit o ON o.unit_id = w.old_unit_id"
            f" WHERE w.effective_on = :on AND {scope} GROUP BY o.unit_id, w.old_path ORDER BY w.old_path"
        ),
        on=effective_on,
        **params,
    )


async def page(
    tx: Tx, actor: Actor, effective_on: date, *, old_path: str | None, state: str | None, after: UUID | None, limit: int
) -> Sequence[Any]:
    """People on the list, by id."""
    scope, params = _scope(actor)
    return await tx.rows(
        _with(
            "SELECT w.person_id, p.file_code, p.full_name, p.birth_date, p.hamlet, p.address, w.old_path, w.state, w.proposed_path,"
            " w.ground, w.proposed_by, w.approved_by FROM unit_work_item w JOIN person p USING (person_id)"
            f" WHERE w.effective_on = :on AND {scope} AND (CAST(:old AS text) IS NULL OR w.old_path = :old)"
            " AND (CAST(:state AS text) IS NULL OR w.state = :state) AND (CAST(:after AS uuid) IS NULL OR w.person_id > :after)"
            " ORDER BY w.person_id LIMIT :limit"
        ),
        on=effective_on, old=old_path, state=state, after=after, limit=limit, **params,
    )  # fmt: skip


async def places(tx: Tx, actor: Actor, effective_on: date, old_path: str) -> Sequence[Any]:
    """Where the open and proposed people of one old unit live."""
    scope, params = _scope(actor)
    return await tx.rows(
        _with(
            "SELECT w.person_id, p.file_code, p.hamlet, p.address FROM unit_work_item w JOIN person p USING (person_id)"
            f" WHERE w.effective_on = :on AND w.old_path = :old AND w.state IN ('OPEN', 'PROPOSED') AND {scope}"
        ),
        on=effective_on, old=old_path, **params,
    )  # fmt: skip


async def propose(tx: Tx, actor: Actor, effective_on: date, chosen: Sequence[tuple[UUID, str]], ground: str) -> Sequence[Any]:
    """Set proposals where the person is on the list and the unit is one their old unit went to; a verdict for each."""
    scope, params = _scope(actor)
    return await tx.rows(
        _with(
            ", asked AS (SELECT DISTINCT ON (person_id) person_id, unit_code FROM unnest(CAST(:people AS uuid[]), CAST(:codes AS text[]))"
            "            AS x(person_id, unit_code)),"
            " judged AS (SELECT a.person_id, a.unit_code, c.unit_id, c.path, CASE WHEN w.person_id IS NULL THEN 'NOT_ON_LIST'"
            "            WHEN w.state NOT IN ('OPEN', 'PROPOSED') THEN 'ALREADY_APPROVED' WHEN c.unit_id IS NULL THEN 'NOT_A_SUCCESSOR'"
            "            ELSE 'TAKEN' END AS verdict FROM asked a"
            f"           LEFT JOIN unit_work_item w ON w.person_id = a.person_id AND w.effective_on = :on AND {scope}"
            "            LEFT JOIN candidate c ON c.old_unit_id = w.old_unit_id AND c.code = a.unit_code),"
            " done AS (UPDATE unit_work_item w SET state = 'PROPOSED', proposed_unit_id = j.unit_id, proposed_path = j.path,"
            "          ground = :ground, proposed_by = :by, proposed_at = now() FROM judged j WHERE j.verdict = 'TAKEN'"
            "          AND w.effective_on = :on AND w.person_id = j.person_id)"
            " SELECT person_id, unit_code, verdict FROM judged ORDER BY person_id"
        ),
        on=effective_on, people=[item[0] for item in chosen], codes=[item[1] for item in chosen], ground=ground, by=actor.subject,
        **params,
    )  # fmt: skip


async def approve(tx: Tx, actor: Actor, effective_on: date, old_path: str, people: Sequence[UUID] | None) -> tuple[list[UUID], int]:
    """Approve what others proposed; of whom, and how many of the actor's own were left for somebody else."""
    scope, params = _scope(actor)
    where = (
        f"w.effective_on = :on AND w.old_path = :old AND w.state = 'PROPOSED' AND {scope}"
        " AND (CAST(:people AS uuid[]) IS NULL OR w.person_id = ANY(CAST(:people AS uuid[])))"
    )
    given: dict[str, Any] = {
        "on": effective_on,
        "old": old_path,
        "people": list(people) if people is not None else None,
        "by": actor.subject,
    }
    own = await tx.value(_with(f"SELECT count(*) FROM unit_work_item w WHERE {where} AND w.proposed_by = :by"), **given, **params)
    done = await tx.rows(
        _with(
            "UPDATE unit_work_item w SET state = 'APPROVED', approved_by = :by, approved_at = now()"
            f" WHERE {where} AND w.proposed_by <> :by RETURNING w.person_id"
        ),
        **given,
        **params,
    )
    return [row["person_id"] for row in done], int(own)


async def approved(tx: Tx, effective_on: date, limit: int) -> Sequence[Any]:
    """Approved items not yet applied, with where the person is now."""
    return await tx.rows(
        "SELECT w.person_id, w.remap_id, w.old_path, w.proposed_unit_id, w.approved_by, p.unit_path FROM unit_work_item w"
        " JOIN person p USING (person_id) WHERE w.effective_on = :on AND w.state = 'APPROVED' ORDER BY w.person_id LIMIT :limit",
        on=effective_on,
        limit=limit,
    )


async def applied(tx: Tx, effective_on: date, people: Sequence[UUID], state: str) -> None:
    """Close items: APPLIED, or STALE where the person had left the old unit meanwhile."""
    await tx.execute(
        "UPDATE unit_work_item SET state = :state WHERE effective_on = :on AND person_id = ANY(CAST(:people AS uuid[]))",
        state=state,
        on=effective_on,
        people=list(people),
    )
