"""Accounts of payees one by one: registering, putting in order, reading a whole number, reviews by two people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

from accounts.domain.status import Cause, transitions_values
from accounts.storage.method_sql import COLLECTOR
from common.db import Tx
from common.tracing import HERE_SQL

__all__ = [
    "accept", "account", "accounts_of", "add", "ask_again", "close_review", "open_review", "overtake", "propose_review", "reject",
    "review_page", "set_priorities",
]  # fmt: skip

_ADD: Final = """
INSERT INTO account AS a (payee_id, payee_kind, via_beneficiary_id, kind, provider_code, partner, number_cipher, number_blind,
                          masked_number, unit_code, unit_path, business_date, source, consent_on, consent_evidence, priority)
SELECT :payee_id, :payee_kind, b.beneficiary_id, :kind, :provider_code, :partner, :number_cipher, :number_blind, :masked_number,
       b.unit_code, b.unit_path, :business_date, :source, :consent_on, :consent_evidence,
       coalesce(CAST(:priority AS smallint),
                (SELECT least(coalesce(max(x.priority), 0) + 1, 99) FROM account x WHERE x.payee_id = :payee_id))
FROM beneficiary b WHERE b.beneficiary_id = :beneficiary_id
ON CONFLICT (payee_id, provider_code, number_blind) DO UPDATE SET business_date = excluded.business_date, source = excluded.source,
    consent_on = excluded.consent_on, consent_evidence = excluded.consent_evidence,
    check_due = a.check_due OR a.status <> 'ACTIVE', due_since = now(), next_try_at = now(), attempts = 0,
    traceparent = excluded.traceparent
RETURNING a.account_id, old.account_id IS NULL AS is_new, old.source, old.consent_on, old.business_date
"""

# Side by side: what the office knows of the payee and what the provider said of the holder.
_REVIEW: Final = f"""
SELECT a.account_id, a.version, a.payee_id, a.payee_kind, a.via_beneficiary_id AS beneficiary_id, b.file_code,
       b.full_name AS beneficiary_name, coalesce(r.full_name, b.full_name) AS payee_name, a.holder_name, a.kind, a.provider_code,
       a.masked_number, a.status, a.reason, a.ask_officer, a.police_answer, a.police_on, a.source,
       a.unit_code, a.unit_path, a.business_date,
       v.review_id, v.verdict, v.reason AS review_reason, v.evidence, v.proposed_by
FROM account a JOIN beneficiary b ON b.beneficiary_id = a.via_beneficiary_id
{COLLECTOR.format(a="a")}
LEFT JOIN account_review v ON v.account_id = a.account_id AND v.state = 'PROPOSED'
"""


async def add(tx: Tx, **values: Any) -> tuple[UUID, RowMapping | None]:
    """Register an account of a payee; (account, how it was known before). A known one is asked about again unless it works."""
    row = await tx.row(_ADD, **values)
    assert row is not None
    return row["account_id"], None if row["is_new"] else row


async def account(tx: Tx, account_id: UUID, scope: str, scope_params: dict[str, Any], *, lock: bool = False) -> RowMapping | None:
    """One account in scope, with its encrypted number."""
    return await tx.row(
        f"SELECT * FROM account a WHERE account_id = :id AND {scope}" + (" FOR NO KEY UPDATE" if lock else ""),
        id=account_id,
        **scope_params,
    )


async def accounts_of(tx: Tx, payee_id: UUID) -> Sequence[RowMapping]:
    """A payee's accounts in order of priority."""
    return await tx.rows("SELECT * FROM account WHERE payee_id = :id ORDER BY priority, account_id", id=payee_id)


async def set_priorities(tx: Tx, payee_id: UUID, account_ids: Sequence[UUID]) -> int:
    """Put a payee's accounts in this order; how many of them are the payee's."""
    return await tx.execute(
        "UPDATE account a SET priority = i.place FROM unnest(CAST(:ids AS uuid[])) WITH ORDINALITY AS i (account_id, place)"
        " WHERE a.account_id = i.account_id AND a.payee_id = :payee_id",
        ids=list(account_ids),
        payee_id=payee_id,
    )


