"""Lists sent to the Social Insurance, its answers, and what they make known of people."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

import orjson

from common.actor import Actor
from common.db import Tx
from registry.domain.insurance import SOURCE, AnswerRow

__all__ = ["add_answer", "add_rows", "apply", "decide", "find", "find_answer", "freeze", "lines", "names", "page", "refused_rows"]

_LIST: Final = "list_id, unit_code, unit_path, programmes, business_date, people, sha256, created_by, created_at"


async def freeze(tx: Tx, list_id: UUID, unit: Any, programmes: Sequence[str], on: date, by: str) -> int:
    """Write down who is asked about, in an order that stays; how many people.

    Asked about are those who hold an allowance of the programmes: who is only paid a single sum (organiser of a funeral, gift) is not.
    """
    await tx.execute(
        "INSERT INTO insurance_list (list_id, unit_code, unit_path, programmes, business_date, people, sha256, created_by)"
        " VALUES (:id, :unit, :path, CAST(:programmes AS text[]), :on, 0, '', :by)",
        id=list_id,
        unit=unit["code"],
        path=unit["path"],
        programmes=list(programmes),
        on=on,
        by=by,
    )
    count = await tx.execute(
        "INSERT INTO insurance_line (list_id, line, person_id, full_name, birth_date, sex, masked_number, national_number, unit_code)"
        " SELECT :id, row_number() OVER (ORDER BY p.unit_path, regexp_replace(p.name_folded, '^.* ', ''), p.name_folded, p.person_id),"
        "   p.person_id, p.full_name, p.birth_date, p.sex, p.masked_number, p.national_number, p.unit_code"
        " FROM person p WHERE p.is_beneficiary AND p.merged_into IS NULL AND p.status = 'ACTIVE'"
        "   AND (p.unit_path = :path OR p.unit_path LIKE :below)"
        "   AND EXISTS (SELECT FROM entitlement e WHERE e.person_id = p.person_id AND e.programme = ANY(CAST(:programmes AS text[]))"
        "     AND e.until > greatest(e.from_month, date_trunc('month', CAST(:on AS date))))",
        id=list_id,
        on=on,
        programmes=list(programmes),
        path=unit["path"],
        below=unit["path"] + "/%",
    )
    await tx.execute(
        "UPDATE insurance_list SET people = :count, sha256 = (SELECT encode(sha256(convert_to(coalesce(string_agg(concat_ws('|', line,"
        " person_id, full_name, birth_date, masked_number), E'\\n' ORDER BY line), ''), 'UTF8')), 'hex')"
        " FROM insurance_line WHERE list_id = :id) WHERE list_id = :id",
        id=list_id,
        count=count,
    )
    return count


async def find(tx: Tx, list_id: UUID) -> Any | None:
    """One list."""
    return await tx.row(f"SELECT {_LIST} FROM insurance_list WHERE list_id = :id", id=list_id)


async def page(tx: Tx, actor: Actor, after: UUID | None, limit: int) -> Sequence[Any]:
    """Lists of the actor's area, by id."""
    scope, params = actor.scope_sql("unit_path")
    return await tx.rows(
        f"SELECT {_LIST} FROM insurance_list WHERE {scope} AND (CAST(:after AS uuid) IS NULL OR list_id > :after)"
        " ORDER BY list_id LIMIT :limit",
        after=after,
        limit=limit,
        **params,
    )


async def lines(tx: Tx, list_id: UUID) -> AsyncIterator[Any]:
    """The people of a list as they stood when it was frozen."""
    async for row in tx.stream("SELECT * FROM insurance_line WHERE list_id = :id ORDER BY line", id=list_id):
        yield row


async def names(tx: Tx, list_id: UUID) -> dict[int, str]:
    """Line → name."""
    rows = await tx.rows("SELECT line, full_name FROM insurance_line WHERE list_id = :id", id=list_id)
    return {row["line"]: row["full_name"] for row in rows}


async def add_answer(tx: Tx, values: dict[str, Any]) -> UUID | None:
    """Keep an answer file; None when the same bytes were taken before."""
    columns = list(values)
    found = await tx.value(
        f"INSERT INTO insurance_answer ({', '.join(columns)}) VALUES ({', '.join(':' + name for name in columns)})"
        " ON CONFLICT (sha256) DO NOTHING RETURNING answer_id",
        **values,
    )
    return None if found is None else UUID(str(found))


