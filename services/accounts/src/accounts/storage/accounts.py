"""Payout accounts: claiming due ones for a name inquiry, recording answers, and noticing accounts that several payees claim."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

from accounts.domain.outcome import SHARED, Outcome
from accounts.domain.status import Cause, transitions_values
from accounts.storage import alerts, history, methods
from accounts.storage.method_sql import COLLECTOR
from common.db import Tx
from common.tracing import HERE_SQL

__all__ = [
    "Claimed", "claim", "mark_failed_payment", "move", "note_police", "page", "put_back", "record", "say_vneid_again", "settle",
    "take_record_lock", "take_to_say_again",
]  # fmt: skip

_RECORD_LOCK: Final = 7_310_001


@dataclass(frozen=True, slots=True)
class Claimed:
    """One claimed account with what is needed to ask about it, and what two people accepted of it before."""

    account_id: UUID
    partner: str
    provider_code: str
    number_cipher: bytes
    payee_name: str
    number_token: str | None
    source: str
    fingerprint: str
    accepted_reason: str | None
    accepted_holder: str | None
    accepted_fingerprint: str | None
    payee_id: UUID
    via_beneficiary_id: UUID
    traceparent: str | None
    """Trace context of what asked for it, where traces are made."""


_FREE: Final = "{due} AND a.next_try_at <= now() AND (a.lease_until IS NULL OR a.lease_until < now())"
_NEW: Final = _FREE.format(due="a.check_due")
_AGAIN: Final = _FREE.format(due="a.recheck_on IS NOT NULL AND NOT a.check_due")
_PACE_SECONDS: Final = 10  # a slow provider is asked about as many at once as it answers in this time

# One partner at a time, so that one that is away holds up nobody else's accounts.
_WHICH: Final = """
SELECT p.partner, rate.per_second FROM unnest(CAST(:partners AS text[])) AS p (partner)
LEFT JOIN partner_state s USING (partner) LEFT JOIN inquiry_pace i USING (partner)
LEFT JOIN LATERAL (SELECT min(v.inquiries_per_second) AS per_second FROM provider v WHERE v.partner = p.partner) rate ON true
CROSS JOIN LATERAL (
    SELECT a.next_try_at FROM account a WHERE a.partner = p.partner AND {free} ORDER BY a.next_try_at LIMIT 1
) first
WHERE (s.open_until IS NULL OR s.open_until <= now())
  AND (rate.per_second IS NULL OR i.next_free_at IS NULL OR i.next_free_at <= now())
ORDER BY first.next_try_at LIMIT 1
"""

_CLAIM: Final = """
WITH due AS (
    SELECT a.account_id FROM account a WHERE a.partner = :partner AND {free}
    ORDER BY a.next_try_at LIMIT :limit FOR UPDATE OF a SKIP LOCKED
), taken AS (
    UPDATE account a SET lease_owner = :owner, lease_until = now() + make_interval(secs => :lease_seconds)
    FROM due WHERE a.account_id = due.account_id
    RETURNING a.*
)
SELECT t.account_id, t.partner, t.provider_code, t.number_cipher, t.source, t.accepted_reason, t.accepted_holder, t.accepted_fingerprint,
       t.payee_id, t.via_beneficiary_id, t.traceparent,
       coalesce(r.full_name, b.full_name) AS payee_name, coalesce(r.fingerprint, b.fingerprint) AS fingerprint,
       CASE WHEN t.payee_kind = 'SELF' THEN b.number_token ELSE r.number_token END AS number_token
FROM taken t
JOIN beneficiary b ON b.beneficiary_id = t.via_beneficiary_id
{collector}
"""

# The next turn of a provider with a limit; whoever comes second at the same moment finds it taken.
_TURN: Final = """
INSERT INTO inquiry_pace AS i (partner, next_free_at) VALUES (:partner, now() + make_interval(secs => :seconds))
ON CONFLICT (partner) DO UPDATE SET next_free_at = excluded.next_free_at WHERE i.next_free_at <= now()
RETURNING true
"""

# What people object to is not made good by the provider's word: they look again.
_RECORD: Final = f"""
UPDATE account a SET status = CASE WHEN i.status = 'ACTIVE' AND a.objection IS NOT NULL THEN 'NEEDS_REVIEW' ELSE i.status END,
    reason = CASE WHEN i.status = 'ACTIVE' THEN a.objection ELSE i.reason END,
    holder_name = i.holder_name, check_due = false, attempts = 0, last_error = NULL,
    lease_owner = NULL, lease_until = NULL, updated_at = now(), checked_on = coalesce(a.recheck_on, a.business_date),
    business_date = CASE WHEN a.status = i.status THEN a.business_date ELSE coalesce(a.recheck_on, a.business_date) END, recheck_on = NULL
