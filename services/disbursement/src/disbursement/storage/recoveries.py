"""Recovery cases: found set-based where paid exceeds due, kept in step with the dues, told of in events."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

from common import outbox
from common.actor import Actor
from common.contracts.disbursement_v1 import RecoveryEvent
from common.db import Tx
from common.ids import new_id
from disbursement.domain.recovery import LIVING

__all__ = [
    "add_repayment",
    "claim",
    "decide_repayment",
    "find",
    "flag",
    "items",
    "look_again",
    "note_repaid",
    "over",
    "page",
    "publish",
    "repayments",
    "set_case",
    "share",
    "steps",
    "summary",
    "take_step",
    "write_items",
]

_LIVING: Final = ", ".join(f"'{state}'" for state in LIVING)


async def flag(tx: Tx, beneficiary_ids: Sequence[UUID], bodies: str) -> None:
    """Note people whose dues changed although something was paid or is on its way: they are looked at soon.

    `bodies` are the events that changed them: a case opens on their business date.
    """
    await tx.execute(
        "INSERT INTO recovery_check (beneficiary_id, business_date)"
        " SELECT e.beneficiary_id, max(e.business_date)"
        " FROM json_to_recordset(CAST(:bodies AS json)) AS e (beneficiary_id uuid, business_date date)"
        " WHERE e.beneficiary_id = ANY(CAST(:ids AS uuid[]))"
        " AND EXISTS (SELECT 1 FROM due_month_position p WHERE p.beneficiary_id = e.beneficiary_id AND p.paid + p.committed > 0)"
        " GROUP BY e.beneficiary_id ORDER BY e.beneficiary_id"
        " ON CONFLICT (beneficiary_id) DO UPDATE SET next_at = now(), business_date = excluded.business_date",
        ids=list(beneficiary_ids),
        bodies=bodies,
    )


async def look_again(tx: Tx) -> None:
    """Look soon at people of `payment_moved`: living cases of those whose partner sent money back, and all whose failure was corrected.

    A case opens on the day of the person's newest payment: that is the one that paid again.
    """
    await tx.execute(
        "INSERT INTO recovery_check (beneficiary_id, business_date) SELECT m.beneficiary_id, max(p.business_date)"
        " FROM payment_moved m JOIN payment p USING (beneficiary_id)"
        " WHERE m.source = 'CORRECTION' OR (m.status = 'RETURNED' AND EXISTS"
        f" (SELECT FROM recovery_case c WHERE c.beneficiary_id = m.beneficiary_id AND c.state IN ({_LIVING})))"
        " GROUP BY m.beneficiary_id ORDER BY m.beneficiary_id"
        " ON CONFLICT (beneficiary_id) DO UPDATE SET next_at = now()"
    )


async def claim(tx: Tx, limit: int, again_seconds: int) -> dict[UUID, date]:
    """People to look at now with the business date of their change; those with a payment on its way stay noted for later."""
    rows = await tx.rows(
        "UPDATE recovery_check SET next_at = now() + make_interval(secs => :seconds)"
        " WHERE beneficiary_id IN (SELECT beneficiary_id FROM recovery_check WHERE next_at <= now()"
        " ORDER BY next_at LIMIT :limit FOR UPDATE SKIP LOCKED) RETURNING beneficiary_id, business_date",
        limit=limit,
        seconds=again_seconds,
    )
    await tx.execute(
        "DELETE FROM recovery_check c WHERE c.beneficiary_id = ANY(CAST(:ids AS uuid[]))"
        " AND NOT EXISTS (SELECT 1 FROM due_month_position p WHERE p.beneficiary_id = c.beneficiary_id AND p.committed > 0)",
        ids=[row["beneficiary_id"] for row in rows],
    )
    return {row["beneficiary_id"]: row["business_date"] for row in rows}


_OVER: Final = f"""
WITH living AS MATERIALIZED (
    SELECT * FROM recovery_case WHERE beneficiary_id = ANY(CAST(:ids AS uuid[])) AND state IN ({_LIVING}) ORDER BY recovery_id FOR UPDATE
), own AS (
    SELECT c.beneficiary_id, c.programme, c.funding_source, s.benefit_line, s.month, CAST(sum(s.amount) AS bigint) AS repaid
    FROM living c JOIN recovery_share s ON s.recovery_id = c.recovery_id AND s.kind = 'REPAID' GROUP BY 1, 2, 3, 4, 5
), months AS (
    SELECT p.beneficiary_id, p.programme, p.funding_source, p.benefit_line, p.month, p.paid - p.repaid - p.waived AS held,
           coalesce(i.amount, 0) AS due, coalesce(o.repaid, 0) AS repaid,
           CASE WHEN i.status IS DISTINCT FROM 'RATE_MISSING' THEN greatest(p.paid - p.repaid - p.waived - coalesce(i.amount, 0), 0)
                ELSE 0 END AS extra
    FROM due_month_position p
    LEFT JOIN LATERAL (
        SELECT i.amount, i.status FROM due_interval i
        WHERE i.beneficiary_id = p.beneficiary_id AND i.programme = p.programme AND i.funding_source = p.funding_source
          AND i.benefit_line = p.benefit_line AND i.from_month <= p.month AND coalesce(i.to_month, 'infinity') >= p.month
    ) i ON true
    LEFT JOIN own o ON o.beneficiary_id = p.beneficiary_id AND o.programme = p.programme AND o.funding_source = p.funding_source
         AND o.benefit_line = p.benefit_line AND o.month = p.month
    WHERE p.beneficiary_id = ANY(CAST(:ids AS uuid[])) AND p.paid > 0
), sums AS (
    SELECT beneficiary_id, programme, funding_source, CAST(sum(extra) AS bigint) AS amount,
           array_agg(DISTINCT month ORDER BY month) AS months,
           json_agg(json_build_object('benefit_line', benefit_line, 'month', month, 'paid', held + repaid, 'due', due, 'repaid', repaid))
               AS items
    FROM months WHERE extra > 0 OR repaid > 0 GROUP BY 1, 2, 3
)
SELECT coalesce(s.beneficiary_id, c.beneficiary_id) AS beneficiary_id, coalesce(s.programme, c.programme) AS programme,
       coalesce(s.funding_source, c.funding_source) AS funding_source,
       coalesce(s.amount, 0) AS extra, coalesce(s.months, '{{}}') AS months, s.items,
       c.recovery_id, c.amount AS was, c.recovered, c.state, c.months AS were,
       coalesce(b.unit_code, d.unit_code, '') AS unit_code, coalesce(b.unit_path, d.unit_path, '') AS unit_path
