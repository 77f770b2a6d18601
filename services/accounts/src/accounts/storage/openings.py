"""Requests to open accounts: made set-based for a unit and a bank, sent as lists, answered by notice or file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

from accounts.domain.openings import transitions_values
from accounts.storage.method_sql import NEW_ACCOUNT_FROM, NEW_TRUSTED
from common.contracts.accounts_v1 import AccountOpeningChanged
from common.db import Tx
from common.outbox import insert_select

__all__ = [
    "add_accounts", "answer", "batch", "batch_page", "batch_rows", "candidates", "choose_opened", "make", "note_result", "out_of_scope",
    "page", "publish", "result", "result_decided", "send", "withdraw", "withdraw_for",
]  # fmt: skip

# Who wants an account, is alive, and has none that works or is still being looked at. A child or a person with a guardian holds it
# through the guardian; a child without one cannot have one opened and is counted, not forgotten.
_WHO: Final = """
WITH wants AS (
    SELECT b.beneficiary_id, b.unit_code, b.unit_path, p.recorded_on, p.evidence, g.representative_id AS guardian_id,
           g.representative_id IS NULL
               AND coalesce(b.birth_date || substr('-12-31', length(b.birth_date) - 3) > :old_enough, false) AS child_alone
    FROM beneficiary b JOIN preference p USING (beneficiary_id)
    LEFT JOIN LATERAL (
        SELECT r.representative_id FROM representative r WHERE r.beneficiary_id = b.beneficiary_id AND r.kind = 'GUARDIAN'
        AND r.revoked_on IS NULL AND coalesce(r.valid_from <= :day, true) AND coalesce(r.valid_to >= :day, true)
        ORDER BY r.representative_id LIMIT 1
    ) g ON true
    WHERE (b.unit_path = :unit OR b.unit_path LIKE :below) AND b.status = 'ACTIVE' AND p.preference = 'WANTS_ACCOUNT'
      AND NOT EXISTS (SELECT FROM opening_request o WHERE o.beneficiary_id = b.beneficiary_id AND o.status IN ('REQUESTED', 'SENT'))
      AND NOT EXISTS (SELECT FROM account a WHERE a.payee_id = coalesce(g.representative_id, b.beneficiary_id)
                      AND a.status IN ('PENDING_CHECK', 'ACTIVE', 'NEEDS_REVIEW'))
)
"""
_COUNT: Final = f"""
{_WHO}
SELECT count(*) AS wanting, count(*) FILTER (WHERE child_alone) AS without_guardian,
       count(*) FILTER (WHERE NOT child_alone AND :written AND coalesce(evidence, '') = '') AS without_consent FROM wants
"""
_MAKE: Final = f"""
{_WHO}
INSERT INTO opening_request (beneficiary_id, payee_id, payee_kind, provider_code, consent_on, consent_evidence, unit_code, unit_path,
                             business_date, requested_by)
SELECT beneficiary_id, coalesce(guardian_id, beneficiary_id), CASE WHEN guardian_id IS NULL THEN 'SELF' ELSE 'GUARDIAN' END, :provider,
       recorded_on, evidence, unit_code, unit_path, :day, :by
FROM wants WHERE NOT child_alone AND NOT (:written AND coalesce(evidence, '') = '')
ON CONFLICT (beneficiary_id) WHERE status IN ('REQUESTED', 'SENT') DO NOTHING
RETURNING request_id
"""

_EVENTS: Final = """
SELECT o.payee_id AS key, uuidv7() AS event_id, json_build_object('version', o.version, 'business_date', o.business_date,
    'payee_id', o.payee_id, 'request_id', o.request_id, 'provider_code', o.provider_code, 'status', o.status, 'unit_code', o.unit_code,
    'unit_path', o.unit_path, 'beneficiary_id', o.beneficiary_id) AS body
FROM opening_request o WHERE o.request_id = ANY(CAST(:ids AS uuid[]))
"""

_SEND: Final = """
UPDATE opening_request SET status = 'SENT', version = version + 1, batch_id = :batch, business_date = :day
WHERE request_id IN (SELECT request_id FROM opening_request WHERE provider_code = :provider AND status = 'REQUESTED'
    AND (unit_path = :unit OR unit_path LIKE :below) ORDER BY request_id LIMIT :limit FOR UPDATE SKIP LOCKED)