FROM unnest(CAST(:account_id AS uuid[]), CAST(:status AS text[]), CAST(:reason AS text[]), CAST(:holder_name AS text[]))
     AS i (account_id, status, reason, holder_name)
WHERE a.account_id = i.account_id AND (a.check_due OR a.recheck_on IS NOT NULL) AND a.lease_owner = :owner
  AND (a.status, i.status) IN ({transitions_values(Cause.ANSWER)})
RETURNING a.account_id
"""

# An account counts as claimed by a payee while somebody's chosen way to be paid leads to it. What the provider says as a fact
# (not there, closed, dormant) stands; a verdict on one payee's name does not, since it cannot say whose account it is.
_SHARED: Final = f"""
WITH touched AS (
    SELECT DISTINCT provider_code, number_blind FROM account WHERE account_id = ANY(CAST(:ids AS uuid[]))
), shared AS (
    SELECT a.provider_code, a.number_blind FROM account a JOIN touched USING (provider_code, number_blind)
    WHERE EXISTS (SELECT FROM payout_method m WHERE m.account_id = a.account_id)
    GROUP BY 1, 2 HAVING count(DISTINCT a.payee_id) > 1
)
UPDATE account a SET status = 'NEEDS_REVIEW', reason = '{SHARED}' FROM shared s
WHERE a.provider_code = s.provider_code AND a.number_blind = s.number_blind AND a.accepted_reason IS DISTINCT FROM '{SHARED}'
  AND (a.status, 'NEEDS_REVIEW') IN ({transitions_values(Cause.SHARED)})
  AND (a.status <> 'REJECTED' OR a.reason IN ('NAME_DIFFERS', 'ID_DIFFERS'))
"""

_SETTLE: Final = """
WITH touched AS (
    SELECT DISTINCT provider_code, number_blind FROM account WHERE account_id = ANY(CAST(:ids AS uuid[]))
), now_said AS (
    SELECT a.account_id, jsonb_build_object('status', a.status, 'reason', a.reason, 'holder', a.holder_name,
        'unit', a.unit_path) AS said
    FROM account a JOIN touched USING (provider_code, number_blind) WHERE a.status <> 'PENDING_CHECK'
)
UPDATE account a SET version = a.version + 1, said = n.said, updated_at = now(),
    active_since = CASE WHEN a.status = 'ACTIVE' THEN coalesce(a.active_since, a.business_date) ELSE a.active_since END
FROM now_said n WHERE a.account_id = n.account_id AND a.said IS DISTINCT FROM n.said
RETURNING a.*
"""

_PUT_BACK: Final = """
UPDATE account a SET attempts = a.attempts + :counted, last_error = :error, lease_owner = NULL, lease_until = NULL,
    next_try_at = now() + make_interval(secs => CAST(:wait_seconds AS double precision) * CASE WHEN :counted = 1
        THEN power(2, least(a.attempts, 8)) ELSE 1 END)
WHERE a.account_id = ANY(CAST(:ids AS uuid[])) AND (a.check_due OR a.recheck_on IS NOT NULL) AND a.lease_owner = :owner
"""

# A payment that failed says something of the account it went to: the one it names; of a payment that names none, the one of this
# payee at this partner that is chosen now. The officer is asked, for only the payee knows of another account.
_FAILED_PAYMENTS: Final = f"""
WITH failed AS (
    SELECT * FROM unnest(CAST(:beneficiary_id AS uuid[]), CAST(:payee_id AS uuid[]), CAST(:partner AS text[]), CAST(:account_id AS uuid[]),
        CAST(:status AS text[]), CAST(:reason AS text[]), CAST(:business_date AS date[]))
        AS f (beneficiary_id, payee_id, partner, account_id, status, reason, business_date)
)
UPDATE account a SET status = f.status, reason = f.reason, business_date = f.business_date, check_due = false, lease_owner = NULL,
    lease_until = NULL, ask_officer = 'PAYMENT_FAILED', accepted_reason = NULL, accepted_holder = NULL, accepted_fingerprint = NULL
