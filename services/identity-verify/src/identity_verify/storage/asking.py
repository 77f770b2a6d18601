"""Who is to be asked about again, and why: evidence that grew old, deaths in the feed, numbers claimed or set free."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

from common.db import Tx
from common.tracing import HERE_SQL

__all__ = [
    "ask_about",
    "ask_about_deaths",
    "ask_again",
    "asked_by_feed",
    "feed_cursor",
    "keep_feed_cursor",
    "latest_day",
    "leave_to_feed",
    "recheck_old",
    "wait_for_rechecks",
]

# Spread over the last days of the window by person, always the same way: a province registered in one week is not asked about in one.
_JITTER: Final = "(get_byte(uuid_send(v.subject_id), 14) * 256 + get_byte(uuid_send(v.subject_id), 13)) % (CAST(:jitter AS int) + 1)"

# Locked in key order, as everybody locks them. Who is asked about already, or is on a list with the police, is not asked twice.
_RECHECK: Final = f"""
WITH due AS MATERIALIZED (
    SELECT c.beneficiary_id, c.subject_id
    FROM verification v JOIN check_request c USING (beneficiary_id, subject_id) JOIN subject s USING (beneficiary_id, subject_id)
    WHERE v.checked_on <= CAST(:business_date AS date) - (CAST(:window AS int) - CAST(:jitter AS int))
      AND v.checked_on <= CAST(:business_date AS date) - CAST(:window AS int) + {_JITTER}
      AND v.verdict <> 'DECEASED' AND c.state = 'ANSWERED' AND s.active AND s.number_token IS NOT NULL
    ORDER BY c.beneficiary_id, c.subject_id LIMIT :limit FOR UPDATE OF c
)
UPDATE check_request c SET state = 'PENDING', reason = 'RECHECK', priority = 1, business_date = :business_date, attempts = 0,
    last_error = NULL, lease_owner = NULL, lease_until = NULL, next_try_at = now(),
    pending_since = coalesce((SELECT o.complete_at FROM cut_off o WHERE o.cut_off_id = :cut_off_id), now()), traceparent = {HERE_SQL}
FROM due WHERE c.beneficiary_id = due.beneficiary_id AND c.subject_id = due.subject_id
RETURNING c.beneficiary_id, c.subject_id
"""

# An answer that is on its way was given before the death was recorded: it loses its lease, so that it is not taken.
_ASK_AGAIN: Final = f"""
WITH due AS MATERIALIZED (
    SELECT c.beneficiary_id, c.subject_id FROM check_request c JOIN subject s USING (beneficiary_id, subject_id)
    LEFT JOIN verification v USING (beneficiary_id, subject_id)
    WHERE {{condition}} AND {{live}}
    ORDER BY c.beneficiary_id, c.subject_id FOR UPDATE OF c
)
UPDATE check_request c SET reason = :reason, priority = 0, business_date = greatest(c.business_date, CAST(:business_date AS date)),
    exchange_id = NULL, attempts = 0, last_error = NULL, lease_owner = NULL, lease_until = NULL, next_try_at = now(),
    pending_since = CASE WHEN c.state = 'PENDING' THEN c.pending_since ELSE now() END, state = 'PENDING',
    traceparent = {HERE_SQL}
FROM due WHERE c.beneficiary_id = due.beneficiary_id AND c.subject_id = due.subject_id
RETURNING c.beneficiary_id, c.subject_id
"""

_LIVE: Final = "c.state <> 'CANCELLED' AND s.active"
# Cancelled with this reason (`leave_to_feed`): recorded dead by the office, asked about by the feed alone.
_LIVE_OR_DEAD: Final = f"({_LIVE} OR NOT s.active AND c.reason = 'DEATH_FEED')"
# Whose death was told of another day than the feed's is asked about: the day was corrected. The same day asks nobody again.
_NEWS: Final = (
    "s.number_blind = ANY(CAST(:numbers AS bytea[])) AND (v.verdict IS DISTINCT FROM 'DECEASED' OR EXISTS ("
    "SELECT FROM unnest(CAST(:numbers AS bytea[]), CAST(:days AS date[])) AS f (number, died)"
    " WHERE f.number = s.number_blind AND f.died IS NOT NULL AND f.died IS DISTINCT FROM v.death_date))"
)
_LEAVE: Final = """
UPDATE check_request c SET reason = 'DEATH_FEED',
    state = CASE WHEN c.beneficiary_id = ANY(CAST(:asked AS uuid[])) THEN 'PENDING' ELSE c.state END