RETURNING request_id
"""

# Believed only of requests that this provider was sent; the second answer to one request changes nothing.
_ANSWER: Final = f"""
UPDATE opening_request o SET status = i.status, version = o.version + 1, reason = i.reason, business_date = :day
FROM unnest(CAST(:request_id AS uuid[]), CAST(:status AS text[]), CAST(:reason AS text[])) AS i (request_id, status, reason)
WHERE o.request_id = i.request_id AND o.provider_code = :provider AND (o.status, i.status) IN ({transitions_values()})
  AND i.status IN ('OPENED', 'REFUSED')
RETURNING o.request_id, o.status
"""

_ADD_ACCOUNTS: Final = """
WITH opened AS (
    SELECT i.request_id, i.number_cipher, i.number_blind, i.masked, o.payee_id, o.payee_kind, o.beneficiary_id, o.provider_code,
           o.unit_code, o.unit_path, o.business_date, o.consent_on, o.consent_evidence, t.account_kind, p.partner
    FROM unnest(CAST(:request_id AS uuid[]), CAST(:number_cipher AS bytea[]), CAST(:number_blind AS bytea[]), CAST(:masked AS text[]))
        AS i (request_id, number_cipher, number_blind, masked)
    JOIN opening_request o USING (request_id) JOIN provider p ON p.code = o.provider_code JOIN provider_type t ON t.code = p.type_code
), stored AS (
    INSERT INTO account AS a (payee_id, payee_kind, via_beneficiary_id, kind, provider_code, partner, number_cipher, number_blind,
                              masked_number, unit_code, unit_path, business_date, source, consent_on, consent_evidence, priority)
    SELECT DISTINCT ON (payee_id, provider_code, number_blind) payee_id, payee_kind, beneficiary_id, account_kind, provider_code, partner,
           number_cipher, number_blind, masked, unit_code, unit_path, business_date, 'OPENING', consent_on, consent_evidence,
           (SELECT least(coalesce(max(x.priority), 0) + 1, 99) FROM account x WHERE x.payee_id = opened.payee_id)
    FROM opened ORDER BY payee_id, provider_code, number_blind, request_id
    ON CONFLICT (payee_id, provider_code, number_blind) DO UPDATE SET check_due = true, due_since = now(), next_try_at = now(),
        attempts = 0, traceparent = excluded.traceparent
    RETURNING a.account_id, a.payee_id, a.provider_code, a.number_blind
)
UPDATE opening_request o SET account_id = s.account_id
FROM opened n JOIN stored s USING (payee_id, provider_code, number_blind) WHERE o.request_id = n.request_id
RETURNING o.request_id, o.beneficiary_id
"""

# The person asked for this account: it becomes the way to be paid, as soon as the name inquiry agrees; until then, cash. Not for who has
# said since that no account is wanted, nor through a guardian whose right has ended.
_CHOOSE: Final = f"""
INSERT INTO payout_method AS m (beneficiary_id, version, payee_id, payee_kind, method, account_id, unit_code, unit_path, business_date)
SELECT o.beneficiary_id, 1, o.payee_id, o.payee_kind, 'ACCOUNT', o.account_id, o.unit_code, o.unit_path, o.business_date
FROM opening_request o WHERE o.request_id = ANY(CAST(:ids AS uuid[])) AND o.account_id IS NOT NULL
  AND NOT EXISTS (SELECT FROM preference p WHERE p.beneficiary_id = o.beneficiary_id AND p.preference IN ('DECLINES', 'FORCE_MAJEURE'))
  AND (o.payee_id = o.beneficiary_id OR EXISTS (SELECT FROM representative r WHERE r.beneficiary_id = o.beneficiary_id
       AND r.representative_id = o.payee_id AND r.revoked_on IS NULL))
ON CONFLICT (beneficiary_id) DO UPDATE SET version = m.version + 1, payee_id = excluded.payee_id, payee_kind = excluded.payee_kind,
    method = 'ACCOUNT', account_id = excluded.account_id, reason = NULL, home_reason_cipher = NULL, business_date = excluded.business_date,
    trusted_account_id = {NEW_TRUSTED}, account_from = {NEW_ACCOUNT_FROM}