FROM failed f LEFT JOIN payout_method m USING (beneficiary_id)
WHERE a.account_id = coalesce(f.account_id, m.account_id) AND a.payee_id = f.payee_id AND a.partner = f.partner
  AND (a.status, f.status) IN ({transitions_values(Cause.PAYMENT)})
RETURNING a.account_id, old.status AS was, new.status
"""


# The answer names the person, not the account: a no is held against every account of the payee that is used or may be, a yes is
# evidence only where there is one. Each answer counts once, also when it is told again (a move, a grace period).
_POLICE: Final = f"""
WITH said AS (
    SELECT * FROM unnest(CAST(:payee_id AS uuid[]), CAST(:answer AS text[]), CAST(:day AS date[])) AS s (payee_id, answer, day)
), concerned AS (
    SELECT a.account_id, s.answer, s.day, count(*) OVER (PARTITION BY a.payee_id) AS accounts
    FROM account a JOIN said s USING (payee_id) WHERE a.status IN ('PENDING_CHECK', 'ACTIVE', 'NEEDS_REVIEW')
)
UPDATE account a SET police_answer = c.answer, police_on = c.day,
    objection = CASE c.answer WHEN 'mismatch' THEN coalesce(a.objection, 'POLICE_DIFFERS') ELSE nullif(a.objection, 'POLICE_DIFFERS') END,
    status = CASE WHEN c.answer = 'mismatch' AND m.old IS NOT NULL THEN 'NEEDS_REVIEW' ELSE a.status END,
    reason = CASE WHEN c.answer = 'mismatch' AND m.old IS NOT NULL THEN 'POLICE_DIFFERS' ELSE a.reason END,
    due_since = CASE WHEN a.check_due THEN a.due_since ELSE now() END,
    next_try_at = CASE WHEN a.check_due THEN a.next_try_at ELSE now() END,
    traceparent = CASE WHEN a.check_due THEN a.traceparent ELSE {HERE_SQL} END,
    check_due = a.check_due OR (c.answer = 'match' AND a.objection IS NOT DISTINCT FROM 'POLICE_DIFFERS')
FROM concerned c JOIN account n USING (account_id)
LEFT JOIN (VALUES {transitions_values(Cause.POLICE)}) AS m (old, new) ON m.old = n.status
WHERE a.account_id = c.account_id AND (c.answer = 'mismatch' OR c.accounts = 1) AND (a.police_on IS NULL OR a.police_on < c.day)
RETURNING a.account_id, old.status AS was, new.status
"""


async def take_record_lock(tx: Tx) -> None:
    """One recorder at a time: answers on a shared account touch each other's rows.

    Taken before the first row of `account` or `payout_method` by everything that changes several of them, so that nobody
    waits for it while holding a row its holder wants. Where :data:`people.ARRIVALS_LOCK` is needed too, that one is first.
    """
    await tx.execute(f"SELECT pg_advisory_xact_lock({_RECORD_LOCK})")


async def claim(tx: Tx, *, owner: str, partners: Sequence[str], limit: int, lease_seconds: int) -> list[Claimed]:
    """Lease up to `limit` due accounts of one of `partners`: the one longest due among those that may be asked now.

    New and changed accounts go first; the rolling plan takes what is left of a provider's rate.
    """
    for free in (_NEW, _AGAIN):
        which = await tx.row(_WHICH.format(free=free), partners=list(partners))
        if which is None:
            continue
        rate = which["per_second"]
        if rate is not None:
            limit = min(limit, max(1, int(rate * _PACE_SECONDS)))
            if not await tx.value(_TURN, partner=which["partner"], seconds=float(limit / rate)):
                return []
        rows = await tx.rows(
            _CLAIM.format(free=free, collector=COLLECTOR.format(a="t")),
            owner=owner,
            partner=which["partner"],
            limit=limit,
            lease_seconds=lease_seconds,
        )
        if rows:
            return [Claimed(**row) for row in rows]
    return []


async def record(tx: Tx, owner: str, outcomes: Sequence[tuple[UUID, Outcome]]) -> list[UUID]:
    """Store outcomes on accounts that are still ours; the ids of those."""
    rows = await tx.rows(
        _RECORD,
        owner=owner,
        account_id=[account_id for account_id, _ in outcomes],
        status=[outcome.status.value for _, outcome in outcomes],
        reason=[outcome.reason for _, outcome in outcomes],
        holder_name=[outcome.holder_name for _, outcome in outcomes],
    )
    return [row["account_id"] for row in rows]


async def settle(tx: Tx, account_ids: Sequence[UUID]) -> Sequence[RowMapping]:
    """Apply the rule on shared accounts around these, raise the version of every account whose state changed, return those.

    Changes are kept in the history; an account that several payees claim raises an alert; whoever's account came to its end
    falls over to the payee's next one.
    """
    if not account_ids:
        return []
    if await tx.execute(_SHARED, ids=list(account_ids)):
        day = await tx.value("SELECT max(business_date) FROM account WHERE account_id = ANY(CAST(:ids AS uuid[]))", ids=list(account_ids))
        await alerts.look_at_numbers(tx, account_ids, day)
        await methods.hold_newcomers(tx, day)
    changed = await tx.rows(_SETTLE, ids=list(account_ids))
    if changed:
        ids = [row["account_id"] for row in changed]
        await history.note_accounts(tx, ids, subject=tx.actor.subject if tx.actor is not None else "system:accounts")
        await methods.fall_over(tx, ids)
    return changed


async def note_police(tx: Tx, answers: Sequence[tuple[UUID, str, date]]) -> Sequence[RowMapping]:
    """What the police say of payees' accounts: (payee, match or mismatch, day of the check). The accounts that concerns, `was` and is."""
    return await tx.rows(
        _POLICE, payee_id=[item[0] for item in answers], answer=[item[1] for item in answers], day=[item[2] for item in answers]
    )


