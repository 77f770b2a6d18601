"""Account lists: what the shared mechanism of lists is given here; rows whose person is not registered yet wait for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

from accounts.domain.directory import Directory
from accounts.domain.rows import COLUMNS, check_row
from accounts.storage import applying, imports, people
from common import audit, tracing
from common.actor import SYSTEM, Actor
from common.db import Database, Tx
from common.lists import storage, worker
from common.lists.desk import APPLY, CHECK
from common.lists.profile import Checked, ListProfile, Who
from common.sealing import Keyring

__all__ = ["APPLY", "CHECK", "Importer", "profile"]

_RETRIES: Final = 20  # imports looked at in one round


async def _unit_path(tx: Tx, actor: Actor, code: str, on: date) -> str | None:
    """The unit as the registry announced it; an officer's own unit is known from the token even before that."""
    path = await people.unit_path(tx, code, on)
    if path is None:
        path = next((unit for unit in actor.unit_paths if unit.rsplit("/", 1)[-1] == code), None)
    return path


def _check(keyring: Keyring, values: Mapping[str, str], directory: Directory) -> Checked:
    row = check_row(values, directory)
    return Checked(imports.reasons_of(row), (), imports.own_values(keyring, row))


async def _judge(tx: Tx, import_id: UUID) -> None:
    await imports.refuse_repeats(tx, import_id)
    await imports.resolve(tx, [import_id])


async def _needs_second(second_above: int, tx: Tx, import_id: UUID) -> bool:
    return bool(await tx.value("SELECT rows_total > :most FROM import_file WHERE import_id = :id", most=second_above, id=import_id))


async def _apply(tx: Tx, ids: Sequence[UUID], most: int) -> int:
    """Apply the next good rows of one import, in the order received."""
    while (import_id := await imports.next_import(tx, ids)) is not None:
        await imports.resolve(tx, [import_id])
        rows, changed = await applying.apply_some(tx, import_id, most)
        await storage.count(tx, [import_id])
        if rows:
            await audit.record(tx, "import.apply", "import", import_id, audit.Bulk.of(changed, rows=rows))
            return rows
    return 0


def profile(directory: Directory, second_above: int = 0) -> ListProfile:
    """Account lists. `second_above`: lists with more rows need a second person."""

    async def rules(_tx: Tx, _file: RowMapping) -> Directory:
        return directory

    return ListProfile(
        columns=COLUMNS,
        row_columns=imports.OWN_COLUMNS,
        who=(
            Who("file_code", "mã hồ sơ", "r.file_code"),
            Who("full_name", "họ và tên", "r.beneficiary_name"),
            Who("masked_number", "số tài khoản", "r.masked_number"),
        ),
        unit_path=_unit_path,
        rules=rules,
        check=_check,
        judge=_judge,
        needs_second=partial(_needs_second, second_above),
        apply=_apply,
        same_row="(w.file_code = a.file_code AND w.file_code <> '' OR w.file_code = '' AND w.name_folded = a.name_folded)",
        once=("sha256", "unit_code"),
        own=("source", "consent_on", "consent_evidence"),
    )


class Importer(worker.Importer):
    """Checks and applies account lists, and looks again at rows that waited for their person."""

    def __init__(self, db: Database, directory: Directory, *, apply_rows: int, second_above: int = 0, **more: Any) -> None:
        super().__init__(db, profile(directory, second_above), apply_rows=apply_rows, **more)
        self._waiting_db = db

    async def retry_waiting(self) -> bool:
        """Look again at rows whose person has been registered meanwhile; of applied lists, apply them. Returns whether any were."""
        async with self._waiting_db.transaction(SYSTEM(APPLY)) as tx:
            due = await imports.take_retries(tx, _RETRIES)
            if due:
                await imports.resolve(tx, [row["import_id"] for row in due])
                await storage.count(tx, [row["import_id"] for row in due])
        for row in due:
            if row["state"] == "APPLIED":
                with tracing.span("list rows that waited", parent=row["traceparent"]):
                    while await self.apply_some([row["import_id"]]):
                        pass
        return bool(due)
