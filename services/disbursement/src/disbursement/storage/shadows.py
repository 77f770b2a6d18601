"""Shadow months: a trial list made by the very statements of a real one, compared with the office's rows, and taken away again.

The trial's cycle, list, lines, allocations and holds live only inside one transaction: nobody ever sees them, nothing can pay them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

from common.actor import Actor
from common.db import Tx
from disbursement.storage import cycles, lists

__all__ = [
    "ROW_COLUMNS",
    "add",
    "by_id",
    "compare",
    "decide",
    "differences",
    "figures",
    "live_from",
    "load",
    "page",
    "put",
    "summary",
    "trial",
]

ROW_COLUMNS: Final = (
    "shadow_id", "row_no", "file_code", "full_name", "name_folded", "birth_year", "amount", "method", "last4", "fault",
)  # fmt: skip

_TRIAL_SEQUENCE: Final = 1_000_000
"""No real cycle has this number; the trial's row is gone before anybody could meet it."""

_OURS: Final = """
CREATE TEMP TABLE shadow_ours ON COMMIT DROP AS
SELECT l.beneficiary_id, l.line_id, l.file_code, l.beneficiary_name AS full_name, l.amount, l.months, l.unit_code, l.unit_path,
       CASE WHEN l.channel IN ('CASH_POST', 'CASH_HOME') THEN 'CASH' ELSE 'ACCOUNT' END AS method, l.cash_reason,
       right(l.account_masked, 4) AS last4, CAST(NULL AS text) AS hold_reason
FROM list_line l WHERE l.list_id = :list_id
UNION ALL
SELECT h.beneficiary_id, NULL, h.file_code, coalesce(h.beneficiary_name, ''), h.amount, h.months, h.unit_code, h.unit_path, NULL, NULL,
       NULL, h.reason
FROM hold h WHERE h.list_id = :list_id
"""

_BELOW: Final = "(b.unit_path = :unit_path OR b.unit_path LIKE :unit_path || '/%')"

_MATCHES: Final = (
    f"""
UPDATE shadow_row r SET beneficiary_id = x.beneficiary_id, matched_by = 'CODE'
FROM (SELECT b.file_code, CAST(min(CAST(b.beneficiary_id AS text)) AS uuid) AS beneficiary_id FROM beneficiary b
      WHERE {_BELOW} AND b.file_code IS NOT NULL GROUP BY 1 HAVING count(*) = 1) x
WHERE r.shadow_id = :shadow_id AND x.file_code = r.file_code
""",
    # A name counts only where it names one person on both sides.
    f"""
UPDATE shadow_row r SET beneficiary_id = x.beneficiary_id, matched_by = 'NAME'
FROM (SELECT b.name_folded, y.birth_year, CAST(min(CAST(b.beneficiary_id AS text)) AS uuid) AS beneficiary_id
      FROM (SELECT name_folded, birth_year FROM shadow_row WHERE shadow_id = :shadow_id AND beneficiary_id IS NULL
            GROUP BY 1, 2 HAVING count(*) = 1) y
      JOIN beneficiary b ON b.name_folded = y.name_folded AND (y.birth_year IS NULL OR left(b.birth_date, 4) = y.birth_year)
      WHERE {_BELOW} GROUP BY 1, 2 HAVING count(*) = 1) x
WHERE r.shadow_id = :shadow_id AND r.beneficiary_id IS NULL AND r.name_folded = x.name_folded
  AND r.birth_year IS NOT DISTINCT FROM x.birth_year
  AND NOT EXISTS (SELECT FROM shadow_row o WHERE o.shadow_id = :shadow_id AND o.beneficiary_id = x.beneficiary_id)
""",
    """
UPDATE shadow_row r SET beneficiary_id = x.beneficiary_id, matched_by = 'CODE_ELSEWHERE'
FROM (SELECT b.file_code, CAST(min(CAST(b.beneficiary_id AS text)) AS uuid) AS beneficiary_id FROM beneficiary b
      WHERE b.file_code IN (SELECT file_code FROM shadow_row WHERE shadow_id = :shadow_id AND beneficiary_id IS NULL)
        AND b.unit_path <> :unit_path AND b.unit_path NOT LIKE :unit_path || '/%' GROUP BY 1 HAVING count(*) = 1) x
WHERE r.shadow_id = :shadow_id AND r.beneficiary_id IS NULL AND r.file_code = x.file_code
""",
)

