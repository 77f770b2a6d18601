"""SQL pieces: the lines of a month (one person in one cycle) with their state, inside a unit.

A month has more than one list: supplementary ones and re-issues are cycles of their own. What an earlier list could not pay and a later one
of the same month speaks of again (pays, tries or holds) is the later one's line alone: due once, and in the state of the newest word.
What a later list pays beside it (more money, other months, from another source) is a line of its own. Ids of cycles grow with time
(UUIDv7), so the greater id is the later list.

Of a dead payment the later payments and holds say themselves what is still due (`replaces`): nothing, where they pay it or where less is
due by now, or a rest, which is then its line's amount. Where they say nothing (before they could), amounts and months are compared.
A dead payment that two people found to be paid after all has paid what a later list held of its money.
"""

from __future__ import annotations

from typing import Any, Final

from common.contracts.disbursement_v1 import HoldReason
from reporting.domain.indicators import CAMPAIGN
from reporting.domain.states import ACCOUNT_CHANNELS

__all__ = [
    "BELOW", "LINES", "LINES_OF_PAGE", "OWED", "below", "held_again", "left_of_hold", "lines_of", "nothing_due",
    "open_for_later", "rolled_into", "tried_again",
]  # fmt: skip

_DEAD: Final = "'FAILED', 'RETURNED', 'UNCOLLECTED', 'CANCELLED'"
_ACCOUNT: Final = ", ".join(f"'{channel}'" for channel in ACCOUNT_CHANNELS)

BELOW: Final = "unit_path >= :unit_from AND unit_path < :unit_to AND (unit_path = :unit_from OR unit_path LIKE :unit_below)"

OWED: Final = f"(amount > 0 OR reason NOT IN ('{HoldReason.STOPPED}', '{HoldReason.DECEASED}'))"
"""Holds of people who are owed something, or whose amount nobody knows yet (0 while a rate is missing, whatever else holds them)."""


def below(unit_path: str) -> dict[str, Any]:
    """Parameters of :data:`BELOW`: the unit and everything under it, as one index range ('0' follows '/')."""
    return {"unit_from": unit_path, "unit_to": unit_path + "0", "unit_below": unit_path + "/%"}


def _later(table: str, old: str, condition: str) -> str:
    same = " AND ".join(f"q.{name} = {old}.{name}" for name in ("beneficiary_id", "month", "programme", "funding_source"))
    return f"EXISTS (SELECT FROM {table} AS q WHERE {same} AND q.cycle_id > {old}.cycle_id AND {condition})"


def tried_again(old: str, prefix: str = "", more: str = "TRUE") -> str:
    """SQL: a later list of the month pays what the dead payment `old` could not: it says that nothing of it is due beside.

    Where it does not say: it is the re-issue, or it is all of it and maybe more. What a supplementary list paid beside this payment while
    that was still on its way is no second try: it is of less, or of other months.
    """
    same = " AND ".join(f"q.{name} = {old}.{name}" for name in ("beneficiary_id", "month"))
    said = f"EXISTS (SELECT FROM {prefix}payment AS q WHERE {same} AND CAST({_still_in(old)} AS bigint) = 0 AND {more})"
    return f"({said} OR {_guessed(old, prefix, more)})"


def _still_in(old: str) -> str:
    return f"(q.replaces ->> CAST({old}.payment_id AS text))"


def _guessed(old: str, prefix: str, more: str = "TRUE") -> str:
    return _later(f"{prefix}payment", old, f"q.replaces IS NULL AND {_again(old)} AND {more}")


def _again(old: str) -> str:
    return f"(q.attempt > {old}.attempt AND q.months && {old}.months OR q.amount >= {old}.amount AND q.months @> {old}.months)"


def _still(old: str, prefix: str) -> str:
    """SQL: what the newest word about the dead payment `old` leaves of it; null where nobody says."""
    words = " UNION ALL ".join(
        f"SELECT q.cycle_id, {order} AS attempt, {_still_in(old)} AS still FROM {prefix}{table} AS q"
        f" WHERE q.beneficiary_id = {old}.beneficiary_id AND q.month = {old}.month AND {_still_in(old)} IS NOT NULL"
        for table, order in (("payment", "q.attempt"), ("hold", "0"))
    )
    return f"(SELECT CAST(w.still AS bigint) FROM ({words}) AS w ORDER BY w.cycle_id DESC, w.attempt DESC LIMIT 1)"


def held_again(old: str, prefix: str = "") -> str:
    """SQL: a later list of the month pays or holds the person of the hold `old`: it had to speak of all that is not paid."""
    return f"({_later(f'{prefix}payment', old, 'TRUE')} OR {_later(f'{prefix}hold', old, OWED)})"


