"""What each person adds to the figures of how people stand: the one definition of every `STANDING` figure.

A person's facts change in some months. In each such month the person stands somewhere (unit, programmes) with a list of measures; this
adds one to each in that month and takes it off again in the month of the next change. So a sum up to a month is how many there are.
"""

from __future__ import annotations

from typing import Final

from reporting.domain.indicators import CAMPAIGN
from reporting.storage.contributions import EVERYBODY

__all__ = ["STANDING_SUMS", "standing"]

_ANSWERED: Final = "coalesce(preference, 'UNKNOWN') IN ('WANTS_ACCOUNT', 'DECLINES', 'FORCE_MAJEURE')"
_REGISTERED: Final = "coalesce(method = 'ACCOUNT', FALSE)"

# Measure → when a person has it; the words are those of the catalogue (domain.indicators).
_MEASURES: Final = {
    "beneficiaries": "TRUE",
    "collected_people": f"{_ANSWERED} OR known OR asked_and_opened OR {_REGISTERED}",
    "wants_people": "preference = 'WANTS_ACCOUNT'",
    "declines_people": "preference = 'DECLINES'",
    "force_majeure_people": "preference = 'FORCE_MAJEURE'",
    "no_answer_people": f"NOT ({_ANSWERED})",
    "opened_people": "opened OR asked_and_opened",
    "registered_people": _REGISTERED,
    "registered_fm_people": f"{_REGISTERED} AND preference = 'FORCE_MAJEURE'",
    "not_registered_people": f"NOT {_REGISTERED}",
    "verified_people": "verdict = 'VERIFIED'",
    "account_verified_people": f"{_REGISTERED} AND usable",
    "clean_people": "verdict = 'VERIFIED' AND NOT doubtful",
    "no_number_people": "verdict = 'NO_ID'",
    "not_in_database_people": "verdict = 'NOT_FOUND'",
    "no_number_or_not_in_database_people": "verdict IN ('NO_ID', 'NOT_FOUND')",
}
_CASES: Final = ", ".join(f"CASE WHEN {condition} THEN '{name}' END" for name, condition in _MEASURES.items())

STANDING_SUMS: Final = "month, unit_path, programme, measure, people"


def _latest(table: str, columns: str) -> str:
    """The row of a person that stands at the end of `m.month`."""
    return (
        f"(SELECT {columns} FROM {table} AS t WHERE t.beneficiary_id = m.beneficiary_id AND t.month <= m.month"
        " ORDER BY t.version DESC LIMIT 1)"
    )


def standing(who: str = "TRUE", prefix: str = "") -> str:
    """SQL: `month, unit_path, programme, measure, people` (people may be negative) of some people.

    `who` is a condition on the column `beneficiary_id`; `prefix` is `rebuild_` for fresh tables.
    """
    return f"""
    WITH fact AS (
        SELECT beneficiary_id, month FROM {prefix}beneficiary_month
        UNION ALL SELECT beneficiary_id, month FROM {prefix}preference_month
        UNION ALL SELECT beneficiary_id, month FROM {prefix}verification_month WHERE subject_id = beneficiary_id
        UNION ALL SELECT beneficiary_id, month FROM {prefix}payout_method_month
        UNION ALL SELECT coalesce(beneficiary_id, payee_id), month FROM {prefix}opening_month
        UNION ALL SELECT payee_id, month FROM {prefix}account_month
        UNION ALL SELECT x.beneficiary_id, a.month FROM {prefix}payout_method_month AS x JOIN {prefix}account_month AS a USING (payee_id)
                  WHERE x.payee_id <> x.beneficiary_id
    ),
    moment AS (
        SELECT beneficiary_id, month, lead(month) OVER (PARTITION BY beneficiary_id ORDER BY month) AS until
        FROM (SELECT DISTINCT beneficiary_id, month FROM fact WHERE {who}) AS f
    ),
    stood AS (
        SELECT count(*) AS people, m.month, m.until, b.unit_path, b.programmes, b.doubtful, p.preference, v.verdict, x.method,
               coalesce(a.known, FALSE) AS known, coalesce(a.opened, FALSE) AS opened, coalesce(a.usable, FALSE) AS usable,
               coalesce(o.opened, FALSE) AS asked_and_opened
        FROM moment AS m
        CROSS JOIN LATERAL {_latest(f"{prefix}beneficiary_month", "*")} AS b
        LEFT JOIN LATERAL {_latest(f"{prefix}preference_month", "preference")} AS p ON TRUE
        LEFT JOIN LATERAL (
            SELECT verdict FROM {prefix}verification_month AS t
            WHERE t.beneficiary_id = m.beneficiary_id AND t.subject_id = m.beneficiary_id AND t.month <= m.month
            ORDER BY t.version DESC LIMIT 1
        ) AS v ON TRUE
        LEFT JOIN LATERAL {_latest(f"{prefix}payout_method_month", "payee_id, method, account_id")} AS x ON TRUE
        LEFT JOIN LATERAL (
            SELECT TRUE AS known, bool_or(status <> 'CLOSED' AND reason IS DISTINCT FROM 'NOT_FOUND') AS opened,
                   bool_or(status = 'ACTIVE' AND account_id = x.account_id) AS usable
            FROM (
                SELECT DISTINCT ON (t.account_id) t.account_id, t.status, t.reason FROM {prefix}account_month AS t
                WHERE t.payee_id = ANY(ARRAY[m.beneficiary_id, x.payee_id]) AND t.month <= m.month
                ORDER BY t.account_id, t.version DESC
            ) AS one HAVING count(*) > 0
        ) AS a ON TRUE
        LEFT JOIN LATERAL (
            SELECT bool_or(status = 'OPENED') AS opened
            FROM (
                SELECT DISTINCT ON (t.request_id) t.status FROM {prefix}opening_month AS t
                WHERE coalesce(t.beneficiary_id, t.payee_id) = m.beneficiary_id AND t.month <= m.month
                ORDER BY t.request_id, t.version DESC
            ) AS one
        ) AS o ON TRUE
        WHERE b.status = 'ACTIVE' AND NOT b.merged AND cardinality(b.programmes) > 0
        GROUP BY 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13
    ),
    counted AS MATERIALIZED (
        SELECT month, until, unit_path, programme, measure, sum(people)::bigint AS people
        FROM stood
             CROSS JOIN LATERAL unnest(programmes || CASE WHEN programmes <> ARRAY['{CAMPAIGN}'] THEN '{EVERYBODY}' END) AS g (programme)
             CROSS JOIN LATERAL unnest(ARRAY[{_CASES}]) AS c (measure)
        WHERE measure IS NOT NULL AND programme IS NOT NULL
        GROUP BY month, until, unit_path, programme, measure
    )
    SELECT {STANDING_SUMS} FROM counted
    UNION ALL
    SELECT until, unit_path, programme, measure, -people FROM counted WHERE until IS NOT NULL
    """
