"""Deleting what nobody needs any longer, by rules with a number of days each, in bounded pieces; what a rule would take is also counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from common import audit
from common.actor import SYSTEM
from common.db import Database

__all__ = ["RULES", "Rule", "clean", "counting", "days_of"]

_PIECE: Final = 20_000


@dataclass(frozen=True, slots=True)
class Rule:
    """Rows of `table` go `days` after the moment in `since` (a row without it stays). `days` None: the replay window and `extra`."""

    table: str
    since: str
    why: str
    days: int | None = None
    extra: int = 0
    personal: bool = False
    key: str = ""
    """What is about people: its key, whose digest goes into the audit log."""


RULES: Final = (
    Rule("outbox", "published_at", "published events are kept to be published again"),
    Rule("inbox", "received_at", "an event is known again a day longer than it may be published again", extra=1),
    Rule("idempotency_key", "created_at", "nobody repeats a request after so long; the answer may be about a person", 90, 0, True, "key"),
    Rule("parked_event", "replayed_at", "applied in the end; its body is about a person", 90, 0, True, "id"),
)
"""The mechanisms' own rules. The setting RETENTION_DAYS (JSON, table → days) overrides those that are not the replay window."""


def days_of(rule: Rule, window_days: int, days: Mapping[str, int]) -> int:
    """How long a rule keeps rows under these settings."""
    return window_days + rule.extra if rule.days is None else days.get(rule.table, rule.days)


def counting(rule: Rule) -> str:
    """SQL: how many rows a rule would take now; one parameter, the days (libpq form)."""
    return f"SELECT count(*) FROM {rule.table} WHERE {rule.since} < now() - make_interval(days => %s)"


async def clean(db: Database, window_days: int, days: Mapping[str, int] | None = None) -> bool:
    """Take one piece by each rule; True when more may be left. What is about people leaves an audit row with the count."""
    more = False
    async with db.transaction(SYSTEM("housekeeping")) as tx:
        for rule in RULES:
            kept = days_of(rule, window_days, days or {})
            keys = audit.digest_sql(rule.key) if rule.personal else "NULL"
            taken = await tx.row(
                f"WITH gone AS (DELETE FROM {rule.table} WHERE ctid IN (SELECT ctid FROM {rule.table}"
                f" WHERE {rule.since} < now() - make_interval(days => :days) LIMIT :piece) RETURNING *)"
                f" SELECT count(*) AS rows, {keys} AS digest FROM gone",
                days=kept,
                piece=_PIECE,
            )
            assert taken is not None
            gone = taken["rows"]
            if gone and rule.personal:
                await audit.record(tx, "retention.delete", rule.table, "many", audit.Bulk(gone, taken["digest"], {"days": kept}))
            more = more or gone == _PIECE
    return more
