"""Nobody left behind: each line of a month in the order of the unit tree, page by page, narrowed by state and by whose turn it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from sqlalchemy import RowMapping

from common.actor import Role
from common.db import Tx
from reporting.domain.states import PAID_STATUSES, PersonState
from reporting.domain.turns import TURNS
from reporting.storage.lines import BELOW, LINES_OF_PAGE, OWED, below, nothing_due, open_for_later

__all__ = ["START", "Filter", "Position", "page"]


@dataclass(frozen=True)
class Position:
    """Where a page ended: the order of the index payment_lines / hold_lines."""

    unit_path: str
    beneficiary_id: UUID
    programme: str
    cycle_id: UUID


START: Final = Position("", UUID(int=0), "", UUID(int=0))


@dataclass(frozen=True)
class Filter:
    """Which lines are asked for; no states means all. `waiting_before`: in their state since that day or earlier."""

    states: tuple[str, ...] = ()
    turn: str | None = None
    programme: str | None = None
    reason: str | None = None
    waiting_before: date | None = None


_KEY: Final = "unit_path, beneficiary_id, programme, cycle_id"
_AFTER: Final = (
    f'({_KEY}) > (CAST(:after_unit AS text) COLLATE "C", CAST(:after_beneficiary AS uuid),'
    " CAST(:after_programme AS text), CAST(:after_cycle AS uuid))"
)
_NARROW: Final = (
    "(CAST(:programme AS text) IS NULL OR programme = CAST(:programme AS text))"
    " AND (CAST(:reason AS text) IS NULL OR reason = CAST(:reason AS text))"
    " AND (CAST(:before AS date) IS NULL OR business_date <= CAST(:before AS date))"
)
_ACTOR: Final = "(CAST(:turn AS text) IS NULL OR released OR actor = CAST(:turn AS text))"
_PAID: Final = ", ".join(f"'{status}'" for status in PAID_STATUSES)
_OPEN: Final = f"status NOT IN ({_PAID})"  # as the partial index payment_open says it

# A person re-issued several times has several payments: DISTINCT reads the ordered index until the page is full.
_SELECT: Final = f"SELECT DISTINCT {_KEY} FROM {{table}} WHERE month = :month AND {BELOW} AND {_NARROW} AND {{condition}} AND {_AFTER}"
_ORDER: Final = f"ORDER BY {_KEY} LIMIT :limit"

_ALL_PAYMENTS: Final = f"({_SELECT.format(table='payment', condition='TRUE')} {_ORDER})"
_PAID_PAYMENTS: Final = f"({_SELECT.format(table='payment', condition='status = ANY(:paid)')} {_ORDER})"
# One ordered walk of payment_open per status: a rare state is found at once among hundreds of thousands on their way.
_OPEN_PAYMENTS: Final = (
    f"(SELECT o.* FROM unnest(CAST(:open AS text[])) AS s (wanted) CROSS JOIN LATERAL"
    f" ({_SELECT.format(table='payment', condition=f'{_OPEN} AND status = s.wanted')} {_ORDER}) AS o)"
)
_ALL_HOLDS: Final = f"({_SELECT.format(table='hold', condition=OWED)} {_ORDER})"
_SOME_HOLDS: Final = f"({_SELECT.format(table='hold', condition=f'{OWED} AND released = ANY(:released) AND {_ACTOR}')} {_ORDER})"

_TURN: Final = (
    "CASE WHEN l.state = 'HELD' THEN l.actor"
    f" WHEN l.state = 'IN_PROGRESS' AND l.status = 'APPROVED' THEN '{Role.SYSTEM}' "
    + " ".join(f"WHEN l.state = '{state}' THEN '{turn.role}'" for state, turn in TURNS.items())
    + " END"
)

# A later month's list may have paid this month too (roll-over): then nobody waits, whatever became of the first attempt.
_LATER: Final = f"""
    SELECT to_char(min(p.month), 'YYYY-MM') AS paid_in FROM payment AS p
    WHERE p.beneficiary_id = k.beneficiary_id AND p.programme = k.programme AND p.funding_source = l.funding_source AND p.month > :month
      AND p.status IN ({_PAID}) AND to_char(CAST(:month AS date), 'YYYY-MM') = ANY(p.months)