WHERE m.method <> 'ACCOUNT' AND m.reason IS DISTINCT FROM 'FRAUD_CONFIRMED'
RETURNING m.beneficiary_id
"""


async def candidates(tx: Tx, *, unit: str, day: date, old_enough: str, written: bool) -> RowMapping:
    """How many of a unit want an account and have none; how many of these lack a guardian or a written consent."""
    row = await tx.row(_COUNT, unit=unit, below=unit + "/%", day=day, old_enough=old_enough, written=written)
    assert row is not None
    return row


async def make(tx: Tx, *, unit: str, provider: str, day: date, old_enough: str, written: bool, by: str) -> list[UUID]:
    """Ask for accounts for everybody in a unit who may have one; the requests."""
    rows = await tx.rows(_MAKE, unit=unit, below=unit + "/%", provider=provider, day=day, old_enough=old_enough, written=written, by=by)
    return [row["request_id"] for row in rows]


async def publish(tx: Tx, request_ids: Sequence[UUID]) -> None:
    """Say the present state of these requests."""
    if request_ids:
        await insert_select(tx, AccountOpeningChanged, _EVENTS, ids=list(request_ids))


async def send(tx: Tx, batch: dict[str, Any], limit: int) -> list[UUID]:
    """Put a unit's open requests to one provider into a batch."""
    await tx.execute(
        "INSERT INTO opening_batch (batch_id, provider_code, unit_code, unit_path, people, business_date, created_by)"
        " VALUES (:batch_id, :provider_code, :unit_code, :unit_path, 0, :business_date, :created_by)",
        **batch,
    )
    rows = await tx.rows(
        _SEND, batch=batch["batch_id"], provider=batch["provider_code"], unit=batch["unit_path"], below=batch["unit_path"] + "/%",
        day=batch["business_date"], limit=limit,
    )  # fmt: skip
    await tx.execute("UPDATE opening_batch SET people = :n WHERE batch_id = :id", n=len(rows), id=batch["batch_id"])
    return [row["request_id"] for row in rows]


async def batch(tx: Tx, batch_id: UUID) -> RowMapping | None:
    """One batch."""
    return await tx.row("SELECT * FROM opening_batch WHERE batch_id = :id", id=batch_id)


async def batch_page(tx: Tx, *, after: UUID | None, limit: int, scope: str, scope_params: dict[str, Any]) -> Sequence[RowMapping]:
    """One page of batches in scope, with how many were answered."""
    return await tx.rows(
        "SELECT b.*, (SELECT count(*) FROM opening_request o WHERE o.batch_id = b.batch_id AND o.status = 'OPENED') AS opened,"
        " (SELECT count(*) FROM opening_request o WHERE o.batch_id = b.batch_id AND o.status = 'REFUSED') AS refused"
        f" FROM opening_batch b WHERE {scope} AND (CAST(:after AS uuid) IS NULL OR b.batch_id > :after) ORDER BY b.batch_id LIMIT :limit",
        after=after,
        limit=limit,
        **scope_params,
    )


async def batch_rows(tx: Tx, batch_id: UUID) -> Sequence[RowMapping]:
    """What the bank needs of each person: the holder's identity, sealed numbers still closed."""
    return await tx.rows(
        "SELECT o.request_id, b.file_code, b.full_name AS beneficiary_name, coalesce(r.full_name, b.full_name) AS holder_name,"
        " coalesce(r.birth_date, CASE WHEN r.representative_id IS NULL THEN b.birth_date END) AS holder_birth_date, o.payee_kind,"
        " CASE WHEN o.payee_kind = 'SELF' THEN b.number_token ELSE r.number_token END AS number_token, o.consent_on, o.unit_code"
        " FROM opening_request o JOIN beneficiary b USING (beneficiary_id) LEFT JOIN representative r"
        "   ON o.payee_kind <> 'SELF' AND r.beneficiary_id = o.beneficiary_id AND r.representative_id = o.payee_id"
        " WHERE o.batch_id = :id AND o.status <> 'WITHDRAWN' ORDER BY o.request_id",
        id=batch_id,
    )


async def page(
    tx: Tx, *, status: str | None, provider: str | None, after: UUID | None, limit: int, scope: str, scope_params: dict[str, Any]
) -> Sequence[RowMapping]:
    """One page of requests in scope."""
    return await tx.rows(
        "SELECT o.*, b.file_code, b.full_name, a.masked_number, a.status AS account_status FROM opening_request o"
        f" JOIN beneficiary b USING (beneficiary_id) LEFT JOIN account a USING (account_id) WHERE {scope}"
        " AND (CAST(:status AS text) IS NULL OR o.status = :status) AND (CAST(:provider AS text) IS NULL OR o.provider_code = :provider)"
        " AND (CAST(:after AS uuid) IS NULL OR o.request_id > :after) ORDER BY o.request_id LIMIT :limit",
        status=status,
        provider=provider,
        after=after,
        limit=limit,
        **scope_params,
    )