FROM sums s FULL JOIN living c USING (beneficiary_id, programme, funding_source)
LEFT JOIN beneficiary b ON b.beneficiary_id = coalesce(s.beneficiary_id, c.beneficiary_id)
LEFT JOIN dues d ON d.beneficiary_id = coalesce(s.beneficiary_id, c.beneficiary_id)
"""


async def over(tx: Tx, beneficiary_ids: Sequence[UUID]) -> Sequence[RowMapping]:
    """What people hold beyond what is due now (`extra`), by programme and funding source, beside the living case (locked) if there is one.

    What came back or was waived, month by month, is not held any more or not asked for. Months without a loaded rate prove nothing.
    """
    return await tx.rows(_OVER, ids=list(beneficiary_ids))


async def write_items(tx: Tx, recovery_id: UUID, found: Sequence[Any]) -> None:
    """Which months of which lines the case is about, as they stand now."""
    await tx.execute("DELETE FROM recovery_item WHERE recovery_id = :id", id=recovery_id)
    await tx.copy(
        "recovery_item",
        ("recovery_id", "benefit_line", "month", "paid", "due", "repaid"),
        [
            (recovery_id, item["benefit_line"], date.fromisoformat(item["month"]), item["paid"], item["due"], item["repaid"])
            for item in found
        ],
    )


_SHARE: Final = """
WITH extra AS (
    SELECT i.benefit_line, i.month, i.paid - i.repaid - i.due AS extra,
           sum(i.paid - i.repaid - i.due) OVER (ORDER BY i.month, i.benefit_line) - (i.paid - i.repaid - i.due) AS before
    FROM recovery_item i WHERE i.recovery_id = :id AND i.paid - i.repaid > i.due
), added AS (
    INSERT INTO recovery_share (recovery_id, version, kind, benefit_line, month, amount)
    SELECT :id, c.version, :kind, e.benefit_line, e.month, least(e.extra, :amount - e.before)
    FROM extra e CROSS JOIN recovery_case c WHERE c.recovery_id = :id AND e.before < :amount
    RETURNING benefit_line, month, amount
), locked AS MATERIALIZED (
    SELECT p.beneficiary_id, p.programme, p.funding_source, p.benefit_line, p.month, a.amount
    FROM added a JOIN recovery_case c ON c.recovery_id = :id
    JOIN due_month_position p ON p.beneficiary_id = c.beneficiary_id AND p.programme = c.programme AND p.funding_source = c.funding_source
         AND p.benefit_line = a.benefit_line AND p.month = a.month
    ORDER BY p.beneficiary_id, p.programme, p.funding_source, p.benefit_line, p.month FOR UPDATE OF p
), changed AS (
    UPDATE due_month_position p SET {column} = p.{column} + l.amount
    FROM locked l
    WHERE (p.beneficiary_id, p.programme, p.funding_source, p.benefit_line, p.month)
        = (l.beneficiary_id, l.programme, l.funding_source, l.benefit_line, l.month)
    RETURNING l.amount
)
SELECT CAST(coalesce(sum(amount), 0) AS bigint) FROM changed
"""


async def share(tx: Tx, recovery_id: UUID, kind: str, amount: int) -> None:
    """Spread what came back (REPAID) or is not asked for (WAIVED) over the case's months, the oldest first, and take it off them.

    The case's items must be in step with its months. Raises LookupError when the months do not hold that much.
    """
    column = {"REPAID": "repaid", "WAIVED": "waived"}[kind]
    done = await tx.value(_SHARE.format(column=column), id=recovery_id, kind=kind, amount=amount)
    if int(done) != amount:
        raise LookupError(f"{amount} đồng of case {recovery_id} are not in its months: {done}")


async def note_repaid(tx: Tx, recovery_id: UUID) -> None:
    """Let the case's months say what came back of each."""
    await tx.execute(
        "UPDATE recovery_item i SET repaid = s.amount FROM (SELECT benefit_line, month, sum(amount) AS amount FROM recovery_share"
        " WHERE recovery_id = :id AND kind = 'REPAID' GROUP BY 1, 2) s"
        " WHERE i.recovery_id = :id AND i.benefit_line = s.benefit_line AND i.month = s.month",
        id=recovery_id,
    )