FROM unnest(CAST(:ids AS uuid[]), CAST(:versions AS bigint[])) AS x (id, version)
JOIN subject s ON s.beneficiary_id = x.id AND s.subject_id = x.id
WHERE c.beneficiary_id = x.id AND c.subject_id = x.id AND s.version = x.version AND c.state = 'CANCELLED'
"""


async def _asked(tx: Tx, sql: str, **params: Any) -> list[str]:
    return [f"{row['beneficiary_id']}/{row['subject_id']}" for row in await tx.rows(sql, **params)]


async def latest_day(tx: Tx) -> date | None:
    """The latest business date the registry has named; None before it named any."""
    day: date | None = await tx.value("SELECT greatest((SELECT max(business_date) FROM subject), (SELECT max(business_date) FROM cut_off))")
    return day


async def recheck_old(tx: Tx, business_date: date, *, window: int, jitter: int, limit: int, cut_off_id: UUID | None = None) -> list[str]:
    """Ask again about up to `limit` people whose evidence is older than the window on that day. Who that is (beneficiary/subject).

    Each person's own window is up to `jitter` days shorter than `window`, never longer. With a cut-off, it waits for their answers.
    """
    return await _asked(tx, _RECHECK, business_date=business_date, window=window, jitter=jitter, limit=limit, cut_off_id=cut_off_id)


async def wait_for_rechecks(tx: Tx, cut_off_id: UUID) -> int:
    """The cut-off waits, too, for those whose old evidence was being asked about again already. How many."""
    return await tx.execute(
        "WITH due AS MATERIALIZED (SELECT c.beneficiary_id, c.subject_id, o.complete_at FROM check_request c, cut_off o"
        "   WHERE o.cut_off_id = :id AND c.state = 'PENDING' AND c.reason = 'RECHECK' AND c.pending_since > o.complete_at"
        "   ORDER BY c.beneficiary_id, c.subject_id FOR UPDATE OF c)"
        " UPDATE check_request c SET pending_since = due.complete_at FROM due"
        " WHERE c.beneficiary_id = due.beneficiary_id AND c.subject_id = due.subject_id",
        id=cut_off_id,
    )


async def ask_about_deaths(tx: Tx, numbers: Sequence[bytes], days: Sequence[date | None], business_date: date) -> list[str]:
    """Ask about whoever has one of these numbers and is not known to have died on its day. Who that is (beneficiary/subject).

    Also about whom the office recorded as dead: the day may be another.
    """
    sql = _ASK_AGAIN.format(condition=_NEWS, live=_LIVE_OR_DEAD)
    return await _asked(tx, sql, reason="DEATH_FEED", business_date=business_date, numbers=list(numbers), days=list(days))


async def asked_by_feed(tx: Tx, beneficiary_ids: Sequence[UUID]) -> list[UUID]:
    """Of these beneficiaries, those about whose death a question is on its way."""
    rows = await tx.rows(
        "SELECT beneficiary_id FROM check_request WHERE beneficiary_id = ANY(CAST(:ids AS uuid[])) AND subject_id = beneficiary_id"
        " AND state = 'PENDING' AND reason = 'DEATH_FEED'",
        ids=list(beneficiary_ids),
    )
    return [row["beneficiary_id"] for row in rows]


async def leave_to_feed(tx: Tx, dead: Sequence[tuple[UUID, int]], asked: Sequence[UUID]) -> None:
    """These are recorded as dead (person, version): only the feed of deaths asks about them. Questions of it (`asked`) stand."""
    await tx.execute(_LEAVE, ids=[item for item, _ in dead], versions=[version for _, version in dead], asked=list(asked))


async def ask_again(tx: Tx, beneficiary_ids: Sequence[UUID], reason: str, business_date: date) -> int:
    """Ask again about these beneficiaries themselves (not about their representatives). How many."""
    condition = "s.beneficiary_id = ANY(CAST(:ids AS uuid[])) AND s.subject_id = s.beneficiary_id"
    return await tx.execute(
        _ASK_AGAIN.format(condition=condition, live=_LIVE), reason=reason, business_date=business_date, ids=list(beneficiary_ids)
    )


async def ask_about(tx: Tx, beneficiary_id: UUID, subject_id: UUID, business_date: date) -> int:
    """Ask again about one person in one role, who is answered and on the register. How many."""
    condition = "s.beneficiary_id = :beneficiary_id AND s.subject_id = :subject_id AND c.state = 'ANSWERED'"
    return await tx.execute(
        _ASK_AGAIN.format(condition=condition, live=_LIVE),
        reason="REQUESTED",
        business_date=business_date,
        beneficiary_id=beneficiary_id,
        subject_id=subject_id,
    )


async def feed_cursor(tx: Tx, seconds: float) -> RowMapping | None:
    """Where the feed of deaths was left, locked; None while another worker reads it, or when it was read within `seconds`."""
    return await tx.row(
        "SELECT cursor, deaths, ours FROM death_feed WHERE source = 'population'"
        " AND (polled_at IS NULL OR polled_at < now() - make_interval(secs => :seconds)) FOR UPDATE SKIP LOCKED",
        seconds=seconds,
    )


async def keep_feed_cursor(tx: Tx, before: str | None, cursor: str | None, *, deaths: int, ours: int, more: bool) -> bool:
    """Move on, unless another worker has meanwhile. The next page of a feed that has more is due at once."""
    moved = await tx.execute(
        "UPDATE death_feed SET cursor = coalesce(:cursor, cursor), deaths = deaths + :deaths, ours = ours + :ours,"
        " polled_at = CASE WHEN :more THEN NULL ELSE now() END"
        " WHERE source = 'population' AND cursor IS NOT DISTINCT FROM CAST(:before AS text)",
        before=before,
        cursor=cursor,
        deaths=deaths,
        ours=ours,
        more=more,
    )
    return moved == 1
