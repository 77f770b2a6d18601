"""What each person's lines of a month add to the sums: the one definition of every figure of the lists.

A line is one person in one cycle (`storage.lines`). It carries a list of measures; people are counted once per month, programme and
measure, in one unit (the last of their units in order of path, should they have moved within the month), lines and đồng where they lie.
The sums in `month_sum` are kept by subtracting what a person's months added before a batch and adding what they add after it.
"""

from __future__ import annotations

from typing import Final

from reporting.domain.states import ACCOUNT_CHANNELS
from reporting.storage.lines import lines_of

__all__ = ["EVERYBODY", "MONTH_SUMS", "contributions"]

EVERYBODY: Final = "*"
"""Programme code of rows that count each person once over all programmes."""

_PAID: Final = "state IN ('PAID_BY_ACCOUNT', 'PAID_IN_CASH')"
_DUE: Final = "NOT (state IN ('HELD', 'RELEASED') AND reason = 'DECEASED')"
_ACCOUNT: Final = ", ".join(f"'{channel}'" for channel in ACCOUNT_CHANNELS)

# Measure → when a line has it. The stems are those of the catalogue of indicators (domain.indicators).
_MEASURES: Final = {
    "due": _DUE,
    "due_fm": f"{_DUE} AND fm",
    "listed": "state NOT IN ('HELD', 'RELEASED')",
    "in_progress": "state = 'IN_PROGRESS'",
    "unknown": "state = 'UNKNOWN'",
    "paid": _PAID,
    "by_account": "state = 'PAID_BY_ACCOUNT'",
    "by_account_fm": "state = 'PAID_BY_ACCOUNT' AND fm",
    "bank": f"{_PAID} AND channel = 'BANK'",
    "wallet": f"{_PAID} AND channel = 'WALLET'",
    "mobile_money": f"{_PAID} AND channel = 'MOBILE_MONEY'",
    "post": f"{_PAID} AND channel = 'CASH_POST'",
    "home": f"{_PAID} AND channel = 'CASH_HOME'",
    "failed": "state = 'FAILED'",
    "returned": "state = 'RETURNED'",
    "uncollected": "state = 'UNCOLLECTED'",
    "cancelled": "state = 'CANCELLED'",
    "held": f"state = 'HELD' AND {_DUE}",
    "released": f"state = 'RELEASED' AND {_DUE}",
    "unpaid": f"{_DUE} AND NOT ({_PAID})",
    "overdue": f"{_DUE} AND NOT ({_PAID}) AND state <> 'RELEASED' AND NOT made_good",
}
_CASES: Final = ", ".join(f"CASE WHEN {condition} THEN '{name}' END" for name, condition in _MEASURES.items())
# Beside the indicators: state and reason (who is not paid, and why), and what was on the list per channel.
_DETAILS: Final = f"""
    'state:' || state,
    CASE WHEN NOT ({_PAID}) AND state <> 'IN_PROGRESS'
         THEN 'reason:' || state || ':' || coalesce(actor, '') || ':' || coalesce(reason, '') END,
    CASE WHEN channel IS NOT NULL AND state NOT IN ('HELD', 'RELEASED') THEN 'channel:' || channel END,
    CASE WHEN channel IS NOT NULL AND {_PAID} THEN 'channel_paid:' || channel END
"""

_YEAR_STEMS: Final = {
    "paid": "TRUE",
    "by_account": f"channel IN ({_ACCOUNT})",
    "bank": "channel = 'BANK'",
    "wallet": "channel = 'WALLET'",
    "mobile_money": "channel = 'MOBILE_MONEY'",
    "post": "channel = 'CASH_POST'",
    "home": "channel = 'CASH_HOME'",
}


def _first(condition: str) -> str:
    """Month and unit of the first payment in the year for which the condition holds, as one comparable text."""
    return f"min(to_char(month, 'YYYY-MM-DD') || unit_path) FILTER (WHERE {condition})"