async def set_case(tx: Tx, recovery_id: UUID | None, values: dict[str, Any]) -> RowMapping:
    """Open a case (no id) or change one; its version counts up."""
    if recovery_id is None:
        names = ", ".join(values)
        row = await tx.row(f"INSERT INTO recovery_case ({names}) VALUES ({', '.join(':' + name for name in values)}) RETURNING *", **values)
    else:
        sets = ", ".join(f"{name} = :{name}" for name in values)
        row = await tx.row(
            f"UPDATE recovery_case SET {sets}, version = version + 1, updated_at = now() WHERE recovery_id = :recovery_id RETURNING *",
            recovery_id=recovery_id,
            **values,
        )
    if row is None:
        raise LookupError(recovery_id)
    return row


async def take_step(tx: Tx, case: RowMapping, action: str, note: str | None) -> UUID:
    """Keep what was done to a case, append-only; the step's id."""
    step_id = new_id()
    await tx.execute(
        "INSERT INTO recovery_step (step_id, recovery_id, version, action, state, amount, recovered, note, actor)"
        " VALUES (:step_id, :recovery_id, :version, :action, :state, :amount, :recovered, :note, :actor)",
        step_id=step_id,
        recovery_id=case["recovery_id"],
        version=case["version"],
        action=action,
        state=case["state"],
        amount=case["amount"],
        recovered=case["recovered"],
        note=note,
        actor=tx.actor.subject if tx.actor else "system",
    )
    return step_id


_EVENTS: Final = """
SELECT c.beneficiary_id AS key, uuidv7() AS event_id, CASE c.version WHEN 1 THEN 'RecoveryOpened' ELSE 'RecoveryChanged' END AS type,
       json_build_object('version', c.version, 'business_date', CAST(:business_date AS date), 'recovery_id', c.recovery_id,
           'beneficiary_id', c.beneficiary_id, 'programme', c.programme, 'funding_source', c.funding_source,
           'amount', greatest(c.amount - c.recovered, 0),
           'months', array(SELECT to_char(m, 'YYYY-MM') FROM unnest(c.months) AS m ORDER BY m), 'status', c.state,
           'unit_code', c.unit_code, 'unit_path', c.unit_path, 'recovered', c.recovered) AS body
FROM recovery_case c WHERE c.recovery_id = ANY(CAST(:ids AS uuid[])) ORDER BY c.recovery_id
"""


