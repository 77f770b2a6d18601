"""Partners' notices: stored raw and encrypted for ever, read once; and the quarantine of words that were not believed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

from common.actor import Actor
from common.db import Tx

__all__ = [
    "brought",
    "claim_waiting",
    "decide",
    "lock_brought",
    "mark",
    "quarantine_one",
    "quarantine_page",
    "quarantine_refused",
    "set_aside",
    "store",
    "waiting",
]


_STORE: Final = """
WITH added AS (
    INSERT INTO partner_notice (notice_id, partner, webhook_id, sent_at, body, body_digest, brought_by, batch_id)
    VALUES (:notice_id, :partner, :webhook_id, :sent_at, :body, :digest, :brought_by, CAST(:batch_id AS uuid))
    ON CONFLICT (partner, webhook_id) DO NOTHING RETURNING 1
)
SELECT true AS new, CAST(NULL AS bytea) AS body_digest FROM added
UNION ALL SELECT false, body_digest FROM partner_notice WHERE partner = :partner AND webhook_id = :webhook_id
"""


async def store(
    tx: Tx,
    *,
    notice_id: UUID,
    partner: str,
    webhook_id: str,
    sent_at: datetime,
    body: bytes,
    digest: bytes,
    brought_by: str | None = None,
    batch_id: UUID | None = None,
) -> bytes | None:
    """Store a verified notice, or an unsigned file and who brought it; None when it is new, else the digest stored first under this id."""
    seen = await tx.row(
        _STORE,
        notice_id=notice_id,
        partner=partner,
        webhook_id=webhook_id,
        sent_at=sent_at,
        body=body,
        digest=digest,
        brought_by=brought_by,
        batch_id=batch_id,
    )
    if seen is not None:
        return None if seen["new"] else bytes(seen["body_digest"])
    # Stored this very moment by somebody else: not there yet when we looked.
    stored = await tx.value(
        "SELECT body_digest FROM partner_notice WHERE partner = :partner AND webhook_id = :webhook_id",
        partner=partner,
        webhook_id=webhook_id,
    )
    return bytes(stored)


async def claim_waiting(tx: Tx, limit: int) -> Sequence[RowMapping]:
    """Lock the oldest notices to apply now, of one partner. They stay locked until this transaction ends."""
    return await tx.rows(
        "SELECT notice_id, partner, body, traceparent, brought_by, decided_by FROM partner_notice"
        " WHERE state = 'RECEIVED' AND next_try_at <= clock_timestamp() AND partner ="
        " (SELECT partner FROM partner_notice WHERE state = 'RECEIVED' AND next_try_at <= clock_timestamp() ORDER BY next_try_at LIMIT 1)"
        " ORDER BY next_try_at LIMIT :limit FOR UPDATE SKIP LOCKED",
        limit=limit,
    )


async def set_aside(tx: Tx, notice_id: UUID, error: str, *, first_seconds: int, longest_seconds: int) -> int:
    """A notice cannot be opened now: it is tried again after a pause that doubles. How often it failed so far."""
    return int(
        await tx.value(
            "UPDATE partner_notice SET failures = failures + 1, last_error = :error, next_try_at = clock_timestamp()"
            "   + make_interval(secs => least(:first * power(2, least(failures, 20)), :longest))"
            " WHERE notice_id = :notice_id RETURNING failures",
            notice_id=notice_id,
            error=error,
            first=first_seconds,
            longest=longest_seconds,
        )
    )


async def mark(tx: Tx, notice_ids: Sequence[UUID], states: Sequence[str], results: Sequence[int]) -> None:
    """Record that notices were applied or refused, and how many results they held."""
    await tx.execute(
        "UPDATE partner_notice n SET state = m.state, results = m.results,"
        " applied_at = CASE WHEN m.state <> 'WAITING' THEN clock_timestamp() END"
        " FROM unnest(CAST(:ids AS uuid[]), CAST(:states AS text[]), CAST(:results AS integer[])) AS m (notice_id, state, results)"
        " WHERE n.notice_id = m.notice_id",
        ids=list(notice_ids),
        states=list(states),
        results=list(results),
    )


async def brought(tx: Tx, batch_id: UUID) -> Sequence[RowMapping]:
    """The unsigned files that people brought as answers to a batch, oldest first."""
    return await tx.rows(
        "SELECT notice_id, state, results, received_at, brought_by, decided_by, decided_at, decision_note FROM partner_notice"
        " WHERE batch_id = :batch_id ORDER BY received_at, notice_id",
        batch_id=batch_id,
    )


async def lock_brought(tx: Tx, batch_id: UUID, notice_id: UUID) -> RowMapping | None:
    """One of them, locked."""
    return await tx.row(
        "SELECT notice_id, partner, state, results, brought_by FROM partner_notice"
        " WHERE batch_id = :batch_id AND notice_id = :notice_id FOR UPDATE",
        batch_id=batch_id,
        notice_id=notice_id,
    )


async def decide(tx: Tx, notice_id: UUID, by: str, note: str, *, confirm: bool) -> None:
    """The second person's word about an unsigned file: it is applied by the worker, or it counts for nothing."""
    await tx.execute(
        "UPDATE partner_notice SET state = :state, decided_by = :by, decided_at = clock_timestamp(), decision_note = :note,"
        " next_try_at = clock_timestamp() WHERE notice_id = :notice_id AND state = 'WAITING'",
        notice_id=notice_id,
        state="RECEIVED" if confirm else "REFUSED",
        by=by,
        note=note,
    )


