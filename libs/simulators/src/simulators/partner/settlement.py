"""Deciding each accepted payment from the world, booking its money exactly once, and writing the notices, in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from itertools import groupby

from simulators.partner.books import RESULT_COLUMNS, result_row
from simulators.partner.config import SimulatorConfig
from simulators.partner.faces import face_of
from simulators.partner.files import writer
from simulators.partner.notices import Notice, as_json, notices_for
from simulators.partner.outbox import store_notices
from simulators.sqlite_lane import WorldLink, transaction

__all__ = ["CHUNK", "next_due", "settle_due"]

CHUNK = 5000
_TEMP = "CREATE TEMP TABLE IF NOT EXISTS decided(payment_id INTEGER PRIMARY KEY, state TEXT NOT NULL, code TEXT)"
_DUE = """(SELECT * FROM payment WHERE state = 'RECEIVED' AND due_at <= :now ORDER BY due_at LIMIT :chunk) AS p
    JOIN batch AS b ON b.id = p.batch_id"""
# What happens to money in the world: a closed account fails, an order nobody comes for is cancelled by the post.
_DECIDE_FROM_WORLD = f"""
INSERT INTO decided
SELECT id, CASE outcome WHEN 'SETTLED' THEN 'SETTLED' WHEN 'COLLECTED' THEN 'COLLECTED' WHEN 'UNCOLLECTED' THEN 'UNCOLLECTED'
                        ELSE 'FAILED' END,
       CASE WHEN outcome IN ('SETTLED', 'COLLECTED') THEN NULL WHEN outcome = 'UNCOLLECTED' THEN 'NOT_COLLECTED_CANCELLED' ELSE outcome END
FROM (
    SELECT p.id, CASE
        WHEN b.forced_state IS NOT NULL THEN b.forced_code
        WHEN p.kind <> 'ACCOUNT' THEN CASE WHEN c.behaviour = 'UNCOLLECTED' THEN 'UNCOLLECTED' ELSE 'COLLECTED' END
        WHEN a.status IS NULL THEN 'ACCOUNT_INVALID'
        WHEN a.status <> 'OPEN' THEN 'ACCOUNT_' || a.status
        WHEN a.pay_behaviour = 'FAIL_CLOSED' THEN 'ACCOUNT_CLOSED'
        WHEN a.pay_behaviour = 'FAIL_NAME' THEN 'NAME_DIFFERS'
        WHEN a.pay_behaviour LIKE 'FAIL!_%' ESCAPE '!' THEN substr(a.pay_behaviour, 6)
        ELSE 'SETTLED' END AS outcome
    FROM {_DUE}
    LEFT JOIN world.account AS a ON a.provider_code = p.provider_code AND a.account_number = p.account_number
    LEFT JOIN world.cash AS c ON c.file_code = p.file_code)
"""
_DECIDE_ALL_OPEN = f"""
INSERT INTO decided
SELECT p.id, coalesce(b.forced_state, CASE p.kind WHEN 'ACCOUNT' THEN 'SETTLED' ELSE 'COLLECTED' END),
       CASE WHEN b.forced_state IS NOT NULL THEN b.forced_code END
FROM {_DUE}
"""
_DECIDE_RETURNS = """
INSERT INTO decided
SELECT p.id, 'RETURNED', coalesce(b.forced_code, 'ACCOUNT_CLOSED') FROM payment AS p JOIN batch AS b ON b.id = p.batch_id
WHERE p.state = 'SETTLED' AND p.return_at <= :now ORDER BY p.return_at LIMIT :chunk
"""
_APPLY = """
UPDATE payment SET state = d.state, code = d.code, changed_at = :now, settled_at = coalesce(settled_at, :now), return_at = CASE
    WHEN d.state = 'SETTLED' THEN :now + (SELECT b.return_after FROM batch AS b WHERE b.id = payment.batch_id) END
FROM decided AS d WHERE payment.id = d.payment_id AND payment.state IN ('RECEIVED', 'SETTLED')
"""
_RETURNING_ACCOUNTS = """
UPDATE payment SET return_at = :now FROM decided AS d, world.account AS a
WHERE payment.id = d.payment_id AND d.state = 'SETTLED' AND a.provider_code = payment.provider_code
    AND a.account_number = payment.account_number AND a.pay_behaviour LIKE 'RETURN%'