async def say_vneid_again(tx: Tx) -> int:
    """Whether accounts known from VNeID may be paid into was decided anew: they are said again. How many."""
    return await tx.execute("UPDATE account SET say_again = true WHERE source = 'VNEID' AND version > 0")


async def take_to_say_again(tx: Tx, limit: int) -> list[UUID]:
    """Up to `limit` accounts of which something else than the state has changed; `settle` finds them changed then."""
    rows = await tx.rows(
        "UPDATE account a SET say_again = false, said = NULL WHERE account_id IN"
        " (SELECT account_id FROM account WHERE say_again ORDER BY account_id LIMIT :limit) RETURNING account_id",
        limit=limit,
    )
    return [row["account_id"] for row in rows]


async def put_back(tx: Tx, owner: str, ids: Sequence[UUID], *, error: str, wait_seconds: float, counted: bool) -> None:
    """Release accounts to be asked about later. `counted`: the partner failed on these very accounts, their own back-off doubles."""
    await tx.execute(_PUT_BACK, owner=owner, ids=list(ids), error=error, wait_seconds=wait_seconds, counted=int(counted))


async def mark_failed_payment(tx: Tx, failed: Sequence[tuple[UUID, UUID, str, UUID | None, str, str, date]]) -> Sequence[RowMapping]:
    """Mark the accounts of failed payments: (beneficiary, payee, partner, account, status, reason, business date).

    Those changed, with the status each `was` in and has now.
    """
    names = ("beneficiary_id", "payee_id", "partner", "account_id", "status", "reason", "business_date")
    columns = {name: [item[index] for item in failed] for index, name in enumerate(names)}
    return await tx.rows(_FAILED_PAYMENTS, **columns)


async def move(tx: Tx, beneficiary_ids: Sequence[UUID]) -> list[UUID]:
    """Take accounts along to the unit their beneficiary moved to; ids of those that moved."""
    rows = await tx.rows(
        "UPDATE account a SET unit_code = b.unit_code, unit_path = b.unit_path, business_date = b.business_date FROM beneficiary b"
        " WHERE a.via_beneficiary_id = b.beneficiary_id AND b.beneficiary_id = ANY(CAST(:ids AS uuid[])) AND a.unit_path <> b.unit_path"
        " RETURNING a.account_id",
        ids=list(beneficiary_ids),
    )
    return [row["account_id"] for row in rows]


async def page(
    tx: Tx, *, status: str | None, after: UUID | None, limit: int, scope: str, scope_params: dict[str, Any]
) -> Sequence[RowMapping]:
    """One page of accounts, numbers masked, in id order."""
    return await tx.rows(
        "SELECT account_id, payee_id, payee_kind, kind, provider_code, partner, masked_number, holder_name, status, reason, version,"
        f" unit_code, unit_path, business_date, priority, source, consent_on, checked_on FROM account a WHERE {scope}"
        " AND (CAST(:status AS text) IS NULL OR status = :status)"
        " AND (CAST(:after AS uuid) IS NULL OR account_id > :after) ORDER BY account_id LIMIT :limit",
        status=status,
        after=after,
        limit=limit,
        **scope_params,
    )