async def publish(tx: Tx, recovery_ids: Sequence[UUID], business_date: date) -> None:
    """Tell the full state of cases."""
    if recovery_ids:
        await outbox.insert_select(tx, RecoveryEvent, _EVENTS, typed=True, ids=list(recovery_ids), business_date=business_date)


async def page(tx: Tx, actor: Actor, *, state: str | None, after: UUID | None, limit: int) -> Sequence[RowMapping]:
    """Cases in the actor's units, oldest first."""
    scope, params = actor.scope_sql("c.unit_path")
    return await tx.rows(
        "SELECT c.*, b.full_name, b.file_code FROM recovery_case c LEFT JOIN beneficiary b USING (beneficiary_id)"
        f" WHERE {scope} AND (CAST(:state AS text) IS NULL OR c.state = :state)"
        " AND (CAST(:after AS uuid) IS NULL OR c.recovery_id > :after) ORDER BY c.recovery_id LIMIT :limit",
        state=state,
        after=after,
        limit=limit,
        **params,
    )


async def find(tx: Tx, actor: Actor, recovery_id: UUID, *, lock: bool = False) -> RowMapping | None:
    """One case in the actor's units."""
    scope, params = actor.scope_sql("c.unit_path")
    return await tx.row(
        "SELECT c.*, b.full_name, b.file_code FROM recovery_case c LEFT JOIN beneficiary b USING (beneficiary_id)"
        f" WHERE c.recovery_id = :id AND {scope}{' FOR UPDATE OF c' if lock else ''}",
        id=recovery_id,
        **params,
    )


async def items(tx: Tx, recovery_id: UUID) -> Sequence[RowMapping]:
    """The months of a case."""
    return await tx.rows("SELECT * FROM recovery_item WHERE recovery_id = :id ORDER BY month, benefit_line", id=recovery_id)


async def steps(tx: Tx, recovery_id: UUID) -> Sequence[RowMapping]:
    """What was done to a case, oldest first."""
    return await tx.rows("SELECT * FROM recovery_step WHERE recovery_id = :id ORDER BY version", id=recovery_id)


async def repayments(tx: Tx, recovery_id: UUID) -> Sequence[RowMapping]:
    """Money that came back, oldest first."""
    return await tx.rows("SELECT * FROM repayment WHERE recovery_id = :id ORDER BY repayment_id", id=recovery_id)


async def add_repayment(tx: Tx, values: dict[str, Any]) -> RowMapping | None:
    """Propose a repayment; None when this document is recorded already."""
    names = ", ".join(values)
    return await tx.row(
        f"INSERT INTO repayment ({names}) VALUES ({', '.join(':' + name for name in values)}) ON CONFLICT DO NOTHING RETURNING *", **values
    )


async def decide_repayment(tx: Tx, recovery_id: UUID, repayment_id: UUID, state: str, by: str) -> RowMapping | None:
    """The second person's word; None when there is no such proposal."""
    return await tx.row(
        "UPDATE repayment SET state = :state, decided_by = :by, decided_at = now()"
        " WHERE recovery_id = :recovery_id AND repayment_id = :repayment_id AND state = 'PROPOSED' RETURNING *",
        recovery_id=recovery_id,
        repayment_id=repayment_id,
        state=state,
        by=by,
    )


async def summary(tx: Tx, actor: Actor, year: int) -> Sequence[RowMapping]:
    """Cases opened in a year by programme, funding source and state: how many, how much, how much came back (yearly settlement)."""
    scope, params = actor.scope_sql("c.unit_path")
    return await tx.rows(
        "SELECT c.programme, c.funding_source, c.state, count(*) AS cases, CAST(sum(c.amount) AS bigint) AS amount,"
        " CAST(sum(c.recovered) AS bigint) AS recovered FROM recovery_case c"
        f" WHERE {scope} AND extract(year FROM c.opened_on) = :year GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
        year=year,
        **params,
    )