"""
_ENTRIES = """
INSERT INTO entry(payment_id, kind, amount, booked_at)
SELECT p.id, CASE d.state WHEN 'RETURNED' THEN 'REVERSAL' ELSE 'CREDIT' END,
       CASE d.state WHEN 'RETURNED' THEN -p.amount ELSE p.amount END, :now
FROM decided AS d JOIN payment AS p ON p.id = d.payment_id WHERE d.state IN ('SETTLED', 'COLLECTED', 'RETURNED')
"""
_BALANCES = """
INSERT INTO balance(partner, account, amount)
SELECT p.partner, CASE p.kind WHEN 'ACCOUNT' THEN p.provider_code || ':' || p.account_number ELSE 'CASH:' || p.file_code END AS holder,
       sum(p.amount)
FROM decided AS d JOIN payment AS p ON p.id = d.payment_id WHERE d.state IN ('SETTLED', 'COLLECTED') GROUP BY p.partner, holder
ON CONFLICT DO UPDATE SET amount = amount + excluded.amount
"""
_BALANCES_BACK = """
UPDATE balance SET amount = balance.amount - back.amount FROM (
    SELECT p.partner, p.provider_code || ':' || p.account_number AS holder, sum(p.amount) AS amount
    FROM decided AS d JOIN payment AS p ON p.id = d.payment_id WHERE d.state = 'RETURNED' GROUP BY p.partner, holder) AS back
WHERE balance.partner = back.partner AND balance.account = back.holder
"""
_RESULTS = f"""
SELECT {RESULT_COLUMNS}, p.partner, CASE WHEN b.effects = '{{}}' AND f.form IS NULL THEN 0 ELSE b.id END AS scripted,
    b.effects, b.return_after, f.form, b.batch_reference
FROM decided AS d JOIN payment AS p ON p.id = d.payment_id JOIN batch AS b ON b.id = p.batch_id
LEFT JOIN file AS f ON f.batch_id = b.id ORDER BY p.partner, scripted, p.id
"""


def settle_due(connection: sqlite3.Connection, config: SimulatorConfig, world: WorldLink, now: float) -> int:
    """Decide up to CHUNK payments that are due and up to CHUNK returns. Answers how many; 0 while a configured world is not there."""
    has_world = world.ensure(connection)
    if world.path is not None and not has_world:
        return 0
    connection.execute(_TEMP)
    decided = 0
    for decide in (_DECIDE_FROM_WORLD if has_world else _DECIDE_ALL_OPEN, _DECIDE_RETURNS):
        with transaction(connection):
            connection.execute("DELETE FROM decided")
            count = connection.execute(decide, {"now": now, "chunk": CHUNK}).rowcount
            if count:
                _apply(connection, config, now, has_world)
        decided += count
    return decided


def next_due(connection: sqlite3.Connection) -> float | None:
    """When the next payment or return is due, or None."""
    row = connection.execute(
        "SELECT min(at) FROM (SELECT min(due_at) AS at FROM payment WHERE state = 'RECEIVED'"
        " UNION ALL SELECT min(return_at) FROM payment WHERE state = 'SETTLED' AND return_at IS NOT NULL)",
    ).fetchone()
    due: float | None = row[0]
    return due


def _apply(connection: sqlite3.Connection, config: SimulatorConfig, now: float, has_world: bool) -> None:
    connection.execute(_APPLY, {"now": now})
    if has_world:
        connection.execute(_RETURNING_ACCOUNTS, {"now": now})
    connection.execute(_ENTRIES, {"now": now})
    connection.execute(_BALANCES)
    connection.execute(_BALANCES_BACK)
    store_notices(connection, config, _notices(connection, config, now), now)


def _notices(connection: sqlite3.Connection, config: SimulatorConfig, now: float) -> Iterable[Notice]:
    rows = connection.execute(_RESULTS).fetchall()
    for (partner, _), group in groupby(rows, key=lambda row: (row[7], row[8])):
        members = list(group)
        effects, return_after, form, batch_reference = members[0][9:13]
        write = as_json if form is None else writer(form, batch_reference)
        results = [result_row(row) for row in members]
        yield from notices_for(
            partner,
            results,
            effects,
            return_after,
            1 if face_of(config.partners[partner]).single else config.notice_rows(partner),
            now,
            write,
        )
