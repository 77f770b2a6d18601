"""What the payment organisations report of a month, kept as sums: of each person's line the last attempt at each partner, and at all.

What another partner paid later is that partner's to report, and the total of a programme counts it once: listed once, and paid. What a
later list of the month tried again counts once too, with the partner it was tried again at and in the total. An attempt is paid by
account, paid in cash, unpaid or on its way: one bit each. A person counts under all the bits of a month together, once with each partner
and source and once in each programme; đồng lie under the one bit of their attempt. So every figure of the report is a sum over the bits
it asks for, and the report's own total is the sum of its programmes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

from sqlalchemy import RowMapping

from common.db import Tx
from reporting.domain.states import ACCOUNT_CHANNELS
from reporting.storage.lines import BELOW, below, tried_again
from reporting.storage.unit_sums import place, summed

__all__ = ["WHOLE", "being_made", "partner_contributions", "partners", "partners_of", "paths_paid"]

_ACCOUNT: Final = ", ".join(f"'{channel}'" for channel in ACCOUNT_CHANNELS)
_DEAD: Final = "status IN ('FAILED', 'RETURNED', 'UNCOLLECTED', 'CANCELLED')"
_BY_ACCOUNT, _IN_CASH, _UNPAID, _ON_THE_WAY = 1, 2, 4, 8
WHOLE: Final = "*"
"""Stands for all partners and sources together."""
_STATES: Final = {
    "listed": _BY_ACCOUNT | _IN_CASH | _UNPAID | _ON_THE_WAY,
    "paid": _BY_ACCOUNT | _IN_CASH,
    "by_account": _BY_ACCOUNT,
    "in_cash": _IN_CASH,
    "unpaid": _UNPAID,
    "on_the_way": _ON_THE_WAY,
}


def partner_contributions(payments: str, prefix: str, everybody: str) -> tuple[str, str]:
    """SQL: CTEs, and a query of `month, unit_path, programme, measure, people, lines, dong, payments` that rests on them.

    `payments` is a CTE of rows of `payment`. Measures are `partner:source:partner:bits`; `*` stands for all partners. Reports of the
    first counting are made again by the measures that name no partner: people under the bits of all their partners together, and once
    over all programmes (`everybody`).
    """
    bit = (
        f"CASE WHEN status = 'SETTLED' AND channel IN ({_ACCOUNT}) THEN {_BY_ACCOUNT} WHEN status IN ('SETTLED', 'COLLECTED')"
        f" THEN {_IN_CASH} WHEN {_DEAD} THEN {_UNPAID} ELSE {_ON_THE_WAY} END AS bit"
    )
    ctes = f"""
    last_at_partner AS (
        SELECT DISTINCT ON (beneficiary_id, cycle_id, partner)
               payment_id, month, beneficiary_id, cycle_id, unit_path, programme, funding_source, partner, channel, status, amount,
               attempt, version, months
        FROM {payments}
        ORDER BY beneficiary_id, cycle_id, partner, attempt DESC, version DESC, payment_id
    ),
    last_of_all AS (
        SELECT DISTINCT ON (beneficiary_id, cycle_id) * FROM last_at_partner
        ORDER BY beneficiary_id, cycle_id, attempt DESC, version DESC, payment_id
    ),
    at_partner AS (
        SELECT month, beneficiary_id, unit_path, programme, funding_source, partner, amount, {bit} FROM last_at_partner AS o
        WHERE NOT CASE WHEN {_DEAD} THEN {tried_again("o", prefix, "q.partner = o.partner")} ELSE FALSE END
    ),
    at_all AS (
        SELECT month, beneficiary_id, unit_path, programme, amount, {bit} FROM last_of_all AS o
        WHERE NOT CASE WHEN {_DEAD} THEN {tried_again("o", prefix)} ELSE FALSE END
    ),
    by_partner AS (
        SELECT month, programme, funding_source, partner, max(unit_path) AS home, bit_or(bit) AS bits
        FROM at_partner
        GROUP BY GROUPING SETS (
            (month, beneficiary_id, programme, funding_source, partner), (month, beneficiary_id, programme), (month, beneficiary_id)
        )
    ),
    by_all AS (
        SELECT month, programme, max(unit_path) AS home, bit_or(bit) AS bits FROM at_all GROUP BY month, beneficiary_id, programme
    )"""
    query = f"""
    SELECT month, home AS unit_path, coalesce(programme, '{everybody}') AS programme,
           'partner:' || coalesce(funding_source, '') || ':' || coalesce(partner, '') || ':' || bits AS measure,
           count(*) AS people, 0 AS lines, 0 AS dong, 0 AS payments
    FROM by_partner GROUP BY month, home, programme, funding_source, partner, bits
    UNION ALL
    SELECT month, unit_path, programme, 'partner:' || funding_source || ':' || partner || ':' || bit, 0, 0, sum(amount)::bigint, count(*)
    FROM at_partner GROUP BY month, unit_path, programme, funding_source, partner, bit
    UNION ALL
    SELECT month, home, programme, 'partner:{WHOLE}:{WHOLE}:' || bits, count(*), 0, 0, 0 FROM by_all GROUP BY month, home, programme, bits
    UNION ALL
    SELECT month, unit_path, programme, 'partner:{WHOLE}:{WHOLE}:' || bit, 0, 0, sum(amount)::bigint, count(*)
    FROM at_all GROUP BY month, unit_path, programme, bit"""
    return ctes, query


_FIGURES: Final = ", ".join(
    f"coalesce(sum(people) FILTER (WHERE bits & {bits} <> 0), 0)::bigint AS {stem}_people,"
    f" coalesce(sum(dong) FILTER (WHERE bits & {bits} <> 0), 0)::bigint AS {stem}_dong"
    for stem, bits in _STATES.items()
)
_SUMS: Final = summed("month_sum", "NONE", "programme, measure, people, dong", "month = :month AND measure LIKE 'partner:%'")
_PARTNERS: Final = f"""
WITH told AS (
    SELECT programme, split_part(measure, ':', 2) AS funding_source, split_part(measure, ':', 3) AS partner,
           CAST(split_part(measure, ':', 4) AS int) AS bits, people, dong
    FROM ({_SUMS}) AS s
)
SELECT programme, funding_source, partner, {_FIGURES} FROM told
GROUP BY programme, funding_source, partner HAVING sum(people) <> 0 OR sum(dong) <> 0
ORDER BY programme, funding_source, partner
"""


# The same of single units, wherever they lie.
_OF: Final = "unit_path = ANY(:paths) AND month = :month AND measure LIKE 'partner:%'"
_PARTNERS_OF: Final = _PARTNERS.replace(_SUMS, f"SELECT '' AS segment, programme, measure, people, dong FROM month_sum WHERE {_OF}")
_PATHS: Final = f"SELECT DISTINCT unit_path FROM month_sum WHERE month = :month AND measure LIKE 'partner:%' AND {BELOW} ORDER BY unit_path"


async def partners(tx: Tx, month: date, unit_path: str) -> Sequence[RowMapping]:
    """Per programme, funding source and partner what was listed, paid, not paid; `*` for both is the whole programme.

    Rows without a partner say only people, as the first counting adds them up; there also over all programmes.
    """
    return await tx.rows(_PARTNERS, month=month, **place(unit_path, "NONE"))


async def partners_of(tx: Tx, month: date, paths: Sequence[str]) -> Sequence[RowMapping]:
    """The same of single units together, none of them counted twice and nothing below them."""
    return await tx.rows(_PARTNERS_OF, month=month, paths=list(paths))


async def paths_paid(tx: Tx, month: date, unit_path: str) -> list[str]:
    """The units at or below a path at which partners report something of a month."""
    return [row["unit_path"] for row in await tx.rows(_PATHS, month=month, **below(unit_path))]


async def being_made(tx: Tx) -> bool:
    """Whether the sums are being made again after an upgrade: until then months before it may lack what a release added to them."""
    asked = "SELECT EXISTS (SELECT FROM job WHERE kind = 'rebuild_after_upgrade' AND state IN ('QUEUED', 'RUNNING'))"
    return bool(await tx.value(asked))
