"""The commune's list of people to be told, as a paper to sign (house to house, at the meeting, at the counter)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import RowMapping

from common.contracts.disbursement_v1 import Channel
from common.paper import Fields, Paper, Signature, Table, Text
from disbursement.domain.telling import Content, Occasion, sentence

__all__ = ["telling_paper"]


def telling_paper(sheet: RowMapping, rows: Sequence[RowMapping]) -> Paper:
    """The paper of one list. It names no programme and no reason: whoever looks over the shoulder learns nothing of anybody's health."""
    day = sheet["business_date"]
    return Paper(
        title="Danh sách báo tin chi trả",
        subtitle=f"Tháng {sheet['month']:%m/%Y} · Danh sách số {sheet['number']}",
        authority=f"ỦY BAN NHÂN DÂN {(sheet['unit_name'] or sheet['unit_code']).upper()}",
        place_and_date=f"Ngày {day:%d} tháng {day:%m} năm {day:%Y}",
        body=[
            Text("Báo trực tiếp cho người hưởng, không báo qua người nhận thay. Người được báo ký hoặc điểm chỉ; nếu nói chưa nhận được"
                 " tiền, ghi vào cột cuối và lập khiếu nại."),
            Table(
                ["STT", "Họ và tên", "Năm sinh", "Mã hồ sơ", "Nội dung báo", "Ký nhận", "Ý kiến"],
                [
                    (int(row["number"]), row["beneficiary_name"], (row["birth_date"] or "")[:4], row["file_code"] or "", _what(row), "", "")
                    for row in rows
                ],
            ),
            Fields([("Số người trên danh sách", str(sheet["rows"])), ("Mã kiểm tra", sheet["digest"][:16]), ("Số người không gặp", "")]),
        ],
        signatures=[Signature("NGƯỜI BÁO TIN"), Signature("TM. ỦY BAN NHÂN DÂN", "(Ký, đóng dấu)")],
    )  # fmt: skip


def _what(row: RowMapping) -> str:
    channel = Channel(row["channel"]) if row["channel"] else None
    content = Content(Occasion(row["occasion"]), row["beneficiary_name"], row["month"], row["amount"], channel, row["payee_name"])
    text = sentence(content, "ALWAYS")
    return text[:1].upper() + text[1:]
