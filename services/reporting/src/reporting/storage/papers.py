"""Frozen reports: kept, listed, read back; handed over; and what is due."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import RowMapping

from common.actor import Actor
from common.db import Tx
from reporting.storage.lines import BELOW, below, tried_again

__all__ = [
    "ROW",
    "add",
    "handed_over",
    "latest",
    "level_of",
    "lock",
    "one",
    "page",
    "record_handed_over",
    "rows_of",
    "stream_rows",
    "stream_unpaid",
]

ROW: Final = ("programme", "unit_path", "label", "is_total", "cells")
_HEAD: Final = (
    "report_id", "layout", "layout_version", "layout_digest", "period_first", "period_last", "unit_path", "unit_name", "units_on",
    "business_date", "log_seq", "digest", "row_count", "later_units", "frozen_by", "frozen_at",
)  # fmt: skip
_HANDED: Final = (
    "coalesce((SELECT jsonb_agg(jsonb_build_object('who', h.who, 'handed_on', h.handed_on, 'reference', h.reference) ORDER BY h.who)"
    " FROM report_handed_over h WHERE h.report_id = r.report_id), '[]') AS handed_over"
)


async def lock(tx: Tx, layout: str, period_first: date, unit_path: str, units_on: date) -> None:
    """Two at once of the same report go one after the other, from before their figures are read until they are kept."""
    place = "|".join([layout, period_first.isoformat(), unit_path, units_on.isoformat()])
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended(:place, 0))", place=place)


async def add(tx: Tx, head: dict[str, Any], addressees: Sequence[dict[str, Any]], rows: Iterable[dict[str, Any]]) -> int:
    """Keep a report; its edition. The caller holds :func:`lock`, in a transaction that sees what is committed (READ COMMITTED)."""
    names = ", ".join(_HEAD)
    edition = await tx.value(
        f"INSERT INTO frozen_report ({names}, edition, addressees)"
        f" SELECT {', '.join(':' + name for name in _HEAD)}, coalesce((SELECT max(edition) FROM frozen_report WHERE layout = :layout"
        "   AND period_first = :period_first AND unit_path = :unit_path AND units_on = :units_on), 0) + 1, CAST(:addressees AS jsonb)"
        " RETURNING edition",
        addressees=orjson.dumps(list(addressees)).decode(),
        **{name: head[name] for name in _HEAD},
    )
    await tx.copy(
        "frozen_report_row",
        ("report_id", "number", *ROW),
        (
            (head["report_id"], number, *(orjson.dumps(row[name]).decode() if name == "cells" else row[name] for name in ROW))
            for number, row in enumerate(rows, 1)
        ),
    )
    return int(edition)


async def one(tx: Tx, report_id: UUID) -> RowMapping | None:
    """A report's head, with who handed it over."""
    return await tx.row(f"SELECT r.*, {_HANDED} FROM frozen_report r WHERE r.report_id = :id", id=report_id)


async def rows_of(tx: Tx, report_id: UUID) -> Sequence[RowMapping]:
    """A report's rows in order."""
    return await tx.rows(f"SELECT {', '.join(ROW)} FROM frozen_report_row WHERE report_id = :id ORDER BY number", id=report_id)


def stream_rows(tx: Tx, report_id: UUID) -> AsyncIterator[RowMapping]:
    """The same, a few at a time."""
    return tx.stream(f"SELECT {', '.join(ROW)} FROM frozen_report_row WHERE report_id = :id ORDER BY number", id=report_id)