async def review_page(
    tx: Tx, *, cause: str | None, after: UUID | None, limit: int, scope: str, scope_params: dict[str, Any]
) -> Sequence[RowMapping]:
    """One page of accounts that people must look at."""
    return await tx.rows(
        f"{_REVIEW} WHERE (a.status = 'NEEDS_REVIEW' OR a.ask_officer IS NOT NULL) AND {scope}"
        " AND (CAST(:cause AS text) IS NULL OR a.reason = :cause OR a.ask_officer = :cause)"
        " AND (CAST(:after AS uuid) IS NULL OR a.account_id > :after) ORDER BY a.account_id LIMIT :limit",
        cause=cause,
        after=after,
        limit=limit,
        **scope_params,
    )


async def propose_review(tx: Tx, **values: Any) -> None:
    """Store one person's proposal; an earlier one that nobody decided is overtaken."""
    await tx.execute("UPDATE account_review SET state = 'OVERTAKEN' WHERE account_id = :id AND state = 'PROPOSED'", id=values["account_id"])
    await tx.execute(
        "INSERT INTO account_review (review_id, account_id, account_version, verdict, reason, evidence, proposed_by)"
        " VALUES (:review_id, :account_id, :account_version, :verdict, :reason, :evidence, :proposed_by)",
        **values,
    )


async def open_review(tx: Tx, review_id: UUID) -> RowMapping | None:
    """A proposal nobody decided yet, locked."""
    return await tx.row("SELECT * FROM account_review WHERE review_id = :id AND state = 'PROPOSED' FOR UPDATE", id=review_id)


async def close_review(tx: Tx, review_id: UUID, state: str, by: str) -> None:
    """Record the second person's decision."""
    await tx.execute(
        "UPDATE account_review SET state = :state, decided_by = :by, decided_at = now() WHERE review_id = :id",
        id=review_id,
        state=state,
        by=by,
    )


async def overtake(tx: Tx, review_id: UUID) -> None:
    """The account changed after the proposal."""
    await tx.execute("UPDATE account_review SET state = 'OVERTAKEN' WHERE review_id = :id", id=review_id)


async def accept(tx: Tx, account_id: UUID, business_date: date) -> bool:
    """The account is the payee's after all; the same answer of the provider needs no review again. False where that move is refused."""
    return bool(
        await tx.execute(
            "UPDATE account a SET status = 'ACTIVE', accepted_reason = a.reason, accepted_holder = a.holder_name,"
            " accepted_fingerprint = coalesce(r.fingerprint, b.fingerprint), reason = NULL, check_due = false, ask_officer = NULL,"
            " objection = NULL, lease_owner = NULL, lease_until = NULL,"
            " business_date = :day FROM beneficiary b LEFT JOIN representative r ON r.beneficiary_id = b.beneficiary_id"
            "   AND r.representative_id = (SELECT payee_id FROM account x WHERE x.account_id = :id)"
            " WHERE a.account_id = :id AND b.beneficiary_id = a.via_beneficiary_id"
            f" AND (a.status, 'ACTIVE') IN ({transitions_values(Cause.REVIEW)})",
            id=account_id,
            day=business_date,
        )
    )


async def reject(tx: Tx, account_id: UUID, business_date: date) -> bool:
    """The account is not to be used, whatever the provider says later; one that is out of use already leaves the work list."""
    moved = await tx.execute(
        "UPDATE account a SET status = 'REJECTED', reason = 'REVIEWED', check_due = false, recheck_on = NULL, ask_officer = NULL,"
        " objection = 'REVIEWED', accepted_reason = NULL, accepted_holder = NULL, accepted_fingerprint = NULL, lease_owner = NULL,"
        " lease_until = NULL, business_date = :day WHERE account_id = :id"
        f" AND (a.status, 'REJECTED') IN ({transitions_values(Cause.REVIEW)})",
        id=account_id,
        day=business_date,
    )
    return bool(
        moved
        or await tx.execute(
            "UPDATE account SET ask_officer = NULL, objection = 'REVIEWED' WHERE account_id = :id AND ask_officer IS NOT NULL",
            id=account_id,
        )
    )


async def ask_again(tx: Tx, account_id: UUID) -> bool:
    """Ask the provider again."""
    return bool(
        await tx.execute(
            "UPDATE account SET check_due = true, due_since = now(), next_try_at = now(), attempts = 0, ask_officer = NULL,"
            f" traceparent = {HERE_SQL} WHERE account_id = :id",
            id=account_id,
        )
    )
