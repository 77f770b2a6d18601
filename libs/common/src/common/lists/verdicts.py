"""The verdict beside each row: the office's own rows with result and reason, as CSV or XLSX, streamed; nothing in it runs."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from itertools import islice
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

from common import audit, sheets
from common.actor import Actor
from common.db import Database
from common.lists import storage
from common.lists.desk import choice_of, keyring_of, seen
from common.lists.headers import VERDICT_HEADERS
from common.lists.profile import ListProfile
from common.lists.table import Layout, SourceRow, data_rows, lay_out
from common.masking import mask_national_number

__all__ = ["cell_shown", "error_csv", "shown", "verdict_file"]

_LONG: Final = re.compile(r"\d(?:[ .\-]?\d){8,}")
_RESULT: Final = {
    "GOOD": "Hợp lệ – good", "APPLIED": "Đã ghi – applied", "UNCHANGED": "Không đổi – unchanged", "WAITING": "Đang chờ – waiting",
    "REFUSED": "Từ chối – refused",
}  # fmt: skip
_SETTLED: Final = {"CORRECTED": "đã sửa – corrected", "DISMISSED": "đã bỏ – dismissed"}
_AT_ONCE: Final = 2_000


def shown(text: str) -> str:
    """A cell as it may be shown: long numbers masked."""
    return _LONG.sub(lambda hit: mask_national_number(re.sub(r"\D", "", hit[0])) or "", text)


def error_csv(db: Database, actor: Actor, profile: ListProfile, import_id: UUID) -> AsyncIterator[bytes]:
    """Refused, waiting and flagged rows as CSV: who, result, column, code, reason in both languages."""
    header = ["dòng", *(who.header for who in profile.who), "kết quả", "cột", "mã lỗi", "lý do", "reason"]
    return sheets.stream("csv", sheets.Sheet(header), _errors(db, actor, profile, import_id))


async def _errors(db: Database, actor: Actor, profile: ListProfile, import_id: UUID) -> AsyncIterator[list[str | int]]:
    async with db.read(actor) as tx:
        async for row in storage.rows_with_reasons(tx, profile, import_id):
            who = [row["row_number"], *(row[item.name] or "" for item in profile.who)]
            for verdict, items in ((row["verdict"], row["reasons"]), ("WARNING", row["warnings"])):
                for item in items:
                    yield [*who, verdict, item["field"], item["code"], item["detail_vi"], item["detail"]]


async def verdict_file(
    db: Database, actor: Actor, profile: ListProfile, import_id: UUID, *, kind: str, only_refused: bool, purpose: str | None
) -> AsyncIterator[bytes]:
    """The whole list again with its verdicts. Without a purpose numbers are masked and unknown columns left out; with one the
    file is as it was sent, and that is audited. Raises ImportNotFound."""
    async with db.transaction(actor) as tx:
        await seen(tx, profile, import_id)
        file = await storage.file_of(tx, profile, import_id)
        assert file is not None
        content = await storage.content_of(tx, import_id)
        known = await storage.known_mappings(tx, file["unit_path"])
        if purpose is not None:
            await audit.record(tx, "import.read-whole", "import", import_id, audit.Read(purpose, {"file_name": file["file_name"]}))

    def opened() -> tuple[Layout, Iterator[SourceRow]]:
        plain = keyring_of(db).decrypt_bytes("import_file", content)
        page, layout = lay_out(plain, file["file_name"], profile.columns, choice=choice_of(file), sheet=file["sheet"], known=known)
        return layout, data_rows(page, layout, profile.columns)

    layout, rows = await asyncio.to_thread(opened)
    table = _table(db, actor, profile, import_id, layout, rows, only_refused=only_refused, whole=purpose is not None)
    return sheets.stream(kind, sheets.Sheet([*layout.headers, *VERDICT_HEADERS], name="Kết quả"), table)


async def _table(
    db: Database, actor: Actor, profile: ListProfile, import_id: UUID, layout: Layout, rows: Iterator[SourceRow], *,
    only_refused: bool, whole: bool,
) -> AsyncIterator[list[str]]:  # fmt: skip
    """The file's rows and their verdicts, side by side in row order."""
    named = {index: name for name, index in layout.columns.items()}
    width = len(layout.headers)
    async with db.read(actor) as tx:
        verdicts = storage.verdicts(tx, import_id)
        current = await anext(verdicts, None)
        while chunk := await asyncio.to_thread(lambda: list(islice(rows, _AT_ONCE))):
            for row in chunk:
                while current is not None and current["row_number"] < row.number:
                    current = await anext(verdicts, None)
                verdict = current if current is not None and current["row_number"] == row.number else None
                if verdict is None or (only_refused and verdict["verdict"] not in ("REFUSED", "WAITING")):
                    continue
                cells = [
                    _cell(profile, named.get(index), row.cells[index] if index < len(row.cells) else "", whole) for index in range(width)
                ]
                yield [*cells, *_words(verdict)]


def _cell(profile: ListProfile, name: str | None, text: str, whole: bool) -> str:
    if whole or not text:
        return text
    return "" if name is None else cell_shown(profile, name, text)  # a column we do not know may hold anything


def cell_shown(profile: ListProfile, name: str, text: str) -> str:
    """A cell of a known column as it may be shown: numbers masked, what may tell of somebody's health or origin not at all."""
    column = next((column for column in profile.columns if column.name == name), None)
    if column is None or not column.secret:
        return shown(text)
    digits = re.sub(r"\D", "", text)
    return (column.mask(digits) or "***") if len(digits) >= 9 else "***"


def _words(verdict: RowMapping) -> list[str]:
    items: Sequence[Any] = [*verdict["reasons"], *verdict["warnings"]]
    result = _RESULT[verdict["verdict"]] + (f" ({_SETTLED[verdict['settled']]})" if verdict["settled"] else "")
    return [
        str(verdict["row_number"]), result, "; ".join(item["field"] for item in items), "; ".join(item["code"] for item in items),
        "; ".join(item["detail_vi"] for item in items), "; ".join(item["detail"] for item in items),
    ]  # fmt: skip