def left_of_hold(hold: str, prefix: str = "") -> str:
    """SQL: đồng of the hold `hold` without what payments paid that were dead when it was told, and were corrected since; null where they
    paid all of it.

    It says of each what was due beside it, so the rest of that payment's amount was held. It is of more than that where more is held than
    they paid, and where as much was paid and it names months or benefit lines that they are not of: due by then was less, and something
    else. How much is not known there, nor while a rate is missing: it stays as it is.
    """
    whole = " AND ".join(
        f"(coalesce(cardinality({hold}.{name}), 0) = 0"
        f" OR coalesce({hold}.{name} <@ string_to_array(nullif(string_agg(array_to_string(q.{name}, ','), ','), ''), ','), TRUE))"
        for name in ("months", "benefit_lines")
    )
    paid = f"coalesce(CAST(sum(q.amount - CAST({hold}.replaces ->> CAST(q.payment_id AS text) AS bigint)) AS bigint), 0)"
    return f"""CASE WHEN coalesce({hold}.replaces = jsonb_build_object(), TRUE) OR {hold}.amount = 0 THEN {hold}.amount ELSE (
        SELECT CASE WHEN {paid} < {hold}.amount THEN {hold}.amount - {paid} WHEN NOT ({whole}) THEN {hold}.amount END
        FROM {prefix}payment AS q
        WHERE q.beneficiary_id = {hold}.beneficiary_id AND q.month = {hold}.month AND q.status IN ('SETTLED', 'COLLECTED')
          AND {hold}.replaces ? CAST(q.payment_id AS text)
    ) END"""


def rolled_into(old: str, prefix: str = "") -> str:
    """SQL: the first later month whose list takes over what the line `old` could not pay, as YYYY-MM; null where none does.

    A dead payment: a later list pays it as its re-issue or as all of it and maybe more, or holds all of it. A hold: a later list pays or
    holds months of it. It had to speak of all that was not paid, whatever had become of the dues; a hold that does not say its months is
    of all of them. A payment that may still arrive is on no other list.
    """
    kin = " AND ".join(f"q.{name} = {old}.{name}" for name in ("beneficiary_id", "programme", "funding_source"))
    payment, hold = (f"FROM {prefix}{table} AS q WHERE {kin} AND q.month > {old}.month" for table in ("payment", "hold"))
    of_hold = f"coalesce(nullif(q.months, '{{}}') @> {old}.months, TRUE)"
    own = f"coalesce(nullif({old}.months, '{{}}'), ARRAY[to_char({old}.month, 'YYYY-MM')])"
    return f"""to_char(CASE
        WHEN {old}.state IN ('HELD', 'RELEASED') THEN least(
            (SELECT min(q.month) {payment} AND q.months && {own}),
            (SELECT min(q.month) {hold} AND {OWED} AND coalesce(nullif(q.months, '{{}}') && {own}, TRUE)))
        WHEN {old}.state IN ('FAILED', 'RETURNED', 'UNCOLLECTED', 'CANCELLED') THEN least(
            (SELECT min(q.month) {payment} AND {_again(old)}),
            (SELECT min(q.month) {hold} AND {OWED} AND q.amount >= {old}.amount AND {of_hold}))
    END, 'YYYY-MM')"""


def open_for_later(line: str) -> str:
    """SQL: whether a later month's list can have paid what the line `line` did not. Not what may still arrive (its money is given: a list
    that names the month as well pays arrears beside it), and not what was paid."""
    return f"{line}.state NOT IN ('PAID_BY_ACCOUNT', 'PAID_IN_CASH', 'UNKNOWN', 'IN_PROGRESS')"


def nothing_due(line: str, prefix: str = "") -> str:
    """SQL: nothing of any kind is due to the person for the months of the line or hold `line` any more; asked of what is not paid.

    Two files of one person were merged, a death or an end was told late. Whoever is due something for one of these months, by whatever
    line and source, still waits, and so does somebody whose dues were never told. Gifts given once are not told month by month.
    """
    told = f"FROM {prefix}dues AS d WHERE d.beneficiary_id = {line}.beneficiary_id"
    months = f"CASE WHEN cardinality({line}.months) > 0 THEN {line}.months ELSE ARRAY[to_char({line}.month, 'YYYY-MM')] END"
    own = f"unnest({months}) AS m (month)"
    intervals = (
        "jsonb_to_recordset(d.lines) AS x (intervals jsonb) CROSS JOIN LATERAL"
        " jsonb_to_recordset(x.intervals) AS i (from_month text, to_month text)"
    )
    due = told.replace("dues AS d", f"dues AS d CROSS JOIN LATERAL {intervals} CROSS JOIN {own}")
    return (
        f"({line}.programme <> '{CAMPAIGN}' AND EXISTS (SELECT {told})"
        f" AND NOT EXISTS (SELECT {due} AND m.month BETWEEN i.from_month AND coalesce(i.to_month, '9999-12')))"
    )