async def answer(tx: Tx, provider: str, day: date, results: Sequence[tuple[UUID, str, str | None]]) -> dict[UUID, str]:
    """Record a provider's answers (request, status, reason); request → status of those believed."""
    rows = await tx.rows(
        _ANSWER, provider=provider, day=day, request_id=[r[0] for r in results], status=[r[1] for r in results],
        reason=[r[2] for r in results],
    )  # fmt: skip
    return {row["request_id"]: row["status"] for row in rows}


async def add_accounts(tx: Tx, opened: Sequence[tuple[UUID, bytes, bytes, str]]) -> list[UUID]:
    """The accounts that were opened (request, number encrypted, blind, masked), to be checked like any other. Their beneficiaries."""
    rows = await tx.rows(
        _ADD_ACCOUNTS, request_id=[o[0] for o in opened], number_cipher=[o[1] for o in opened], number_blind=[o[2] for o in opened],
        masked=[o[3] for o in opened],
    )  # fmt: skip
    return [row["beneficiary_id"] for row in rows]


async def choose_opened(tx: Tx, request_ids: Sequence[UUID]) -> list[UUID]:
    """Pay those people into the account they asked for, unless they chose or said otherwise meanwhile. Beneficiaries changed."""
    rows = await tx.rows(_CHOOSE, ids=list(request_ids))
    return [row["beneficiary_id"] for row in rows]


async def out_of_scope(tx: Tx, request_ids: Sequence[UUID], scope: str, scope_params: dict[str, Any]) -> set[UUID]:
    """Those of these that are no request within the caller's units (`scope` over `o.unit_path`)."""
    rows = await tx.rows(
        "SELECT i.request_id FROM unnest(CAST(:ids AS uuid[])) AS i (request_id)"
        f" WHERE NOT EXISTS (SELECT FROM opening_request o WHERE o.request_id = i.request_id AND {scope})",
        ids=list(request_ids),
        **scope_params,
    )
    return {row["request_id"] for row in rows}


async def withdraw(tx: Tx, request_id: UUID, reason: str, scope: str, scope_params: dict[str, Any]) -> RowMapping | None:
    """Withdraw one open request in scope; its status and reason before, None when there is none."""
    return await tx.row(
        "UPDATE opening_request o SET status = 'WITHDRAWN', version = version + 1, reason = :reason"
        f" WHERE request_id = :id AND status IN ('REQUESTED', 'SENT') AND {scope} RETURNING old.status, old.reason",
        id=request_id,
        reason=reason,
        **scope_params,
    )


async def withdraw_for(tx: Tx, beneficiary_ids: Sequence[UUID]) -> list[UUID]:
    """Withdraw what was asked for people who no longer want it and whose bank has not been told yet; the requests."""
    rows = await tx.rows(
        "UPDATE opening_request SET status = 'WITHDRAWN', version = version + 1, reason = 'PREFERENCE'"
        " WHERE beneficiary_id = ANY(CAST(:ids AS uuid[])) AND status = 'REQUESTED' RETURNING request_id",
        ids=list(beneficiary_ids),
    )
    return [row["request_id"] for row in rows]


async def note_result(tx: Tx, *, provider: str, origin: str, content: bytes, rows: int, state: str, day: date, by: str) -> UUID | None:
    """Keep a notice or file of results, encrypted; None when it was taken before."""
    found = await tx.value(
        "INSERT INTO opening_result (provider_code, origin, content_cipher, rows, state, business_date, sent_by)"
        " VALUES (:provider, :origin, :content, :rows, :state, :day, :by) ON CONFLICT (provider_code, origin) DO NOTHING"
        " RETURNING result_id",
        provider=provider,
        origin=origin,
        content=content,
        rows=rows,
        state=state,
        day=day,
        by=by,
    )
    return None if found is None else UUID(str(found))


async def result(tx: Tx, result_id: UUID) -> RowMapping | None:
    """A stored file of results, locked."""
    return await tx.row("SELECT * FROM opening_result WHERE result_id = :id FOR NO KEY UPDATE", id=result_id)


async def result_decided(tx: Tx, result_id: UUID, *, state: str, outcome: dict[str, Any], by: str | None) -> None:
    """Record what became of it."""
    await tx.execute(
        "UPDATE opening_result SET state = :state, outcome = CAST(:outcome AS jsonb), decided_by = :by WHERE result_id = :id",
        id=result_id,
        state=state,
        outcome=outcome,
        by=by,
    )