async def quarantine_one(
    tx: Tx,
    *,
    partner: str,
    reason: str,
    source: str,
    source_id: str,
    said: dict[str, Any],
    fingerprint: str,
    raw: bytes | None = None,
    reference: str | None = None,
) -> None:
    """Set one word aside for a person; the same word twice is one row. `raw` is what was sent, encrypted.

    A batch that still cannot go stands again after somebody dismissed it: nothing else tells that its people are not paid.
    """
    await tx.execute(
        "INSERT INTO quarantine (partner, reason, source, source_id, said, fingerprint, raw, reference, payment_id, unit_path,"
        " dismissed_before)"
        " SELECT :partner, :reason, :source, :source_id, :said, :fingerprint, CAST(:raw AS bytea), r.reference, p.payment_id, p.unit_path,"
        "        b.n"
        " FROM (SELECT CAST(:reference AS text) AS reference) r LEFT JOIN payment p ON p.reference = r.reference"
        " CROSS JOIN (SELECT count(*) AS n FROM quarantine e WHERE e.partner = :partner AND e.fingerprint = :fingerprint) b"
        " WHERE b.n = 0 OR :source = 'BATCH'"
        " ON CONFLICT (partner, fingerprint) WHERE state = 'OPEN' DO NOTHING",
        reference=reference,
        partner=partner,
        reason=reason,
        source=source,
        source_id=source_id,
        said=said,
        fingerprint=fingerprint,
        raw=raw,
    )


# The same word again is the same row, whatever became of it.
_REFUSED: Final = """
INSERT INTO quarantine (partner, reason, source, source_id, said, fingerprint, reference, payment_id, unit_path)
SELECT :partner, r.reason, 'ANSWER', :source_id, jsonb_build_object('status', 'refused', 'code', r.code),
       r.reference || '|' || coalesce(r.code, '-'), r.reference, p.payment_id, p.unit_path
FROM unnest(CAST(:references AS text[]), CAST(:codes AS text[]), CAST(:reasons AS text[])) AS r (reference, code, reason)
LEFT JOIN payment p ON p.reference = r.reference
WHERE NOT EXISTS (SELECT FROM quarantine e WHERE e.partner = :partner AND e.fingerprint = r.reference || '|' || coalesce(r.code, '-'))
ORDER BY r.reference ON CONFLICT (partner, fingerprint) WHERE state = 'OPEN' DO NOTHING
"""


async def quarantine_refused(tx: Tx, partner: str, source_id: str, refused: Sequence[tuple[str, str | None, str]]) -> None:
    """Set refusals (reference, the partner's code, why they are not believed) in the answer to a batch aside for a person."""
    if refused:
        references, codes, reasons = zip(*refused, strict=True)
        await tx.execute(
            _REFUSED, partner=partner, source_id=source_id, references=list(references), codes=list(codes), reasons=list(reasons)
        )


_PAGE_SQL: Final = """
SELECT quarantine_id, partner, reason, source, source_id, reference, payment_id, said, state, outcome, note, resolved_by,
       dismissal_by, dismissal_note, repeats, dismissed_before, created_at
FROM quarantine q WHERE {where} ORDER BY quarantine_id LIMIT :limit
"""


async def quarantine_page(tx: Tx, actor: Actor, *, state: str, partner: str | None, after: UUID | None, limit: int) -> Sequence[RowMapping]:
    """Quarantined words about payments in the actor's units; words about no payment of ours are seen by all who may look."""
    scope, params = actor.scope_sql("q.unit_path")
    conditions = [f"(q.unit_path IS NULL OR {scope})", "q.state = :state"]
    if partner is not None:
        conditions.append("q.partner = :partner")
        params["partner"] = partner
    if after is not None:
        conditions.append("q.quarantine_id > :after")
        params["after"] = after
    return await tx.rows(_PAGE_SQL.format(where=" AND ".join(conditions)), state=state, limit=limit, **params)


async def waiting(tx: Tx) -> int:
    """Notices not yet applied."""
    return int(await tx.value("SELECT count(*) FROM partner_notice WHERE state = 'RECEIVED'"))