def lines_of(payment_where: str, hold_where: str, prefix: str = "", *, payments: str | None = None) -> str:
    """CTEs `pay`, `held` and `line`. A line is (beneficiary, cycle): its latest attempt, or its hold where no attempt lives; without
    those that a later list of the month speaks of again.

    The conditions choose rows of `payment` (or of `payments`, a CTE of such rows) and `hold`; `prefix` is `rebuild_` for fresh tables.
    """
    return f"""
    pay AS (
        SELECT DISTINCT ON (beneficiary_id, cycle_id)
               payment_id, beneficiary_id, cycle_id, month, programme, funding_source, unit_path, status, channel, partner, amount, reason,
               cash_reason, occurred_at, business_date, attempt, months, greatest(cardinality(benefit_lines), 1) AS lines
        FROM {payments or f"{prefix}payment"} WHERE {payment_where}
        ORDER BY beneficiary_id, cycle_id, attempt DESC, version DESC, payment_id
    ),
    held AS (
        SELECT DISTINCT ON (beneficiary_id, cycle_id)
               beneficiary_id, cycle_id, month, programme, funding_source, unit_path, rest AS amount, reason, actor, released,
               business_date, months, greatest(cardinality(benefit_lines), 1) AS lines
        FROM {prefix}hold AS h CROSS JOIN LATERAL (SELECT {left_of_hold("h", prefix)} AS rest) AS r
        WHERE {hold_where} AND {OWED} AND rest IS NOT NULL
        ORDER BY beneficiary_id, cycle_id, released, version DESC, hold_id
    ),
    joined AS (
        SELECT beneficiary_id, cycle_id, coalesce(p.month, h.month) AS month, coalesce(p.programme, h.programme) AS programme,
               coalesce(p.funding_source, h.funding_source) AS funding_source, p.payment_id, p.attempt, p.months, p.amount,
               h.months AS h_months,
               p.lines AS p_lines, h.lines AS h_lines, p.unit_path AS p_unit, h.unit_path AS h_unit, p.status, p.channel, p.partner,
               p.reason AS p_reason, p.cash_reason, p.occurred_at, h.amount AS h_amount, h.reason AS h_reason, h.actor,
               p.business_date AS p_date, h.business_date AS h_date,
               CASE
                   WHEN p.status = 'SETTLED' AND p.channel IN ({_ACCOUNT}) THEN 'PAID_BY_ACCOUNT'
                   WHEN p.status IN ('SETTLED', 'COLLECTED') THEN 'PAID_IN_CASH'
                   WHEN p.status = 'UNKNOWN' THEN 'UNKNOWN'
                   WHEN p.status IN ('APPROVED', 'SUBMITTING', 'SUBMITTED') THEN 'IN_PROGRESS'
                   WHEN h.released = FALSE THEN 'HELD'
                   WHEN p.status IN ('FAILED', 'RETURNED', 'UNCOLLECTED', 'CANCELLED') THEN p.status
                   WHEN p.status IS NOT NULL THEN 'IN_PROGRESS'
                   ELSE 'RELEASED'
               END AS state
        FROM pay AS p FULL JOIN held AS h USING (beneficiary_id, cycle_id)
    ),
    weighed AS (
        SELECT j.*, CASE WHEN state IN ({_DEAD}) THEN {_still("j", prefix)} END AS still FROM joined AS j
    ),
    line AS (
        SELECT beneficiary_id, cycle_id, month, programme, funding_source, state, status, channel, partner, cash_reason, occurred_at,
               coalesce(p_unit, h_unit) AS unit_path,
               CASE WHEN state IN ('HELD', 'RELEASED') THEN h_amount ELSE coalesce(still, j.amount) END AS amount,
               CASE WHEN state IN ('HELD', 'RELEASED') THEN h_lines ELSE p_lines END AS lines,
               CASE WHEN state IN ('HELD', 'RELEASED') THEN h_months ELSE months END AS months, attempt,
               CASE WHEN state IN ('HELD', 'RELEASED') THEN h_reason ELSE p_reason END AS reason,
               CASE WHEN state IN ('HELD', 'RELEASED') THEN h_date ELSE p_date END AS since,
               CASE WHEN state = 'HELD' THEN actor END AS actor
        FROM weighed AS j
        WHERE NOT CASE WHEN state IN ('HELD', 'RELEASED') THEN {held_again("j", prefix)}
                       WHEN still IS NOT NULL THEN still = 0
                       WHEN state IN ({_DEAD}) THEN {_guessed("j", prefix)}
                            OR {_later(f"{prefix}hold", "j", f"q.replaces IS NULL AND {OWED} AND q.amount >= j.amount")}
                       ELSE FALSE END
    )
    """


LINES: Final = lines_of(f"month = :month AND {BELOW}", f"month = :month AND {BELOW}")

# The same for the few lines of one page, named by a CTE `page (beneficiary_id, cycle_id)`.
_ON_PAGE: Final = f"month = :month AND {BELOW} AND (beneficiary_id, cycle_id) IN (SELECT beneficiary_id, cycle_id FROM page)"
LINES_OF_PAGE: Final = lines_of(_ON_PAGE, _ON_PAGE)