async def add_rows(tx: Tx, answer_id: UUID, rows: Iterable[AnswerRow]) -> int:
    """Keep the rows of an answer as understood. `until` is kept exclusive, as everywhere."""
    return await tx.copy(
        "insurance_answer_row",
        ("answer_id", "row_number", "line", "verdict", "kind", "from_month", "until", "monthly_amount", "reasons"),
        (
            (answer_id, row.number, row.line, row.verdict, row.kind, row.from_month, _after(row.until), row.amount,
             orjson.dumps(row.reasons).decode())
            for row in rows
        ),
    )  # fmt: skip


def _after(last: date | None) -> date | None:
    return None if last is None else date(last.year + last.month // 12, last.month % 12 + 1, 1)


async def find_answer(tx: Tx, answer_id: UUID, *, lock: bool = False) -> Any | None:
    """One answer with its counts and its list's unit."""
    return await tx.row(
        "SELECT a.answer_id, a.list_id, a.file_name, a.told_on, a.rows_good, a.rows_refused, a.state, a.created_by, a.created_at,"
        " a.decided_by, a.decided_at, l.unit_path, l.people, (SELECT count(DISTINCT r.line) FROM insurance_answer_row r"
        "   WHERE r.answer_id = a.answer_id AND r.reasons = '[]') AS lines_answered, (SELECT count(*) FROM insurance_answer_row r"
        "   WHERE r.answer_id = a.answer_id AND r.reasons = '[]' AND r.verdict = 'DRAWS') AS people_drawing"
        " FROM insurance_answer a JOIN insurance_list l USING (list_id) WHERE a.answer_id = :id" + (" FOR UPDATE OF a" if lock else ""),
        id=answer_id,
    )


async def refused_rows(tx: Tx, answer_id: UUID) -> Sequence[Any]:
    """Rows that could not be taken, and why."""
    return await tx.rows(
        "SELECT row_number, line, reasons FROM insurance_answer_row WHERE answer_id = :id AND reasons <> '[]' ORDER BY row_number",
        id=answer_id,
    )


# The newest word counts: what was told before and is not told again ends with the month before this answer.
_CLOSE: Final = """
UPDATE other_benefit o SET until = greatest(o.from_month + interval '1 month', date_trunc('month', CAST(:told AS date)))::date,
       told_on = :told, list_id = :list
FROM insurance_answer_row r JOIN insurance_line l ON l.list_id = :list AND l.line = r.line
WHERE r.answer_id = :answer AND r.reasons = '[]' AND o.person_id = l.person_id AND o.source = :source AND o.told_on <= :told
  AND o.until > date_trunc('month', CAST(:told AS date)) AND (r.verdict = 'NONE' OR (o.kind, o.from_month) <> (r.kind, r.from_month))
RETURNING o.person_id
"""
_TELL: Final = """
INSERT INTO other_benefit AS t (person_id, source, kind, from_month, until, monthly_amount, list_id, told_on)
SELECT l.person_id, :source, r.kind, r.from_month, coalesce(r.until, 'infinity'), r.monthly_amount, :list, :told
FROM insurance_answer_row r JOIN insurance_line l ON l.list_id = :list AND l.line = r.line
WHERE r.answer_id = :answer AND r.reasons = '[]' AND r.verdict = 'DRAWS'
ON CONFLICT (person_id, source, kind, from_month) DO UPDATE SET until = excluded.until, monthly_amount = excluded.monthly_amount,
    list_id = excluded.list_id, told_on = excluded.told_on
WHERE t.told_on <= excluded.told_on
RETURNING person_id
"""


async def apply(tx: Tx, answer: Any) -> list[UUID]:
    """Make the good rows known; the people whose other benefits changed."""
    given = {"answer": answer["answer_id"], "list": answer["list_id"], "told": answer["told_on"], "source": SOURCE}
    closed = await tx.rows(_CLOSE, **given)
    told = await tx.rows(_TELL, **given)
    return list(dict.fromkeys(row["person_id"] for row in (*closed, *told)))


async def decide(tx: Tx, answer_id: UUID, state: str, by: str) -> None:
    """Close an answer."""
    await tx.execute(
        "UPDATE insurance_answer SET state = :state, decided_by = :by, decided_at = now() WHERE answer_id = :id",
        id=answer_id,
        state=state,
        by=by,
    )
