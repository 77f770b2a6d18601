"""What each person's lines of a month add to the sums: the one definition of every figure of the lists.

A line is one person in one cycle (`storage.lines`, which also says what becomes of it by another list of the month). Its kind (state,
channel, reason …) says which measures it has; people are counted once per month, programme and measure, in one unit (the last of their
units in order of path, should they have moved within the month), lines and đồng where they lie. Lines are added up by kind first: there
are few kinds, and many lines.
The sums in `month_sum` are kept by subtracting what a person's months added before a batch and adding what they add after it.
"""

from __future__ import annotations

from typing import Final

from reporting.domain.indicators import CAMPAIGN
from reporting.domain.states import ACCOUNT_CHANNELS
from reporting.storage.lines import lines_of, nothing_due, open_for_later, rolled_into
from reporting.storage.partner_sums import partner_contributions

__all__ = ["EVERYBODY", "MONTH_SUMS", "ROLLED", "YEAR_MEASURES", "contributions"]

_WORD: Final = "chr(31)"
_KIND: Final = "chr(30)"

EVERYBODY: Final = "*"
"""Programme code of rows that count each person once over the monthly programmes: gifts given once count by themselves alone."""

ROLLED: Final = "rolled:"
"""Before the month (YYYY-MM) until which a line of a measure counts in a period, and the measure."""

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
    "unpaid": f"{_DUE} AND NOT ({_PAID}) AND NOT made_good AND NOT nothing_due",
    "carried_over": f"{_DUE} AND NOT ({_PAID})",
    "unpaid_at_end": f"{_DUE} AND NOT ({_PAID} AND in_time)",
    "overdue": f"{_DUE} AND NOT ({_PAID}) AND state <> 'RELEASED' AND NOT made_good AND NOT nothing_due",
}
_CASES: Final = ", ".join(f"CASE WHEN {condition} THEN '{name}' END" for name, condition in _MEASURES.items())
# Beside the indicators: state and reason (who is not paid, and why), what was on the list per channel, and what papers of before called
# unpaid, whatever had become of the dues.
_DETAILS: Final = f"""
    'state:' || state,
    CASE WHEN NOT ({_PAID}) AND state <> 'IN_PROGRESS'
         THEN 'reason:' || state || ':' || coalesce(actor, '') || ':' || coalesce(reason, '') END,
    CASE WHEN channel IS NOT NULL AND state NOT IN ('HELD', 'RELEASED') THEN 'channel:' || channel END,
    CASE WHEN channel IS NOT NULL AND {_PAID} THEN 'channel_paid:' || channel END,
    CASE WHEN {_DUE} AND NOT ({_PAID}) AND NOT made_good THEN 'unpaid_listed' END
"""

# Over several months a line counts for a measure until the month that ends it: what a list could not pay, until a later list takes it over
# (then it is that list's); what was paid after its month, as unpaid until it was paid. These are read of periods only.
_ROLLS: Final = f"CASE WHEN {_PAID} THEN measure = 'unpaid_at_end' ELSE strpos(measure, ':') = 0 OR measure LIKE 'reason:HELD:%' END"


def _rolled(month: str) -> str:
    return f"'{ROLLED}' || {month} || ':' || measure"


YEAR_MEASURES: Final = f"""
    'year:paid', CASE WHEN channel IN ({_ACCOUNT}) THEN 'year:by_account' END,
    CASE channel WHEN 'BANK' THEN 'year:bank' WHEN 'WALLET' THEN 'year:wallet' WHEN 'MOBILE_MONEY' THEN 'year:mobile_money'
                 WHEN 'CASH_POST' THEN 'year:post' WHEN 'CASH_HOME' THEN 'year:home' END
"""


def _first_in_year(prefix: str, who: str) -> str:
    """CTEs up to `first_time`: a person's first payment in a year, by programme and measure, as one text of month and unit."""
    return f"""
    first_by_channel AS (
        SELECT beneficiary_id, programme, date_trunc('year', month) AS year, channel, min(CAST(month AS text) || unit_path) AS place
        FROM {prefix}payment AS p WHERE status IN ('SETTLED', 'COLLECTED') AND {who}
        GROUP BY beneficiary_id, programme, date_trunc('year', month), channel
    ),
    first_by_measure AS (
        SELECT beneficiary_id, programme, year, measure, place
        FROM first_by_channel CROSS JOIN LATERAL unnest(ARRAY[{YEAR_MEASURES}]) AS m (measure) WHERE measure IS NOT NULL
    ),
    first_time AS (
        SELECT programme, measure, min(place) AS place FROM first_by_measure GROUP BY beneficiary_id, programme, year, measure
        UNION ALL
        SELECT '{EVERYBODY}', measure, min(place) FROM first_by_measure WHERE programme <> '{CAMPAIGN}'
        GROUP BY beneficiary_id, year, measure
    )"""


