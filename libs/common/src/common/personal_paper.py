"""What is held about a person, as a paper to hand over: Vietnamese headings, empty fields left out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from common.paper import Fields, Paper, Signature, Table, Text
from common.personal_data import Given
from common.personal_words import WORDS

__all__ = ["paper_of"]

_DAY: Final = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:T\d\d:\d\d\S*)?$")
_NOTHING: Final[tuple[Any, ...]] = (None, "", [], {})
_NARROW: Final = 5
"""More columns than this do not fit a sheet: such rows are printed as lists."""


def _said(value: Any) -> str:
    """As people in an office write it; what has parts is told part by part, so that it wraps on paper."""
    if isinstance(value, bool):
        return "có" if value else "không"
    if isinstance(value, dict):
        return "; ".join(f"{WORDS.get(name, name)}: {_said(inner)}" for name, inner in value.items() if inner not in _NOTHING)
    if isinstance(value, list):
        return ", ".join(_said(item) for item in value)
    if isinstance(value, str) and (day := _DAY.match(value)):
        hour = f" {value[11:16]}" if len(value) > len("2026-11-22") else ""
        return f"{day[3]}/{day[2]}/{day[1]}{hour}"
    return str(value)


def _part(number: int, part: Given) -> list[Text | Fields | Table]:
    filled = [name for name in part.labels if any(row.get(name) not in _NOTHING for row in part.rows)]
    body = [Text(f"{number}. {part.title_vi} ({len(part.rows)} dòng)")]
    if len(filled) <= _NARROW:
        rows = [[_said(row[name]) if row.get(name) is not None else "" for name in filled] for row in part.rows]
        return [*body, Table([part.labels[name] for name in filled], rows)]
    lists = [[(part.labels[name], _said(row[name])) for name in filled if row.get(name) not in _NOTHING] for row in part.rows]
    return [*body, *(Fields(lines) for lines in lists)]


def paper_of(service: str, person_id: UUID, parts: Sequence[Given], kept: Sequence[dict[str, Any]], day: date) -> Paper:
    """The paper; it names the person by the platform's own id, which stands in each request for it."""
    body: list[Text | Fields | Table] = [
        Text(f"Mã người trong hệ thống: {person_id}. Phần do dịch vụ {service} lưu giữ; các dịch vụ khác cấp phần của mình theo cùng mẫu.")
    ]
    for number, part in enumerate(parts, start=1):
        body += _part(number, part)
    if kept:
        body.append(Text("Dữ liệu phải giữ theo luật, kể cả khi có yêu cầu xoá:"))
        body.append(
            Table(["Dữ liệu", "Căn cứ", "Giữ đến"], [[item["what_vi"], item["law"], item["until"] or "chưa có hạn"] for item in kept])
        )
    return Paper(
        title="BẢN CUNG CẤP DỮ LIỆU CÁ NHÂN",
        subtitle="theo yêu cầu của chủ thể dữ liệu",
        body=body,
        place_and_date=f"Ngày {day.day} tháng {day.month} năm {day.year}",
        signatures=[Signature("NGƯỜI CUNG CẤP"), Signature("NGƯỜI NHẬN")],
    )
