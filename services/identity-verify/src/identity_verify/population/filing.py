"""File exchange with the police: a list goes out, the same list comes back with an answer in every row.

Provinces without an online connection, and people whom it does not answer, are checked this way (domain facts §4.2). The
file carries the whole number, because the police look it up by it: it is made for one download, by a person with the right and a
purpose, and never kept. The answers may give the registered values, or only say which fields agree.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final, Literal

from common import sheets
from common.names import folded
from common.sealing import Keyring
from common.tabular import ColumnSpec, SourceRow, parse_date_vi, read_rows
from identity_verify.domain.verdict import Answer, SourceStatus
from identity_verify.population.source import Answered, Person, opened, reference_or_none

__all__ = ["HEADERS", "SOURCE", "PopulationFile"]

SOURCE: Final = "population-file"

HEADERS: Final = (
    "Mã lô", "Mã dòng", "Số định danh cá nhân", "Họ và tên", "Ngày sinh", "Giới tính", "Ngân hàng", "Số tài khoản (che bớt)",
    "Kết quả", "Họ và tên theo CSDL", "Ngày sinh theo CSDL", "Giới tính theo CSDL (Khớp/Không khớp)", "Ngày mất",
    "Tài khoản (Khớp/Không khớp)", "Số tham chiếu", "Ghi chú",
)  # fmt: skip
_TITLE: Final = (
    "DANH SÁCH ĐỀ NGHỊ XÁC THỰC VỚI CƠ SỞ DỮ LIỆU QUỐC GIA VỀ DÂN CƯ",
    "Cột Kết quả: Khớp, Không khớp, Không tìm thấy, Đã chết, Trùng số, Chưa thu thập; để trống nếu chưa trả lời được",
)
_COLUMNS: Final = (
    ColumnSpec("batch", ("Mã lô",), required=True),
    ColumnSpec("row", ("Mã dòng",), required=True),
    ColumnSpec("status", ("Kết quả",), required=True),
    ColumnSpec("name", ("Họ và tên theo CSDL", "Họ tên theo CSDL")),
    ColumnSpec("birth_date", ("Ngày sinh theo CSDL",)),
    ColumnSpec("sex", ("Giới tính theo CSDL (Khớp/Không khớp)", "Giới tính theo CSDL")),
    ColumnSpec("death_date", ("Ngày mất", "Ngày chết")),
    ColumnSpec("account", ("Tài khoản (Khớp/Không khớp)", "Tài khoản")),
    ColumnSpec("reference", ("Số tham chiếu",)),
)
_STATUSES: Final = {
    "KHOP": SourceStatus.MATCH, "DUNG": SourceStatus.MATCH, "TRUNG KHOP": SourceStatus.MATCH, "MATCH": SourceStatus.MATCH,
    "KHONG KHOP": SourceStatus.MISMATCH, "SAI": SourceStatus.MISMATCH, "MISMATCH": SourceStatus.MISMATCH,
    "KHONG TIM THAY": SourceStatus.NOT_FOUND, "KHONG CO": SourceStatus.NOT_FOUND, "NOTFOUND": SourceStatus.NOT_FOUND,
    "DA CHET": SourceStatus.DECEASED, "DA MAT": SourceStatus.DECEASED, "CHET": SourceStatus.DECEASED,
    "DECEASED": SourceStatus.DECEASED, "TRUNG SO": SourceStatus.MULTIPLE, "MULTIPLE": SourceStatus.MULTIPLE,
    "CHUA THU THAP": SourceStatus.NOT_COLLECTED, "NOTCOLLECTED": SourceStatus.NOT_COLLECTED,
    "": SourceStatus.ERROR, "LOI": SourceStatus.ERROR, "ERROR": SourceStatus.ERROR,
}  # fmt: skip
_FIELDS: Final = {"": "not-given", "KHOP": "match", "DUNG": "match", "MATCH": "match", "KHONG KHOP": "mismatch", "SAI": "mismatch",
                  "MISMATCH": "mismatch"}  # fmt: skip
_SEX: Final = {"M": "Nam", "F": "Nữ"}
_ROW: Final = re.compile(r"\d{1,7}")


class PopulationFile:
    """The adapter for one batch: its code stands in every row, so that answers to another batch are never taken for it."""

    source = SOURCE

    def __init__(self, keyring: Keyring, batch: str, form: Literal["csv", "xlsx"] = "xlsx", file_name: str = "answers.xlsx") -> None:
        """`form`: of the question; `file_name`: of the answer, for its kind."""
        self._keyring = keyring
        self._batch = batch
        self._form = form
        self._file_name = file_name

    def question(self, people: Sequence[Person]) -> bytes:
        """The list to hand over; its rows are numbered from 1 in the order of `people`."""
        return sheets.written(self._form, sheets.Sheet(HEADERS, _TITLE, "Xác thực", text=True), self._lines(people))

    def _lines(self, people: Sequence[Person]) -> Iterator[tuple[str, ...]]:
        for place, number, person in opened(self._keyring, people):
            yield (
                self._batch, str(place + 1), number, person.full_name, _shown_date(person.birth_date), _SEX.get(person.sex, ""),
                person.bank or "", person.masked_account or "",
            )  # fmt: skip

    def answers(self, content: bytes, people: int) -> Answered:
        """Answers by place, and the rows that cannot be read. Raises common.tabular.BrokenFile for a file that is no such list."""
        answers: dict[int, Answer] = {}
        unreadable: list[tuple[int, str]] = []
        twice: set[int] = set()
        for row in read_rows(content, self._file_name, _COLUMNS).rows:
            try:
                place, answer = self._answer(row, people)
            except ValueError as fault:
                unreadable.append((row.number, str(fault)))
                continue
            if place in answers:
                twice.add(place)
                unreadable.append((row.number, "dòng này đã có câu trả lời khác trong tệp · the file answers this row twice"))
            answers[place] = answer
        return Answered({place: answer for place, answer in answers.items() if place not in twice}, tuple(unreadable))

    def _answer(self, row: SourceRow, people: int) -> tuple[int, Answer]:
        if row.get("batch") != self._batch:
            raise ValueError("mã lô không phải của lô này · the batch code is not this batch's")
        if not _ROW.fullmatch(row.get("row")) or not 1 <= int(row.get("row")) <= people:
            raise ValueError("mã dòng không có trong lô · no such row in this batch")
        status = _STATUSES.get(folded(row.get("status")))
        if status is None:
            raise ValueError("Kết quả không hiểu được · the result is not one of those agreed")
        name = row.get("name") or None
        # "Khớp" for the whole row says that every field asked about agrees; "Không khớp" without values says only that one does not.
        agreed = {SourceStatus.MATCH: "match", SourceStatus.DECEASED: "match", SourceStatus.MISMATCH: "mismatch"}.get(status, "not-given")
        return int(row.get("row")) - 1, Answer(
            status=status,
            name=name,
            birth_date=_date(row, "birth_date"),
            sex_field=_field(row, "sex"),
            death_date=_day(row, "death_date") if status is SourceStatus.DECEASED else None,
            reference=reference_or_none(row.get("reference")),
            name_field=agreed,
            birth_field=agreed,
            account_field=_field(row, "account"),
        )


def _field(row: SourceRow, name: str) -> str:
    found = _FIELDS.get(folded(row.get(name)))
    if found is None:
        raise ValueError(f"cột {name}: ghi Khớp hoặc Không khớp · column {name}: write Khớp or Không khớp")
    return found


def _date(row: SourceRow, name: str) -> str | None:
    text = row.get(name)
    if not text:
        return None
    parsed = parse_date_vi(text)
    if parsed is None:
        raise ValueError(f"cột {name} không phải ngày · column {name} is no date")
    return parsed


def _day(row: SourceRow, name: str) -> date | None:
    parsed = _date(row, name)
    if parsed is None:
        return None
    if len(parsed) < len("2024-09-01"):
        raise ValueError("ngày mất phải đủ ngày tháng năm · the day of death must be a whole date")
    return date.fromisoformat(parsed)


def _shown_date(partial: str | None) -> str:
    return "/".join(reversed(partial.split("-"))) if partial else ""