def _known(prefix: str) -> str:
    """CTE `known`: each line with what else its kind depends on."""
    return f"""known AS (
        SELECT l.*, coalesce(f.preference = 'FORCE_MAJEURE', FALSE) AS fm, l.since < CAST(l.month + INTERVAL '1 month' AS date) AS in_time,
               {open_for_later("l")} AND EXISTS (
                   SELECT FROM {prefix}payment AS q
                   WHERE q.beneficiary_id = l.beneficiary_id AND q.month > l.month AND q.programme = l.programme
                     AND q.funding_source = l.funding_source AND q.status IN ('SETTLED', 'COLLECTED')
                     AND to_char(l.month, 'YYYY-MM') = ANY(q.months)
               ) AS made_good,
               {open_for_later("l")} AND {nothing_due("l", prefix)} AS nothing_due,
               CASE WHEN NOT ({_PAID}) THEN {rolled_into("l", prefix)}
                    WHEN l.since >= l.month + INTERVAL '1 month' THEN to_char(l.since, 'YYYY-MM') END AS rolled
        FROM line AS l
        LEFT JOIN LATERAL (
            SELECT preference FROM {prefix}preference_month AS m
            WHERE m.beneficiary_id = l.beneficiary_id AND m.month <= l.month ORDER BY version DESC LIMIT 1
        ) AS f ON TRUE
    )"""


def contributions(*, lines: str, year: str, prefix: str = "") -> str:
    """SQL: `month, unit_path, programme, measure, people, lines, dong, payments` of some lines.

    `lines` is the condition on rows of `payment` and `hold` that chooses the lines; `year` the condition on rows of `payment AS p` that
    chooses whose years to date; `prefix` is `rebuild_` for fresh tables.
    """
    partner_ctes, at_partners = partner_contributions("of_lines", prefix, EVERYBODY)
    return f"""
    WITH of_lines AS (SELECT * FROM {prefix}payment WHERE {lines}),
    {lines_of("TRUE", lines, prefix, payments="of_lines")},
    {_known(prefix)},
    told AS MATERIALIZED (
        SELECT *, concat_ws({_WORD}, state, coalesce(channel, ''), coalesce(reason, ''), coalesce(actor, ''), fm, made_good, nothing_due,
                            in_time, coalesce(rolled, '')) AS kind
        FROM known
    ),
    measured AS MATERIALIZED (
        SELECT kind, measure, CASE WHEN {_ROLLS} THEN rolled END AS rolled
        FROM (SELECT DISTINCT kind, state, channel, reason, actor, fm, made_good, nothing_due, in_time, rolled FROM told) AS k
        CROSS JOIN LATERAL unnest(ARRAY[{_CASES}, {_DETAILS}]) AS m (measure) WHERE measure IS NOT NULL
    ),
    named AS MATERIALIZED (
        SELECT kind, measure FROM measured
        UNION ALL SELECT kind, {_rolled("rolled")} FROM measured WHERE rolled IS NOT NULL
    ),
    person AS (
        SELECT month, home, programme, kinds, count(*) AS people
        FROM (
            SELECT month, programme, max(unit_path) AS home, string_agg(kind, {_KIND}) AS kinds FROM told
            GROUP BY month, programme, beneficiary_id
            UNION ALL
            SELECT month, '{EVERYBODY}', max(unit_path), string_agg(kind, {_KIND}) FROM told WHERE programme <> '{CAMPAIGN}'
            GROUP BY month, beneficiary_id
        ) AS p GROUP BY month, home, programme, kinds
    ),
    {_first_in_year(prefix, year)},
    {partner_ctes}
    SELECT t.month, t.unit_path, t.programme, m.measure, 0 AS people, t.lines, t.dong, t.payments
    FROM (
        SELECT month, unit_path, programme, kind, sum(lines)::bigint AS lines, sum(amount)::bigint AS dong, count(*) AS payments
        FROM told GROUP BY month, unit_path, programme, kind
    ) AS t JOIN named AS m USING (kind)
    UNION ALL
    SELECT p.month, p.home, p.programme, m.measure, p.people, 0, 0, 0
    FROM person AS p JOIN named AS m ON m.kind = p.kinds
    UNION ALL
    SELECT p.month, p.home, p.programme, m.measure, p.people, 0, 0, 0
    FROM person AS p CROSS JOIN LATERAL (
        SELECT unnest(ARRAY[measure, CASE WHEN bool_and(rolled IS NOT NULL) THEN {_rolled("max(rolled)")} END]) AS measure
        FROM measured WHERE kind = ANY(string_to_array(p.kinds, {_KIND})) GROUP BY measure
    ) AS m WHERE strpos(p.kinds, {_KIND}) > 0 AND m.measure IS NOT NULL
    UNION ALL
    SELECT month, unit_path, programme, 'attempt:' || partner || ':' || channel || ':' || status, 0, 0, sum(amount)::bigint, count(*)
    FROM of_lines GROUP BY month, unit_path, programme, partner, channel, status
    UNION ALL
    SELECT CAST(left(place, 10) AS date), substr(place, 11) COLLATE "C", programme, measure, count(*), 0, 0, 0
    FROM first_time GROUP BY place, programme, measure
    UNION ALL {at_partners}
    """


MONTH_SUMS: Final = "month, unit_path, programme, measure, people, lines, dong, payments"