"""

_PAGE: Final = f"""
WITH page AS (
    SELECT * FROM ({{keys}}) AS k ORDER BY {_KEY} LIMIT :limit
), {LINES_OF_PAGE}, row_of_page AS (
    SELECT k.unit_path, k.beneficiary_id, k.programme, k.cycle_id, l.state, l.amount, l.channel, l.partner, l.reason, l.cash_reason,
           l.actor, l.occurred_at, l.since, later.paid_in, gone.nothing_due,
           CASE WHEN later.paid_in IS NULL AND NOT gone.nothing_due THEN {_TURN} END AS turn,
           b.file_code, b.full_name, v.verdict, f.preference
    FROM page AS k
    LEFT JOIN line AS l ON l.beneficiary_id = k.beneficiary_id AND l.cycle_id = k.cycle_id AND l.unit_path = k.unit_path
    LEFT JOIN beneficiary AS b ON b.beneficiary_id = k.beneficiary_id
    LEFT JOIN verification AS v ON v.beneficiary_id = k.beneficiary_id AND v.subject_id = k.beneficiary_id
    LEFT JOIN preference AS f ON f.beneficiary_id = k.beneficiary_id
    LEFT JOIN LATERAL ({_LATER}) AS later ON {open_for_later("l")}
    LEFT JOIN LATERAL (SELECT coalesce({open_for_later("l")} AND {nothing_due("l")}, FALSE) AS nothing_due) AS gone ON TRUE
)
SELECT r.*, state IS NOT NULL
       AND (CAST(:states AS text[]) IS NULL OR state = ANY(CAST(:states AS text[])) AND paid_in IS NULL AND NOT nothing_due)
       AND (CAST(:reason AS text) IS NULL OR reason = CAST(:reason AS text))
       AND (CAST(:turn AS text) IS NULL OR turn = CAST(:turn AS text)) AS wanted
FROM row_of_page AS r ORDER BY {_KEY}
"""

_OPEN_STATUSES: Final = {
    PersonState.IN_PROGRESS: ("APPROVED", "SUBMITTING", "SUBMITTED"),
    PersonState.UNKNOWN: ("UNKNOWN",),
    PersonState.FAILED: ("FAILED",),
    PersonState.RETURNED: ("RETURNED",),
    PersonState.UNCOLLECTED: ("UNCOLLECTED",),
    PersonState.CANCELLED: ("CANCELLED",),
}
_PAID_STATES: Final = (PersonState.PAID_BY_ACCOUNT, PersonState.PAID_IN_CASH)


def _keys(states: tuple[str, ...]) -> tuple[str, dict[str, list[str] | list[bool]]]:
    """Where the asked states can be found: a little more than they are, decided line by line afterwards."""
    if not states:
        return f"{_ALL_PAYMENTS} UNION {_ALL_HOLDS}", {}
    parts: list[str] = []
    values: dict[str, list[str] | list[bool]] = {}
    opened = [status for state, statuses in _OPEN_STATUSES.items() if state in states for status in statuses]
    released = [flag for state, flag in ((PersonState.HELD, False), (PersonState.RELEASED, True)) if state in states]
    if opened:
        parts.append(_OPEN_PAYMENTS)
        values["open"] = opened
    if any(state in states for state in _PAID_STATES):
        parts.append(_PAID_PAYMENTS)
        values["paid"] = list(PAID_STATUSES)
    if released:
        parts.append(_SOME_HOLDS)
        values["released"] = released
    return " UNION ".join(parts), values


async def page(tx: Tx, month: date, unit_path: str, after: Position, limit: int, wanted: Filter) -> Sequence[RowMapping]:
    """At most `limit` keys after a position, each with `wanted`.

    A key may be found that is not wanted: an attempt that a newer one replaced, be it of a later list, or a unit the person left within
    the cycle (`state` null: the other unit has the row). So a page may show fewer rows than keys; its last key is where the next begins.
    """
    keys, values = _keys(wanted.states)
    return await tx.rows(
        _PAGE.format(keys=keys),
        month=month,
        limit=limit,
        after_unit=after.unit_path,
        after_beneficiary=after.beneficiary_id,
        after_programme=after.programme,
        after_cycle=after.cycle_id,
        states=list(wanted.states) or None,
        turn=wanted.turn,
        programme=wanted.programme,
        reason=wanted.reason,
        before=wanted.waiting_before,
        **values,
        **below(unit_path),
    )
