"""Noticing possible fraud, set-based, in the transaction of the change; and what people decide about it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

from accounts.domain.alerts import TRANSITIONS
from accounts.storage.policy import number_sql
from common.db import Tx

__all__ = [
    "decide", "find", "flag_people", "hold_newcomers", "look_at_numbers", "look_at_representatives", "look_at_user", "page", "people",
    "to_cash",
]  # fmt: skip

# `found` yields key, shown, subject, beneficiary_id, unit_path and measured: what is counted against the threshold. An alert that was
# cleared comes back only when clearly more is behind it than when it was cleared.
_KEEP: Final = """
, grouped AS (
    SELECT key, min(shown) AS shown, min(subject) AS subject, count(DISTINCT beneficiary_id) AS people,
           array_agg(DISTINCT unit_path) AS unit_paths
    FROM found GROUP BY key HAVING count(DISTINCT measured) >= {threshold}
), kept AS (
    INSERT INTO alert AS a (kind, key, shown, subject, people, threshold, unit_paths, opened_on)
    SELECT '{kind}', g.key, g.shown, g.subject, g.people, {threshold}, g.unit_paths, :business_date FROM grouped g
    WHERE NOT EXISTS (SELECT FROM alert c WHERE c.kind = '{kind}' AND c.key = g.key AND c.state = 'CLEARED'
                      AND g.people < c.people + {threshold})
    ON CONFLICT (kind, key) WHERE state IN ('OPEN', 'SUSPECTED') DO UPDATE SET
        people = excluded.people, unit_paths = excluded.unit_paths, shown = excluded.shown
    RETURNING a.alert_id, a.key
)
INSERT INTO alert_person (alert_id, beneficiary_id)
SELECT DISTINCT k.alert_id, f.beneficiary_id FROM kept k JOIN found f USING (key) ON CONFLICT DO NOTHING
"""

_NUMBERS: Final = """
WITH touched AS (
    SELECT DISTINCT provider_code, number_blind FROM account WHERE account_id = ANY(CAST(:ids AS uuid[]))
), found AS (
    SELECT a.provider_code || ':' || encode(a.number_blind, 'hex') AS key, a.provider_code || ' ' || a.masked_number AS shown,
           CAST(NULL AS text) AS subject, m.beneficiary_id, m.unit_path, a.payee_id AS measured
    FROM touched t JOIN account a USING (provider_code, number_blind) JOIN payout_method m USING (account_id)
)""" + _KEEP.format(kind="SHARED_ACCOUNT", threshold=2)

_REPRESENTATIVES: Final = """
WITH touched AS (
    SELECT DISTINCT r.fingerprint FROM payout_method m
    JOIN representative r ON r.beneficiary_id = m.beneficiary_id AND r.representative_id = m.payee_id
    WHERE m.beneficiary_id = ANY(CAST(:ids AS uuid[])) AND m.payee_kind <> 'SELF'
), found AS (
    SELECT r.fingerprint AS key, r.full_name AS shown, CAST(NULL AS text) AS subject, m.beneficiary_id, m.unit_path,
           m.beneficiary_id AS measured
    FROM touched t JOIN representative r USING (fingerprint)
    JOIN payout_method m ON m.beneficiary_id = r.beneficiary_id AND m.payee_id = r.representative_id
    WHERE m.payee_kind <> 'SELF'
)""" + _KEEP.format(kind="ONE_REPRESENTATIVE", threshold=number_sql("ALERT_REPRESENTATIVE_PEOPLE"))

_USER: Final = """
WITH found AS (
    SELECT c.subject || ' ' || c.business_date AS key, c.subject || ' ' || c.business_date AS shown, c.subject, c.beneficiary_id,
           b.unit_path, c.beneficiary_id AS measured
    FROM account_change c JOIN beneficiary b USING (beneficiary_id)
    WHERE c.what = 'METHOD' AND c.subject = :subject AND c.business_date = :business_date AND NOT c.in_bulk
)""" + _KEEP.format(kind="BULK_CHANGES", threshold=number_sql("ALERT_BULK_CHANGES"))

_MOVES: Final = ", ".join(f"('{old}', '{new}')" for old, targets in TRANSITIONS.items() for new in sorted(targets))


async def look_at_numbers(tx: Tx, account_ids: Sequence[UUID], business_date: date) -> None:
    """Whether several payees claim an account among these."""
    await tx.execute(_NUMBERS, ids=list(account_ids), business_date=business_date)


async def look_at_representatives(tx: Tx, beneficiary_ids: Sequence[UUID], business_date: date) -> None:
    """Whether whoever collects for these people collects for many: by identity, not by file."""
    await tx.execute(_REPRESENTATIVES, ids=list(beneficiary_ids), business_date=business_date)


async def look_at_user(tx: Tx, subject: str, business_date: date) -> None:
    """Whether one user changed many people's way to be paid on one business date, one by one."""
    await tx.execute(_USER, subject=subject, business_date=business_date)


