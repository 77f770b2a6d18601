"""The registry's lists of people: what the shared mechanism of lists is given here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

from common.actor import Actor
from common.db import Database, Tx
from common.lists.desk import APPLY, CHECK
from common.lists.errors import MappingNotPossible
from common.lists.profile import Checked, ListProfile, Who
from common.lists.worker import Importer
from common.sealing import Keyring
from registry.domain.columns import COLUMNS
from registry.domain.rows import Rules, check_row
from registry.domain.starts import age_warnings
from registry.storage import catalogue, imports
from registry.storage import decisions as decision_storage
from registry.storage.publishing import take_people_lock
from registry.usecases import travel
from registry.usecases.applying import apply_batch

__all__ = ["APPLY", "CHECK", "importer", "profile"]

_SECOND_ABOVE: Final = 200


async def _unit_path(tx: Tx, _actor: Actor, code: str, on: date) -> str | None:
    unit = await catalogue.unit_of(tx, code, on)
    return None if unit is None else str(unit["path"])


async def _rules(tx: Tx, file: RowMapping) -> Rules:
    return Rules(
        file["programme"], file["unit_code"], file["unit_path"], file["business_date"], await catalogue.categories(tx),
        await catalogue.units_below(tx, file["unit_path"].split("/")[0], file["business_date"]),
        int((await decision_storage.policy(tx, ["REPRESENTATIVE_MAX_MONTHS"]))["REPRESENTATIVE_MAX_MONTHS"]),
    )  # fmt: skip


def _check(keyring: Keyring, values: Mapping[str, str], rules: Rules) -> Checked:
    row = check_row(values, rules)
    return Checked(row.reasons, [*row.warnings, *age_warnings(row, rules)], imports.own_values(keyring, row))


async def _judge(tx: Tx, import_id: UUID) -> None:
    """Rows that clash with another row or with the register; the same is looked at again when they are applied."""
    good = await tx.rows("SELECT row_number FROM import_row WHERE import_id = :id AND verdict = 'GOOD'", id=import_id)
    numbers = [row["row_number"] for row in good]
    await imports.refuse_rows(tx, await imports.conflicts(tx, [import_id] * len(numbers), numbers))
    await imports.number_dependants(tx, import_id)


async def _needs_second(second_above: int, tx: Tx, import_id: UUID) -> bool:
    """Whatever changes entitlements or who collects needs two people; so does any list over the set size."""
    return bool(await imports.changes_money(tx, import_id, second_above))


async def _apply(tx: Tx, ids: Sequence[UUID], most: int) -> int:
    await take_people_lock(tx)  # before reading: a worker that took over a slow one's job must see its last batch
    rows = await imports.next_rows(tx, ids, most)
    if not rows or tx.db.keyring is None:
        return 0
    day = rows[0]["business_date"]
    batch = [row for row in rows if row["business_date"] == day]
    await apply_batch(tx, tx.db.keyring, [row["import_id"] for row in batch], [row["row_number"] for row in batch], day)
    await imports.count_verdicts(tx, list({row["import_id"] for row in batch}))
    return len(batch)


async def _forget(tx: Tx, import_id: UUID) -> None:
    """Rows of the list that stand in a duplicate candidate: open ones go with the rows, a decided one keeps them."""
    if not await imports.drop_candidates(tx, import_id):
        text = (
            "Đã có quyết định về hồ sơ trùng của danh sách này nên không đọc lại được: hãy sửa tệp và gửi thành danh sách mới"
            " · a duplicate that names a row of this list has been decided, so the list cannot be read anew: correct the file and send it"
            " as a new list"
        )
        raise MappingNotPossible(text, errors=[{"field": "import_id", "detail": "DUPLICATE_DECIDED"}])


def profile(second_above: int = _SECOND_ABOVE) -> ListProfile:
    """Lists of people. `second_above`: lists with more good rows need a second person whatever they change."""
    return ListProfile(
        columns=COLUMNS,
        row_columns=imports.OWN_COLUMNS,
        who=(
            Who("file_code", "mã hồ sơ", "r.file_code"),
            Who("full_name", "họ và tên", "r.full_name"),
            Who("masked_number", "số định danh", "r.masked_number"),
        ),
        unit_path=_unit_path,
        rules=_rules,
        check=_check,
        judge=_judge,
        needs_second=partial(_needs_second, second_above),
        apply=_apply,
        same_row=imports.SAME_ROW,
        once=("sha256", "unit_code", "programme"),
        own=("programme",),
        listed="f.file_name <> 'api'",
        before_approve=travel.before_approve,
        forget=_forget,
        failpoint="registry.import_between_batches",
    )


def importer(db: Database, *, apply_rows: int, second_above: int = _SECOND_ABOVE, **more: Any) -> Importer:
    """The worker's side of the registry's lists."""
    return Importer(db, profile(second_above), apply_rows=apply_rows, **more)
