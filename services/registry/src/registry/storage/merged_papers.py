"""What was written about a merged file follows the survivor: decisions, moves, life events, relations of merit, survey questions.

Their attachments hang on them and go with them. Stays behind: moves that were received within the province, because they say which unit
paid which months of that file (the survivor's list of moves shows them all the same), and a death, which is the file's own.
Proposals of who collects end: they are made anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from common.db import Tx

__all__ = ["COUNTED", "PUT_BACK", "TABLES", "follow"]

_OF: Final = "t.person_id = ANY(CAST(:ids AS uuid[]))"
TABLES: Final[dict[str, str]] = {
    "decision": f"({_OF} OR t.dependant_id = ANY(CAST(:ids AS uuid[])))",
    "transfer": _OF,
    "life_event": _OF,
    "merit_relation": "(t.merit_person_id = ANY(CAST(:ids AS uuid[])) OR t.relative_id = ANY(CAST(:ids AS uuid[])))",
    "survey_task_person": _OF,
}
"""Table → which rows belong to the two people."""

PUT_BACK: Final = {"transfer": "transfer_id", "life_event": "event_id", "decision": "decision_id", "merit_relation": "relation_id"}
"""Tables whose rows others refer to: undoing sets them to what they were. Table → key."""

COUNTED: Final = frozenset({"transfer", "merit_relation"})
"""Those with a version."""

_FOLLOW: Final = (
    # A hand-over under way goes on from the survivor's unit; one to where the survivor is, or beside the survivor's own, ends.
    (
        "UPDATE transfer t SET person_id = :survivor, version = t.version + 1,"
        "  from_unit_code = CASE WHEN t.state = 'SENT' AND t.direction <> 'IN' THEN p.unit_code ELSE t.from_unit_code END,"
        "  from_path = CASE WHEN t.state = 'SENT' AND t.direction <> 'IN' THEN p.unit_path ELSE t.from_path END"
        " FROM person p WHERE t.person_id = :other AND p.person_id = :survivor"
        "  AND NOT (t.state = 'RECEIVED' AND t.direction = 'WITHIN')"
        "  AND (t.state <> 'SENT' OR t.to_path IS DISTINCT FROM p.unit_path"
        "       AND NOT EXISTS (SELECT FROM transfer o WHERE o.person_id = :survivor AND o.state = 'SENT'))"
    ),
    (
        "WITH ended AS (UPDATE transfer SET state = 'WITHDRAWN', answered_on = :day, answer_reason = 'Hồ sơ đã gộp', checked_at = now(),"
        "   version = version + 1 WHERE person_id = :other AND state = 'SENT' RETURNING transfer_id)"
        " UPDATE decision d SET state = 'WITHDRAWN', answer_reason = 'Hồ sơ đã gộp', checked_at = now()"
        " FROM ended WHERE d.transfer_id = ended.transfer_id AND d.state = 'PROPOSED'"
    ),
    (
        "UPDATE life_event v SET person_id = :survivor WHERE v.person_id = :other AND v.kind <> 'DEATH' AND (v.state <> 'PROPOSED'"
        " OR NOT EXISTS (SELECT FROM life_event o WHERE o.person_id = :survivor AND o.state = 'PROPOSED'))"
    ),
    "UPDATE decision SET person_id = :survivor WHERE person_id = :other",
    (
        "UPDATE representative_proposal SET state = 'WITHDRAWN', answer_reason = 'Hồ sơ đã gộp', checked_at = now()"
        " WHERE state = 'PROPOSED' AND :other IN (beneficiary_id, representative_id)"
    ),
    "UPDATE decision SET dependant_id = :survivor WHERE dependant_id = :other",
    # Relations that the survivor has too, or that would be with oneself, end; the others are the survivor's.
    (
        "UPDATE merit_relation r SET to_date = greatest(r.from_date, CAST(:day AS date)), version = r.version + 1"
        " WHERE r.to_date IS NULL AND :other IN (r.merit_person_id, r.relative_id) AND (:survivor IN (r.merit_person_id, r.relative_id)"
        "  OR EXISTS (SELECT FROM merit_relation o WHERE o.to_date IS NULL AND (o.relation, o.decision_number) = (r.relation,"
        "   r.decision_number) AND (o.merit_person_id = :survivor AND r.merit_person_id = :other AND o.relative_id = r.relative_id"
        "   OR o.relative_id = :survivor AND r.relative_id = :other AND o.merit_person_id = r.merit_person_id)))"
    ),
    (
        "UPDATE merit_relation r SET version = r.version + 1,"
        "  merit_person_id = CASE r.merit_person_id WHEN :other THEN CAST(:survivor AS uuid) ELSE r.merit_person_id END,"
        "  relative_id = CASE r.relative_id WHEN :other THEN CAST(:survivor AS uuid) ELSE r.relative_id END"
        " WHERE :other IN (r.merit_person_id, r.relative_id) AND :survivor NOT IN (r.merit_person_id, r.relative_id)"
    ),
    # Nobody is asked twice.
    (
        "DELETE FROM survey_task_person q WHERE q.person_id = :other AND q.preference IS NULL"
        " AND EXISTS (SELECT FROM survey_task_person o WHERE o.person_id = :survivor AND (o.preference IS NULL OR o.task_id = q.task_id))"
    ),
    (
        "UPDATE survey_task_person q SET person_id = :survivor WHERE q.person_id = :other"
        " AND NOT EXISTS (SELECT FROM survey_task_person o WHERE o.person_id = :survivor AND o.task_id = q.task_id)"
    ),
)
# A proposal about an allowance that goes on with the survivor is about that one now.
_PROPOSALS: Final = """
UPDATE decision d SET entitlement_id = n.entitlement_id
FROM split x JOIN entitlement e USING (entitlement_id), entitlement n
WHERE d.state = 'PROPOSED' AND d.entitlement_id = e.entitlement_id AND e.person_id = :other
  AND n.entitlement_id = ANY(CAST(:fresh AS uuid[]))
  AND (n.category, n.decision_number, n.ordinal) = (e.category, e.decision_number, x.ordinal)
"""


async def follow(tx: Tx, both: dict[str, Any], fresh: Sequence[UUID], day: date) -> None:
    """Let the papers of `other` follow `survivor`; `fresh` are the allowances that go on with the survivor, as `split` says."""
    for statement in _FOLLOW:
        wanted = {name: value for name, value in (both | {"day": day}).items() if f":{name}" in statement}
        await tx.execute(statement, **wanted)
    await tx.execute(_PROPOSALS, other=both["other"], fresh=list(fresh))