_THEIRS: Final = """
CREATE TEMP TABLE shadow_theirs ON COMMIT DROP AS
SELECT beneficiary_id, min(row_no) AS row_no, count(*) AS times, CAST(sum(amount) AS bigint) AS amount, min(full_name) AS full_name,
       min(name_folded) AS name_folded, min(method) AS method, min(last4) AS last4, min(file_code) AS file_code,
       min(matched_by) AS matched_by, bool_or(fault IS NOT NULL) AS faulty
FROM shadow_row WHERE shadow_id = :shadow_id AND beneficiary_id IS NOT NULL GROUP BY 1
"""

# What is ours of a line, month by month with its legal basis; looked up by key, only for those who differ.
_BASIS: Final = """
SELECT string_agg(a.benefit_line || ' ' || to_char(a.month, 'MM/YYYY') || ' ' || a.amount || coalesce(' (' || i.basis || ')', ''), '; '
                  ORDER BY a.month, a.benefit_line) AS basis,
       CAST(sum(a.amount) FILTER (WHERE a.month = :month) AS bigint) AS month_amount,
       bool_or(a.month = :month AND a.amount = t.amount) AS is_one_line
FROM allocation a
LEFT JOIN due_interval i ON i.beneficiary_id = a.beneficiary_id AND i.programme = a.programme AND i.funding_source = a.funding_source
     AND i.benefit_line = a.benefit_line AND i.from_month <= a.month AND coalesce(i.to_month, 'infinity') >= a.month
WHERE a.line_id = o.line_id
"""

