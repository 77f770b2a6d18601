"""Lists on their way: one row per list, its import, who has it and until when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

from common.db import Tx
from registry.storage.catalogue import read_file

__all__ = ["find", "load_holidays", "of_imports", "page", "parent_unit", "special_days", "store", "update"]

_VIEW: Final = (
    "SELECT l.*, f.file_name, f.programme, f.rows_total, f.rows_good, f.rows_refused, f.state AS import_state"
    " FROM submitted_list l JOIN import_file f USING (import_id)"
)


async def find(tx: Tx, list_id: UUID, *, lock: bool = False) -> RowMapping | None:
    """One list."""
    return await tx.row(f"{_VIEW} WHERE l.list_id = :id{' FOR NO KEY UPDATE OF l' if lock else ''}", id=list_id)


async def of_imports(tx: Tx, imports: Sequence[UUID]) -> Sequence[RowMapping]:
    """The lists that carry these imports, locked."""
    return await tx.rows(
        "SELECT list_id, import_id, state, submitted_by FROM submitted_list WHERE import_id = ANY(CAST(:ids AS uuid[]))"
        " AND state <> 'WITHDRAWN' ORDER BY list_id FOR NO KEY UPDATE",
        ids=list(imports),
    )


async def page(
    tx: Tx, *, state: str | None, overdue_on: date | None, after: UUID | None, limit: int, scopes: tuple[str, str], params: dict[str, Any]
) -> Sequence[RowMapping]:
    """Lists sent from or to the caller's units, in the order submitted."""
    return await tx.rows(
        f"{_VIEW} WHERE ({scopes[0]} OR {scopes[1]}) AND (CAST(:state AS text) IS NULL OR l.state = :state)"
        " AND (CAST(:overdue AS date) IS NULL OR l.due_on < :overdue AND l.state IN ('SUBMITTED', 'RECEIVED'))"
        " AND (CAST(:after AS uuid) IS NULL OR l.list_id > :after) ORDER BY l.list_id LIMIT :limit",
        state=state,
        overdue=overdue_on,
        after=after,
        limit=limit,
        **params,
    )


async def parent_unit(tx: Tx, unit_path: str, on: date) -> RowMapping | None:
    """The unit above on a day; its path is the beginning of the unit's own."""
    above = unit_path.rpartition("/")[0]
    return await tx.row(
        "SELECT code, path FROM administrative_unit WHERE path = :path AND valid_from <= :on AND (valid_to IS NULL OR valid_to >= :on)"
        " ORDER BY valid_from DESC LIMIT 1",
        path=above,
        on=on,
    )


async def special_days(tx: Tx, after: date) -> dict[date, bool]:
    """Days after another on which the calendar does not tell whether offices work: day → worked."""
    return {row["day"]: row["worked"] for row in await tx.rows("SELECT day, worked FROM public_holiday WHERE day > :after", after=after)}


async def load_holidays(tx: Tx) -> dict[str, int]:
    """Load the public holidays of the catalogue; rows changed. Needs the owner role; a second load changes nothing."""
    columns = ("day", "worked", "name_vi", "legal_basis")
    await tx.execute("CREATE TEMP TABLE load_holiday ON COMMIT DROP AS SELECT * FROM public_holiday WITH NO DATA")
    await tx.copy("load_holiday", columns, [[row[name] for name in columns] for row in read_file("public_holidays.csv")])
    changed = await tx.execute(
        "INSERT INTO public_holiday AS t SELECT * FROM load_holiday ON CONFLICT (day) DO UPDATE SET worked = excluded.worked,"
        " name_vi = excluded.name_vi, legal_basis = excluded.legal_basis WHERE (t.worked, t.name_vi, t.legal_basis)"
        " IS DISTINCT FROM (excluded.worked, excluded.name_vi, excluded.legal_basis)"
    )
    changed += await tx.execute("DELETE FROM public_holiday t WHERE NOT EXISTS (SELECT FROM load_holiday l WHERE l.day = t.day)")
    return {"public_holiday": changed}


async def store(tx: Tx, values: dict[str, Any]) -> int:
    """Submit an import as a list; 0 when it travels already."""
    columns, marks = ", ".join(values), ", ".join(f":{name}" for name in values)
    return await tx.execute(f"INSERT INTO submitted_list ({columns}) VALUES ({marks}) ON CONFLICT DO NOTHING", **values)


async def update(tx: Tx, list_id: UUID, values: dict[str, Any], stamps: Sequence[str] = ()) -> None:
    """Set columns, and the time of `stamps`; the version grows."""
    sets = [f"{name} = :{name}" for name in values] + [f"{name} = now()" for name in stamps]
    await tx.execute(
        f"UPDATE submitted_list SET {', '.join(sets)}, version = version + 1 WHERE list_id = :list_id", list_id=list_id, **values
    )
