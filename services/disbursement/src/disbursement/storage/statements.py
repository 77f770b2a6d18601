"""Statements and differences as rows: received once, read, worked off by two people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

from common.actor import Actor
from common.db import Tx
from disbursement.storage.corrections import CORRECTED, WAITING_SQL, beyond_sql
from disbursement.storage.gate import BATCHES_OF_DEBIT

__all__ = [
    "add",
    "ageing",
    "break_of",
    "breaks_page",
    "by_id",
    "known",
    "lines_page",
    "lock",
    "page",
    "refuse",
    "set_break",
    "set_read",
    "set_reconciled",
    "step",
]

_HEAD: Final = (
    "statement_id, job_id, partner, source, form, message_id, file_name, from_date, to_date, opening, closing, state, refusal, lines, done,"
    " business_date, received_by, received_at, reconciled_at"
)

# What finds a difference again in the partner's own books.
_BOOKING: Final = "l.booked_on, l.direction, l.currency, l.partner_reference"
_LINE: Final = (
    "LEFT JOIN statement_line l ON l.statement_id = b.statement_id AND l.line_no = b.line_no"
    " LEFT JOIN payment p ON p.payment_id = b.payment_id"
)
_BEYOND: Final = beyond_sql(f"b.state <> 'RESOLVED' AND p.status IN ({CORRECTED})")
_OF_PAYMENT: Final = f"p.status AS payment_status, {WAITING_SQL}, {_BEYOND}"


async def add(tx: Tx, values: Mapping[str, Any]) -> RowMapping | None:
    """Store a statement; None when these bytes are there already."""
    names = ", ".join(values)
    return await tx.row(
        f"INSERT INTO statement ({names}) VALUES ({', '.join(':' + name for name in values)})"
        f" ON CONFLICT (partner, sha256) WHERE state <> 'REFUSED' DO NOTHING RETURNING {_HEAD}",
        **values,
    )


def _seen_by(actor: Actor) -> tuple[str, dict[str, Any]]:
    """A statement tells of everything a partner was given: who sees all of that may read it, and who brought it."""
    scope, params = actor.scope_sql("c.unit_path")
    others = f"SELECT b.partner FROM payment_batch b JOIN payment_cycle c USING (cycle_id) WHERE NOT {scope}"
    return f"(received_by = :me OR partner NOT IN ({others}))", {**params, "me": actor.subject}


async def by_id(tx: Tx, actor: Actor, statement_id: UUID) -> RowMapping | None:
    """A statement without its bytes, if the actor may read it."""
    seen, params = _seen_by(actor)
    return await tx.row(f"SELECT {_HEAD} FROM statement WHERE statement_id = :id AND {seen}", id=statement_id, **params)


async def known(tx: Tx, partner: str, sha256: bytes) -> RowMapping | None:
    """The statement of these bytes."""
    return await tx.row(
        f"SELECT {_HEAD} FROM statement WHERE partner = :partner AND sha256 = :sha256 AND state <> 'REFUSED'",
        partner=partner,
        sha256=sha256,
    )


async def lock(tx: Tx, statement_id: UUID) -> RowMapping | None:
    """A statement with its bytes, for the one worker that reads it."""
    return await tx.row(f"SELECT {_HEAD}, content FROM statement WHERE statement_id = :id FOR UPDATE", id=statement_id)


async def page(tx: Tx, actor: Actor, *, partner: str | None, after: UUID | None, limit: int) -> Sequence[RowMapping]:
    """Statements that the actor may read, newest first."""
    seen, params = _seen_by(actor)
    return await tx.rows(
        f"SELECT {_HEAD} FROM statement WHERE {seen} AND (CAST(:partner AS text) IS NULL OR partner = :partner)"
        " AND (CAST(:after AS uuid) IS NULL OR statement_id < :after) ORDER BY statement_id DESC LIMIT :limit",
        partner=partner,
        after=after,
        limit=limit,
        **params,
    )


async def refuse(tx: Tx, statement_id: UUID, refusal: str) -> None:
    """The file cannot be read: nothing of it counts, and the same file mended may come again."""
    await tx.execute("DELETE FROM statement_line WHERE statement_id = :id", id=statement_id)
    await tx.execute(
        "UPDATE statement SET state = 'REFUSED', refusal = :refusal, lines = 0 WHERE statement_id = :id", id=statement_id, refusal=refusal
    )


async def set_read(tx: Tx, statement_id: UUID, values: Mapping[str, Any]) -> None:
    """The lines are stored; what the file says of itself. Without a period it covers the days of its lines."""
    await tx.execute(
        "UPDATE statement SET state = 'READ', form = :form, message_id = :message_id, lines = :lines, opening = :opening,"
        " closing = :closing, from_date = coalesce(CAST(:from_date AS date), l.first), to_date = coalesce(CAST(:to_date AS date), l.last)"
        " FROM (SELECT min(booked_on) AS first, max(booked_on) AS last FROM statement_line WHERE statement_id = :id) l"
        " WHERE statement_id = :id",
        id=statement_id,
        **values,
    )


async def step(tx: Tx, statement_id: UUID, size: int) -> tuple[int, int] | None:
    """The next chunk of lines not yet judged, as (after, until) line numbers; None at the end."""
    row = await tx.row(
        "SELECT s.done, (SELECT max(line_no) FROM (SELECT line_no FROM statement_line l WHERE l.statement_id = s.statement_id"
        " AND l.line_no > s.done ORDER BY line_no LIMIT :size) x) AS until FROM statement s WHERE s.statement_id = :id",
        id=statement_id,
        size=size,
    )
    if row is None or row["until"] is None:
        return None
    await tx.execute("UPDATE statement SET done = :until WHERE statement_id = :id", id=statement_id, until=row["until"])
    return row["done"], row["until"]


async def set_reconciled(tx: Tx, statement_id: UUID) -> None:
    """Every line has its verdict."""
    await tx.execute("UPDATE statement SET state = 'RECONCILED', reconciled_at = now() WHERE statement_id = :id", id=statement_id)


async def lines_page(tx: Tx, statement_id: UUID, *, verdict: str | None, after: int, limit: int) -> Sequence[RowMapping]:
    """Lines of a statement in order of the file."""
    return await tx.rows(
        "SELECT line_no, booked_on, amount, currency, direction, reference, partner_reference, payment_id, batch_id, verdict"
        " FROM statement_line WHERE statement_id = :id AND line_no > :after AND (CAST(:verdict AS text) IS NULL OR verdict = :verdict)"
        " ORDER BY line_no LIMIT :limit",
        id=statement_id,
        verdict=verdict,
        after=after,
        limit=limit,
    )


async def breaks_page(
    tx: Tx, actor: Actor, *, partner: str | None, state: str | None, kind: str | None, after: UUID | None, limit: int
) -> Sequence[RowMapping]:
    """Differences in the actor's units, oldest first. One that belongs to no payment of ours is seen by all who may see any."""
    scope, params = actor.scope_sql("b.unit_path")
    return await tx.rows(
        f"SELECT b.*, {_BOOKING}, {_OF_PAYMENT} FROM reconciliation_break b {_LINE} WHERE (b.unit_path IS NULL OR {scope})"
        " AND (CAST(:after AS uuid) IS NULL OR b.break_id > :after) AND (CAST(:partner AS text) IS NULL OR b.partner = :partner)"
        " AND (CAST(:state AS text) IS NULL OR b.state = :state) AND (CAST(:kind AS text) IS NULL OR b.kind = :kind)"
        " ORDER BY b.break_id LIMIT :limit",
        after=after,
        partner=partner,
        state=state,
        kind=kind,
        limit=limit,
        **params,
    )


