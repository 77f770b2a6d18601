"""The police's side of a file exchange: a CSV list comes in, the same list goes back with an answer in every row."""

from __future__ import annotations

import csv
import io
from typing import Any

__all__ = ["NotAListError", "answered", "read"]

_RESULTS = {
    "MATCH": "Khớp",
    "MISMATCH": "Không khớp",
    "NOT_FOUND": "Không tìm thấy",
    "DECEASED": "Đã chết",
    "MULTIPLE": "Trùng số",
    "NOT_COLLECTED": "Chưa thu thập",
    "ERROR": "",
}
_FIELDS = {"match": "Khớp", "mismatch": "Không khớp", "not-given": ""}
_FIRST, _NUMBER = "Mã lô", "Số định danh cá nhân"


class NotAListError(Exception):
    """No header row of such a list in the file."""


def read(content: bytes) -> tuple[list[list[str]], int, list[dict[str, Any]]]:
    """All rows, the place of the header, and whom each row below it asks about."""
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    head = next((place for place, row in enumerate(rows) if row and row[0] == _FIRST and _NUMBER in row), None)
    if head is None:
        raise NotAListError
    columns = {name: place for place, name in enumerate(rows[head])}

    def cell(row: list[str], name: str) -> str:
        return row[columns[name]] if name in columns and columns[name] < len(row) else ""

    asked = [
        {
            "ref": f"{cell(row, 'Mã lô')}/{cell(row, 'Mã dòng')}",
            "number": cell(row, _NUMBER),
            "full_name": cell(row, "Họ và tên"),
            "birth_date": "-".join(reversed(cell(row, "Ngày sinh").split("/"))) or None,
            "sex": cell(row, "Giới tính") or None,
        }
        for row in rows[head + 1 :]
    ]
    return rows, head, asked


def answered(rows: list[list[str]], head: int, results: list[dict[str, Any]], accounts: dict[str, str]) -> bytes:
    """The list with its answers filled in. `accounts`: number → what is known of the person's account, "match" or "mismatch"."""
    columns = {name: place for place, name in enumerate(rows[head])}
    number = columns[_NUMBER]
    for row, result in zip(rows[head + 1 :], results, strict=True):
        row += [""] * (len(rows[head]) - len(row))
        death = result["death_date"]
        filled = {
            "Kết quả": _RESULTS.get(result["status"], result["status"]),
            "Họ và tên theo CSDL": result["population_name"] or "",
            "Ngày sinh theo CSDL": _shown(result["population_birth_date"]),
            "Giới tính theo CSDL (Khớp/Không khớp)": _FIELDS.get(result["fields"]["sex"], ""),
            "Ngày mất": _shown(death),
            "Tài khoản (Khớp/Không khớp)": _FIELDS.get(accounts.get(row[number], "not-given"), ""),
            "Số tham chiếu": result["reference"],
        }
        for name, value in filled.items():
            if name in columns:
                row[columns[name]] = value
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return "\ufeff".encode() + out.getvalue().encode()


def _shown(day: str | None) -> str:
    return "/".join(reversed(day.split("-"))) if day else ""