_DIFFERENCES: Final = f"""
WITH paired AS (
    SELECT o.*, t.row_no, t.times, t.amount AS t_amount, t.full_name AS t_name, t.name_folded AS t_folded, t.method AS t_method,
           t.last4 AS t_last4, t.matched_by, t.faulty, b.name_folded AS o_folded
    FROM shadow_ours o JOIN shadow_theirs t USING (beneficiary_id) LEFT JOIN beneficiary b USING (beneficiary_id)
), found AS (
    SELECT 'AMOUNT' AS kind,
           CASE WHEN x.month_amount = o.t_amount THEN 'ARREARS' WHEN x.is_one_line THEN 'ONE_LINE_ONLY'
                WHEN x.month_amount > 0 AND o.t_amount > o.amount AND o.t_amount % x.month_amount = 0 THEN 'SEVERAL_MONTHS'
                ELSE 'OTHER_AMOUNT' END AS why,
           o.beneficiary_id, o.row_no, o.file_code, o.full_name, o.t_name, o.unit_code, o.unit_path, o.amount, o.t_amount, o.method,
           o.t_method, o.last4, o.t_last4, o.months, x.basis
    FROM paired o CROSS JOIN LATERAL (SELECT o.t_amount AS amount) t CROSS JOIN LATERAL ({_BASIS}) x
    WHERE o.hold_reason IS NULL AND NOT o.faulty AND o.amount <> o.t_amount
    UNION ALL
    SELECT 'METHOD', coalesce(o.cash_reason, 'CHOSEN'), o.beneficiary_id, o.row_no, o.file_code, o.full_name, o.t_name, o.unit_code,
           o.unit_path, o.amount, o.t_amount, o.method, o.t_method, o.last4, o.t_last4, o.months, NULL
    FROM paired o WHERE o.hold_reason IS NULL AND o.method <> o.t_method
    UNION ALL
    SELECT 'ACCOUNT', 'OTHER_ACCOUNT', o.beneficiary_id, o.row_no, o.file_code, o.full_name, o.t_name, o.unit_code, o.unit_path, o.amount,
           o.t_amount, o.method, o.t_method, o.last4, o.t_last4, o.months, NULL
    FROM paired o WHERE o.hold_reason IS NULL AND o.method = 'ACCOUNT' AND o.last4 <> o.t_last4
    UNION ALL
    SELECT 'NAME', 'OTHER_NAME', o.beneficiary_id, o.row_no, o.file_code, o.full_name, o.t_name, o.unit_code, o.unit_path, o.amount,
           o.t_amount, o.method, o.t_method, o.last4, o.t_last4, o.months, NULL
    FROM paired o WHERE o.matched_by = 'CODE' AND o.o_folded <> o.t_folded
    UNION ALL
    SELECT 'TWICE', 'SUMMED', o.beneficiary_id, o.row_no, o.file_code, o.full_name, o.t_name, o.unit_code, o.unit_path, o.amount,
           o.t_amount, o.method, o.t_method, o.last4, o.t_last4, o.months, NULL
    FROM paired o WHERE o.times > 1
    UNION ALL
    SELECT 'UNREADABLE', 'AMOUNT_UNREADABLE', o.beneficiary_id, o.row_no, o.file_code, o.full_name, o.t_name, o.unit_code, o.unit_path,
           o.amount, NULL, o.method, o.t_method, o.last4, o.t_last4, o.months, NULL
    FROM paired o WHERE o.faulty
    UNION ALL
    SELECT 'HELD', o.hold_reason, o.beneficiary_id, o.row_no, o.file_code, o.full_name, o.t_name, o.unit_code, o.unit_path, o.amount,
           o.t_amount, NULL, o.t_method, NULL, o.t_last4, o.months, NULL
    FROM paired o WHERE o.hold_reason IS NOT NULL
    UNION ALL
    SELECT 'ONLY_OURS',
           CASE WHEN NOT CAST(:month AS date) = ANY(o.months) THEN 'ARREARS_ONLY'
                WHEN NOT EXISTS (SELECT FROM due_interval i WHERE i.beneficiary_id = o.beneficiary_id AND i.programme = :programme
                                 AND i.funding_source = :funding_source AND i.from_month < :month) THEN 'FIRST_MONTH'
                ELSE 'NOT_IN_FILE' END,
           o.beneficiary_id, NULL, o.file_code, o.full_name, NULL, o.unit_code, o.unit_path, o.amount, NULL, o.method, NULL, o.last4, NULL,
           o.months, x.basis
    FROM shadow_ours o CROSS JOIN LATERAL (SELECT CAST(NULL AS bigint) AS amount) t CROSS JOIN LATERAL ({_BASIS}) x
    WHERE o.hold_reason IS NULL AND NOT EXISTS (SELECT FROM shadow_theirs s WHERE s.beneficiary_id = o.beneficiary_id)
    UNION ALL
    SELECT 'ONLY_THEIRS',
           CASE WHEN b.status = 'DECEASED' THEN 'DECEASED' WHEN t.matched_by = 'CODE_ELSEWHERE' THEN 'OTHER_UNIT'
                WHEN x.ended THEN 'ENDED' WHEN x.later THEN 'STARTS_LATER' WHEN x.elsewhere THEN 'OTHER_SOURCE' ELSE 'NOTHING_DUE' END,
           CASE WHEN t.matched_by <> 'CODE_ELSEWHERE' THEN t.beneficiary_id END, t.row_no, t.file_code, t.full_name, t.full_name,
           CASE WHEN t.matched_by = 'CODE_ELSEWHERE' THEN :unit_code ELSE b.unit_code END,
           CASE WHEN t.matched_by = 'CODE_ELSEWHERE' THEN :unit_path ELSE b.unit_path END,
           NULL, t.amount, NULL, t.method, NULL, t.last4, NULL, NULL
    FROM shadow_theirs t JOIN beneficiary b USING (beneficiary_id)
    CROSS JOIN LATERAL (
        SELECT bool_or(i.programme = :programme AND i.funding_source = :funding_source AND i.to_month < :month) AS ended,
               bool_or(i.programme = :programme AND i.funding_source = :funding_source AND i.from_month > :month) AS later,
               bool_or(i.programme <> :programme OR i.funding_source <> :funding_source) AS elsewhere
        FROM due_interval i WHERE i.beneficiary_id = t.beneficiary_id
    ) x
    WHERE NOT EXISTS (SELECT FROM shadow_ours o WHERE o.beneficiary_id = t.beneficiary_id)
    UNION ALL
    SELECT 'ONLY_THEIRS',
           CASE WHEN EXISTS (SELECT FROM beneficiary b WHERE b.name_folded = r.name_folded AND {_BELOW}) THEN 'AMBIGUOUS_NAME'
                ELSE 'UNKNOWN_PERSON' END,
           NULL, r.row_no, r.file_code, r.full_name, r.full_name, :unit_code, :unit_path, NULL, r.amount, NULL, r.method, NULL,
           r.last4, NULL, NULL
    FROM shadow_row r WHERE r.shadow_id = :shadow_id AND r.beneficiary_id IS NULL
)
INSERT INTO shadow_difference (shadow_id, number, kind, why, beneficiary_id, row_no, file_code, full_name, theirs_name, unit_code,
                               unit_path, ours_amount, theirs_amount, ours_method, theirs_method, ours_last4, theirs_last4, months, basis)
SELECT :shadow_id, row_number() OVER (ORDER BY f.unit_path COLLATE "C", f.full_name COLLATE "C", f.row_no, f.kind), f.*
FROM (SELECT kind, why, beneficiary_id, row_no, file_code, full_name, t_name, unit_code, unit_path, amount, t_amount, method, t_method,
             last4, t_last4, months, basis FROM found) f
"""