async def ageing(tx: Tx, actor: Actor, business_date: date) -> Sequence[RowMapping]:
    """Differences not ended, by partner, kind and age in days (0–3, 4–7, 8–30, over 30): how many, and how many đồng are in question."""
    scope, params = actor.scope_sql("b.unit_path")
    return await tx.rows(
        "SELECT b.partner, b.kind, a.age, count(*) AS breaks, "
        " CAST(sum(CASE b.kind WHEN 'AMOUNT_DIFFERS' THEN abs(b.theirs - b.ours) ELSE coalesce(b.theirs, b.ours) END) AS bigint) AS amount"
        " FROM reconciliation_break b, LATERAL (SELECT CASE WHEN d <= 3 THEN '0-3' WHEN d <= 7 THEN '4-7' WHEN d <= 30 THEN '8-30'"
        "   ELSE '31+' END AS age FROM (SELECT CAST(:day AS date) - b.opened_on AS d) x) a"
        f" WHERE b.state <> 'RESOLVED' AND (b.unit_path IS NULL OR {scope}) GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
        day=business_date,
        **params,
    )


async def break_of(tx: Tx, actor: Actor, break_id: UUID) -> RowMapping | None:
    """One difference in the actor's units, locked, with its payment's reference, amount and channel."""
    scope, params = actor.scope_sql("b.unit_path")
    of_batch, more = actor.scope_sql("q.unit_path")
    return await tx.row(
        "SELECT b.*, p.reference AS payment_reference, p.amount AS payment_amount, p.status AS payment_status, p.channel,"
        f" {WAITING_SQL} FROM reconciliation_break b LEFT JOIN payment p USING (payment_id)"
        f" WHERE b.break_id = :break_id AND (b.unit_path IS NULL OR {scope})"
        # A batch booked as one debit holds its payments' months: who ends that sees them all.
        f" AND NOT EXISTS (SELECT FROM statement_line s {BATCHES_OF_DEBIT.format(line='s')}"
        "  JOIN payment q ON q.batch_id = own.batch_id WHERE b.payment_id IS NULL"
        f"  AND s.statement_id = b.statement_id AND s.line_no = b.line_no AND NOT {of_batch}) FOR UPDATE OF b",
        break_id=break_id,
        **(params | more),
    )


async def set_break(tx: Tx, break_id: UUID, values: Mapping[str, Any]) -> RowMapping:
    """Set columns of a difference (names are ours) and count its version up."""
    sets = ", ".join(f"{name} = :{name}" for name in values)
    row = await tx.row(
        f"WITH b AS (UPDATE reconciliation_break SET {sets}, version = version + 1 WHERE break_id = :break_id RETURNING *)"
        f" SELECT b.*, {_BOOKING}, {_OF_PAYMENT} FROM b {_LINE}",
        break_id=break_id,
        **values,
    )
    if row is None:
        raise LookupError(break_id)
    return row