async def page(
    tx: Tx, actor: Actor, layout: str | None, period_first: date | None, before: UUID | None, limit: int
) -> Sequence[RowMapping]:
    """Reports of the actor's units, newest first (ids grow with time); none of later units that the actor does not see."""
    scope, params = actor.scope_sql("r.unit_path")
    later, _ = actor.scope_sql("l.path")
    return await tx.rows(
        f"SELECT r.*, {_HANDED} FROM frozen_report r WHERE {scope} AND (CAST(:layout AS text) IS NULL OR r.layout = :layout)"
        f" AND NOT EXISTS (SELECT FROM unnest(r.later_units) AS l (path) WHERE NOT {later})"
        " AND (CAST(:first AS date) IS NULL OR r.period_first = :first) AND (CAST(:before AS uuid) IS NULL OR r.report_id < :before)"
        " ORDER BY r.report_id DESC LIMIT :limit",
        layout=layout, first=period_first, before=before, limit=limit, **params,
    )  # fmt: skip


async def record_handed_over(tx: Tx, report_id: UUID, who: str, handed_on: date, reference: str, recorded_by: str) -> bool:
    """Note that somebody handed a report over; False when that was noted before."""
    return bool(
        await tx.execute(
            "INSERT INTO report_handed_over (report_id, who, handed_on, reference, recorded_by)"
            " VALUES (:id, :who, :on, :reference, :by) ON CONFLICT DO NOTHING",
            id=report_id, who=who, on=handed_on, reference=reference, by=recorded_by,
        )
    )  # fmt: skip


async def level_of(tx: Tx, unit_path: str, day: date) -> str:
    """The level of a unit: as it stands on the day, else as it last stood; a unit nobody told us of by the length of its path."""
    found = await tx.value(
        "SELECT level FROM unit WHERE path = :unit"
        " ORDER BY (valid_from <= :day AND (valid_to IS NULL OR valid_to >= :day)) DESC, valid_from DESC LIMIT 1",
        unit=unit_path, day=day,
    )  # fmt: skip
    return str(found or ("province", "district", "commune")[min(unit_path.count("/"), 2)])


async def latest(tx: Tx, unit_path: str, layout: str, period_first: date) -> RowMapping | None:
    """The newest edition of a report of a unit."""
    return await tx.row(
        "SELECT report_id, edition, frozen_at, digest FROM frozen_report WHERE unit_path = :unit AND layout = :layout"
        " AND period_first = :first ORDER BY report_id DESC LIMIT 1",
        unit=unit_path, layout=layout, first=period_first,
    )  # fmt: skip


async def handed_over(tx: Tx, unit_path: str, layout: str, period_first: date, who: str) -> RowMapping | None:
    """When somebody first handed over any edition of a report of a unit."""
    return await tx.row(
        "SELECT h.report_id, h.handed_on, h.reference FROM report_handed_over h JOIN frozen_report r USING (report_id)"
        " WHERE r.unit_path = :unit AND r.layout = :layout AND r.period_first = :first AND h.who = :who ORDER BY h.handed_on LIMIT 1",
        unit=unit_path, layout=layout, first=period_first, who=who,
    )  # fmt: skip


# Of each person's line the last attempt at that partner, on whatever list of the month, where it did not arrive.
_UNPAID: Final = f"""
SELECT o.partner, o.programme, o.funding_source, o.unit_path, b.file_code, b.full_name, o.amount, o.months, o.status, o.reason, o.reference
FROM (
    SELECT DISTINCT ON (partner, beneficiary_id, cycle_id) *
    FROM payment WHERE month = :month AND {BELOW}
    ORDER BY partner, beneficiary_id, cycle_id, attempt DESC, version DESC, payment_id
) AS o LEFT JOIN beneficiary AS b USING (beneficiary_id)
WHERE o.status IN ('FAILED', 'RETURNED', 'UNCOLLECTED', 'CANCELLED') AND (CAST(:partner AS text) IS NULL OR o.partner = :partner)
      AND NOT {tried_again("o", more="q.month = :month AND q.partner = o.partner")}
ORDER BY o.partner, o.programme, o.unit_path, b.file_code, o.reference
"""


def stream_unpaid(tx: Tx, month: date, unit_path: str, partner: str | None) -> AsyncIterator[RowMapping]:
    """Who was not paid by a partner in a month, a few at a time."""
    return tx.stream(_UNPAID, month=month, partner=partner, **below(unit_path))