def _year(prefix: str, who: str) -> str:
    """People paid for the first time in a year: one row each, in the month and unit of that payment."""
    return f"""
    SELECT CAST(left(f.place, 10) AS date) AS month, substr(f.place, 11) COLLATE "C" AS unit_path, y.programme, f.measure,
           count(*) AS people, 0 AS lines, 0 AS dong, 0 AS payments
    FROM (
        SELECT beneficiary_id, CASE WHEN grouping(programme) = 1 THEN '{EVERYBODY}' ELSE programme END AS programme,
               ARRAY[{", ".join(f"'year:{stem}'" for stem in _YEAR_STEMS)}] AS measures,
               ARRAY[{", ".join(_first(condition) for condition in _YEAR_STEMS.values())}] AS places
        FROM {prefix}payment AS p
        WHERE status IN ('SETTLED', 'COLLECTED') AND {who}
        GROUP BY GROUPING SETS ((beneficiary_id, date_trunc('year', month), programme), (beneficiary_id, date_trunc('year', month)))
    ) AS y CROSS JOIN LATERAL unnest(y.measures, y.places) AS f (measure, place)
    WHERE f.place IS NOT NULL
    GROUP BY 1, 2, 3, 4
    """


def contributions(*, lines: str, year: str, prefix: str = "") -> str:
    """SQL: `month, unit_path, programme, measure, people, lines, dong, payments` of some lines.

    `lines` is the condition on rows of `payment` and `hold` that chooses the lines; `year` the condition on rows of `payment AS p` that
    chooses whose years to date; `prefix` is `rebuild_` for fresh tables.
    """
    return f"""
    WITH {lines_of(lines, lines, prefix)},
    known AS (
        SELECT l.*, coalesce(f.preference = 'FORCE_MAJEURE', FALSE) AS fm,
               state NOT IN ('PAID_BY_ACCOUNT', 'PAID_IN_CASH') AND EXISTS (
                   SELECT FROM {prefix}payment AS q
                   WHERE q.beneficiary_id = l.beneficiary_id AND q.month > l.month AND q.programme = l.programme
                     AND q.status IN ('SETTLED', 'COLLECTED') AND to_char(l.month, 'YYYY-MM') = ANY(q.months)
               ) AS made_good,
               max(unit_path) OVER (PARTITION BY l.month, programme, l.beneficiary_id) AS home,
               max(unit_path) OVER (PARTITION BY l.month, l.beneficiary_id) AS only_home
        FROM line AS l
        LEFT JOIN LATERAL (
            SELECT preference FROM {prefix}preference_month AS m
            WHERE m.beneficiary_id = l.beneficiary_id AND m.month <= l.month ORDER BY version DESC LIMIT 1
        ) AS f ON TRUE
    ),
    measured AS MATERIALIZED (
        SELECT month, programme, beneficiary_id, unit_path, home, only_home, measure, sum(lines) AS lines, sum(amount) AS dong,
               count(*) AS payments
        FROM known CROSS JOIN LATERAL unnest(ARRAY[{_CASES}, {_DETAILS}]) AS m (measure)
        WHERE measure IS NOT NULL
        GROUP BY month, programme, beneficiary_id, unit_path, home, only_home, measure
    )
    SELECT month, unit_path, programme, measure, 0 AS people, sum(lines)::bigint AS lines, sum(dong)::bigint AS dong,
           sum(payments)::bigint AS payments
    FROM measured GROUP BY month, unit_path, programme, measure
    UNION ALL
    SELECT month, home, programme, measure, count(DISTINCT beneficiary_id), 0, 0, 0
    FROM measured GROUP BY month, home, programme, measure
    UNION ALL
    SELECT month, only_home, '{EVERYBODY}', measure, count(DISTINCT beneficiary_id), 0, 0, 0
    FROM measured GROUP BY month, only_home, measure
    UNION ALL
    SELECT month, unit_path, programme, 'attempt:' || partner || ':' || channel || ':' || status, 0, 0, sum(amount)::bigint, count(*)
    FROM {prefix}payment WHERE {lines} GROUP BY month, unit_path, programme, partner, channel, status
    UNION ALL
    {_year(prefix, year)}
    """


MONTH_SUMS: Final = "month, unit_path, programme, measure, people, lines, dong, payments"