_FIGURES: Final = """
SELECT (SELECT count(*) FROM shadow_row WHERE shadow_id = :shadow_id) AS rows,
       (SELECT CAST(coalesce(sum(amount), 0) AS bigint) FROM shadow_row WHERE shadow_id = :shadow_id) AS theirs_amount,
       (SELECT count(*) FROM shadow_ours WHERE hold_reason IS NULL) AS ours,
       (SELECT CAST(coalesce(sum(amount), 0) AS bigint) FROM shadow_ours WHERE hold_reason IS NULL) AS ours_amount,
       (SELECT count(*) FROM shadow_ours WHERE hold_reason IS NOT NULL) AS held,
       (SELECT count(*) FROM shadow_theirs t JOIN shadow_ours o USING (beneficiary_id)
        WHERE NOT EXISTS (SELECT FROM shadow_difference d WHERE d.shadow_id = :shadow_id AND d.beneficiary_id = t.beneficiary_id)) AS same,
       (SELECT count(*) FROM shadow_difference WHERE shadow_id = :shadow_id) AS differences
"""


async def live_from(tx: Tx, unit_path: str, programme: str) -> date | None:
    """The first platform month of the narrowest approved take-over at or above a unit; None before any."""
    value: date | None = await tx.value(
        "SELECT first_month FROM take_over WHERE state = 'APPROVED' AND programme = :programme"
        " AND (unit_path = :path OR :path LIKE unit_path || '/%') ORDER BY length(unit_path) DESC LIMIT 1",
        programme=programme, path=unit_path,
    )  # fmt: skip
    return value


async def add(tx: Tx, values: dict[str, Any]) -> None:
    """Keep a comparison's head with the file as it came (encrypted)."""
    names = ", ".join(values)
    await tx.execute(f"INSERT INTO shadow_month ({names}) VALUES ({', '.join(':' + name for name in values)})", **values)


async def load(tx: Tx, rows: Iterable[Sequence[Any]]) -> int:
    """COPY the office's rows (:data:`ROW_COLUMNS`)."""
    return await tx.copy("shadow_row", ROW_COLUMNS, rows)


async def trial(tx: Tx, shadow: dict[str, Any], *, grace_days: int, cash_partner: str, treasury_partner: str) -> str:
    """Make the list we would make, keep it as `shadow_ours`, and return its hash. What compares it must run before :func:`compare` ends."""
    shadow_id = shadow["shadow_id"]
    await tx.execute(
        "INSERT INTO payment_cycle (cycle_id, month, programme, funding_source, unit_code, unit_path, kind, sequence, state, business_date,"
        " cut_off_id, opened_by) VALUES (:shadow_id, :month, :programme, :funding_source, :unit_code, :unit_path, 'SUPPLEMENTARY',"
        f" {_TRIAL_SEQUENCE}, 'OPEN', :business_date, :shadow_id, :by)",
        by=shadow["compared_by"],
        **{name: shadow[name] for name in ("shadow_id", "month", "programme", "funding_source", "unit_code", "unit_path", "business_date")},
    )
    cycle = await cycles.by_id(tx, shadow_id)
    if cycle is None:
        raise LookupError(shadow_id)
    await lists.find_due(tx, cycle, as_if_from=shadow["month"])
    await cycles.add_list(tx, list_id=shadow_id, cycle_id=shadow_id, cut_off_id=shadow_id, business_date=shadow["business_date"],
                          by=shadow["compared_by"])  # fmt: skip
    await lists.compute(tx, cycle, shadow_id, grace_days=grace_days, cash_partner=cash_partner, treasury_partner=treasury_partner)
    head = await cycles.list_of(tx, shadow_id)
    if head is None:
        raise LookupError(shadow_id)
    # A trial has no cut-off of its own: the same people, dues and accounts are the same list.
    digest = await lists.hash_of(tx, cycle, {**head, "cut_off_id": UUID(int=0)})
    await tx.execute(_OURS, list_id=shadow_id)
    await tx.execute("ANALYZE shadow_ours")
    return digest