async def find(tx: Tx, alert_id: UUID, scope: str, scope_params: dict[str, Any], *, lock: bool = False) -> RowMapping | None:
    """An alert that concerns a unit in scope (`scope` over `u.path`)."""
    return await tx.row(
        f"SELECT * FROM alert a WHERE alert_id = :id AND EXISTS (SELECT FROM unnest(a.unit_paths) AS u (path) WHERE {scope})"
        + (" FOR NO KEY UPDATE" if lock else ""),
        id=alert_id,
        **scope_params,
    )


async def page(
    tx: Tx, *, state: str | None, kind: str | None, after: UUID | None, limit: int, scope: str, scope_params: dict[str, Any]
) -> Sequence[RowMapping]:
    """One page of alerts, oldest first."""
    return await tx.rows(
        f"SELECT * FROM alert a WHERE EXISTS (SELECT FROM unnest(a.unit_paths) AS u (path) WHERE {scope})"
        " AND (CAST(:state AS text) IS NULL OR state = :state) AND (CAST(:kind AS text) IS NULL OR kind = :kind)"
        " AND (CAST(:after AS uuid) IS NULL OR alert_id > :after) ORDER BY alert_id LIMIT :limit",
        state=state,
        kind=kind,
        after=after,
        limit=limit,
        **scope_params,
    )


async def people(tx: Tx, alert_id: UUID, scope: str, scope_params: dict[str, Any]) -> Sequence[RowMapping]:
    """Who is concerned, in the caller's units (`scope` over `b.unit_path`), with how they are paid."""
    return await tx.rows(
        "SELECT b.beneficiary_id, b.file_code, b.full_name, b.unit_code, m.payee_kind, m.method, m.fraud_suspected, a.provider_code,"
        " a.masked_number FROM alert_person p JOIN beneficiary b USING (beneficiary_id) LEFT JOIN payout_method m USING (beneficiary_id)"
        f" LEFT JOIN account a USING (account_id) WHERE p.alert_id = :id AND {scope} ORDER BY b.beneficiary_id LIMIT 2000",
        id=alert_id,
        **scope_params,
    )


async def decide(tx: Tx, alert_id: UUID, *, state: str, by: str, business_date: date, reason: str) -> bool:
    """Move an alert. False when that move is not in the table."""
    who = "suspected_by = :by" if state == "SUSPECTED" else "decided_by = :by, decided_on = :business_date"
    return bool(
        await tx.execute(
            f"UPDATE alert SET state = :state, reason = :reason, {who} FROM (VALUES {_MOVES}) AS t (old, new)"
            " WHERE alert_id = :id AND state = t.old AND t.new = :state",
            id=alert_id,
            state=state,
            reason=reason,
            by=by,
            **({} if state == "SUSPECTED" else {"business_date": business_date}),
        )
    )


async def flag_people(tx: Tx, alert_id: UUID, business_date: date) -> list[UUID]:
    """Set or lift the suspicion on the people of an alert, as all their alerts together say. Those whose flag changed."""
    rows = await tx.rows(
        "UPDATE payout_method m SET fraud_suspected = NOT m.fraud_suspected, version = m.version + 1, business_date = :business_date"
        " FROM alert_person p WHERE p.alert_id = :id AND p.beneficiary_id = m.beneficiary_id AND m.fraud_suspected IS DISTINCT FROM EXISTS"
        "   (SELECT FROM alert_person o JOIN alert a USING (alert_id) WHERE o.beneficiary_id = m.beneficiary_id AND a.state = 'SUSPECTED')"
        " RETURNING m.beneficiary_id",
        id=alert_id,
        business_date=business_date,
    )
    return [row["beneficiary_id"] for row in rows]


async def hold_newcomers(tx: Tx, business_date: date) -> list[UUID]:
    """Who came to something that is under suspicion already is held like those who were there before. Those changed."""
    rows = await tx.rows(
        "UPDATE payout_method m SET fraud_suspected = true, version = m.version + 1,"
        " business_date = greatest(m.business_date, CAST(:business_date AS date))"
        " FROM alert_person p JOIN alert a USING (alert_id)"
        " WHERE a.state = 'SUSPECTED' AND p.beneficiary_id = m.beneficiary_id AND NOT m.fraud_suspected RETURNING m.beneficiary_id",
        business_date=business_date,
    )
    return [row["beneficiary_id"] for row in rows]


async def to_cash(tx: Tx, alert_id: UUID, business_date: date) -> list[UUID]:
    """Fraud is confirmed: the people of the alert are paid in cash, in person, until they choose again. Those changed."""
    rows = await tx.rows(
        "UPDATE payout_method m SET method = 'CASH_POST', account_id = NULL, account_from = NULL, payee_id = m.beneficiary_id,"
        " payee_kind = 'SELF', reason = 'FRAUD_CONFIRMED', home_reason_cipher = NULL, version = m.version + 1,"
        " business_date = :business_date FROM alert_person p WHERE p.alert_id = :id AND p.beneficiary_id = m.beneficiary_id"
        " RETURNING m.beneficiary_id",
        id=alert_id,
        business_date=business_date,
    )
    return [row["beneficiary_id"] for row in rows]