async def compare(tx: Tx, shadow: dict[str, Any]) -> None:
    """Pair the rows with the trial list, store every difference, and take the trial away."""
    names = ("shadow_id", "unit_path")
    for match in _MATCHES:
        used = {name: shadow[name] for name in names if f":{name}" in match}
        await tx.execute(match, **used)
    await tx.execute(_THEIRS, shadow_id=shadow["shadow_id"])
    await tx.execute("ANALYZE shadow_theirs")
    await tx.execute(
        _DIFFERENCES, **{name: shadow[name] for name in ("shadow_id", "unit_code", "unit_path", "month", "programme", "funding_source")}
    )
    await lists.drop_lines(tx, shadow["shadow_id"])
    await tx.execute("DELETE FROM payment_list WHERE list_id = :id", id=shadow["shadow_id"])
    await tx.execute("DELETE FROM payment_cycle WHERE cycle_id = :id", id=shadow["shadow_id"])


async def figures(tx: Tx, shadow_id: UUID) -> dict[str, int]:
    """How many rows, people, đồng, differences."""
    row = await tx.row(_FIGURES, shadow_id=shadow_id)
    return {name: int(value) for name, value in (row or {}).items()}


async def put(tx: Tx, shadow_id: UUID, values: dict[str, Any]) -> None:
    """Change a comparison's head."""
    sets = ", ".join(f"{name} = :{name}" for name in values)
    await tx.execute(f"UPDATE shadow_month SET {sets} WHERE shadow_id = :shadow_id", shadow_id=shadow_id, **values)


async def decide(tx: Tx, shadow_id: UUID, state: str, by: str, note: str) -> None:
    """Record the second person's word."""
    await tx.execute(
        "UPDATE shadow_month SET state = :state, decided_by = :by, decided_at = now(), decision_note = :note WHERE shadow_id = :id",
        state=state, by=by, note=note, id=shadow_id,
    )  # fmt: skip


_VIEW: Final = """
SELECT s.shadow_id, s.unit_code, s.unit_path, s.programme, s.funding_source, s.month, s.business_date, s.file_name, s.list_hash, s.figures,
       s.state, s.compared_by, s.compared_at, s.first_month, s.take_over_id, s.note, s.proposed_by, s.decided_by, s.decided_at,
       s.decision_note, t.state AS take_over_state
FROM shadow_month s LEFT JOIN take_over t USING (take_over_id)
"""


async def by_id(tx: Tx, actor: Actor, shadow_id: UUID, *, lock: bool = False) -> RowMapping | None:
    """One comparison in the actor's units."""
    scope, params = actor.scope_sql("s.unit_path")
    return await tx.row(f"{_VIEW} WHERE s.shadow_id = :id AND {scope}{' FOR UPDATE OF s' if lock else ''}", id=shadow_id, **params)


async def page(tx: Tx, actor: Actor, *, after: UUID | None, limit: int) -> Sequence[RowMapping]:
    """Comparisons in the actor's units, oldest first."""
    scope, params = actor.scope_sql("s.unit_path")
    return await tx.rows(
        f"{_VIEW} WHERE {scope} AND (CAST(:after AS uuid) IS NULL OR s.shadow_id > :after) ORDER BY s.shadow_id LIMIT :limit",
        after=after, limit=limit, **params,
    )  # fmt: skip


async def summary(tx: Tx, shadow_id: UUID) -> Sequence[RowMapping]:
    """Differences by unit, kind and reason."""
    return await tx.rows(
        "SELECT unit_code, kind, why, count(*) AS people, CAST(coalesce(sum(ours_amount), 0) AS bigint) AS ours_amount,"
        " CAST(coalesce(sum(theirs_amount), 0) AS bigint) AS theirs_amount FROM shadow_difference WHERE shadow_id = :id"
        " GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
        id=shadow_id,
    )


async def differences(tx: Tx, shadow_id: UUID, *, kind: str | None, after: int, limit: int) -> Sequence[RowMapping]:
    """Differences in order, after a number."""
    return await tx.rows(
        "SELECT * FROM shadow_difference WHERE shadow_id = :id AND number > :after AND (CAST(:kind AS text) IS NULL OR kind = :kind)"
        " ORDER BY number LIMIT :limit",
        id=shadow_id, kind=kind, after=after, limit=limit,
    )  # fmt: skip
