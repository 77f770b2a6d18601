"""A person's statement as JSON, a page to print or PDF, in Vietnamese with English beside it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, Field

from common import paper, pdf
from common.auth import Actor, Role, require
from common.clock import VIETNAM, today
from common.db import Database
from common.paper import Fields, Paper, Signature, Table
from common.paper import Text as Paragraph
from common.purposes import Purpose
from common.spoken import in_words
from reporting.api.paper_text import place_of
from reporting.api.parts import example, text
from reporting.api.schemas import Text
from reporting.domain.indicators import group_words
from reporting.domain.states import Words, cash_words, channel_words, reason_words
from reporting.settings import Settings
from reporting.usecases import statements
from reporting.usecases.statements import Statement

__all__ = ["statements_router"]

_ROLES: Final = (Role.COMMUNE_OFFICER, Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER, Role.AUDITOR)
Clerk = Annotated[Actor, Depends(require(*_ROLES))]
_STATUS: Final = {
    "SETTLED": Words("Đã vào tài khoản", "On the account"), "COLLECTED": Words("Đã nhận tiền mặt", "Collected in cash"),
    "APPROVED": Words("Đang chi trả", "Being paid"), "SUBMITTING": Words("Đang chi trả", "Being paid"),
    "SUBMITTED": Words("Đang chi trả", "Being paid"), "UNKNOWN": Words("Đang tra soát", "Being inquired"),
    "FAILED": Words("Không thành công", "Failed"), "RETURNED": Words("Tiền bị hoàn trả", "Came back"),
    "UNCOLLECTED": Words("Chưa đến nhận", "Not collected"), "CANCELLED": Words("Đã hủy", "Cancelled"),
}  # fmt: skip
_ENTITLED: Final = {
    "GRANTED": Words("Đang hưởng", "Granted"), "SUSPENDED": Words("Tạm dừng", "Suspended"), "ENDED": Words("Đã thôi hưởng", "Ended"),
}  # fmt: skip
_PAYEE: Final = {
    "SELF": Words("Chính người hưởng", "The person"), "AUTHORISED": Words("Người được ủy quyền", "Authorised person"),
    "GUARDIAN": Words("Người giám hộ", "Guardian"), "CARER": Words("Người chăm sóc", "Carer"), "HEIR": Words("Người thừa kế", "Heir"),
}  # fmt: skip
_EXAMPLE: Final[dict[str, Any]] = {
    "beneficiary_id": "0199f0a2-7d0b-7c51-9d3e-1f2a3b4c5d6e", "file_code": "BT-00001", "full_name": "Nguyễn Thị Hoa",
    "unit_path": "60/593/22924", "unit_name": "Phường Mũi Né", "since": "2024-01", "until": "2024-12", "paid": 2789000,
    "entitlements": [
        {"programme": "MERIT", "programme_text": {"vi": "Người có công với cách mạng", "en": "People with revolutionary merit"},
         "benefit_line": "M01", "decision_number": "12/QĐ-UBND", "decision_date": "2023-06-01", "from_month": "2023-06", "to_month": None,
         "status": "GRANTED"}
    ],
    "dues": [
        {"programme": "MERIT", "benefit_line": "M01", "from_month": "2024-07", "to_month": None, "amount": 2789000, "status": "DUE",
         "basis": "Nghị định 77/2024/NĐ-CP", "decision_number": "12/QĐ-UBND"}
    ],
    "payments": [
        {"month": "2024-09", "months": ["2024-09"], "programme": "MERIT", "amount": 2789000,
         "status": "SETTLED", "status_text": {"vi": "Đã vào tài khoản", "en": "On the account"},
         "channel_text": {"vi": "Tài khoản ngân hàng", "en": "Bank account"}, "partner": "agribank", "account": "…1234",
         "payee_text": {"vi": "Chính người hưởng", "en": "The person"}, "reason_text": None, "on": "2024-09-05T03:00:00Z", "attempt": 1}
    ],
    "holds": [],
}  # fmt: skip


class EntitlementLine(BaseModel):
    """What a decision granted."""

    programme: str
    programme_text: Text
    benefit_line: str = Field(description="Neutral code of the benefit; never a health fact")
    decision_number: str
    decision_date: date
    from_month: str
    to_month: str | None
    status: str


class DueLine(BaseModel):
    """What is owed a month, on which legal basis."""

    programme: str
    benefit_line: str
    from_month: str
    to_month: str | None
    amount: int
    status: str
    basis: str
    decision_number: str | None


class PaymentLine(BaseModel):
    """One attempt to pay."""

    month: str
    months: list[str] = Field(description="Benefit months paid, arrears included")
    programme: str
    amount: int
    status: str
    status_text: Text
    channel_text: Text
    partner: str
    account: str | None = Field(description="Last four characters of the account it was settled to; null where none was said")
    payee_text: Text
    reason_text: Text | None
    on: datetime
    attempt: int


class HoldLine(BaseModel):
    """What is held, and why."""

    month: str
    programme: str
    amount: int
    reason_text: Text


class StatementView(BaseModel):
    """One person's statement."""

    model_config = example(**_EXAMPLE)

    beneficiary_id: UUID
    file_code: str | None
    full_name: str
    unit_path: str
    unit_name: str
    since: str
    until: str
    paid: int = Field(description="Đồng paid in these months")
    entitlements: list[EntitlementLine]
    dues: list[DueLine]
    payments: list[PaymentLine]
    holds: list[HoldLine]


def _view(made: Statement) -> StatementView:
    person = made.person
    return StatementView(
        **{name: person[name] for name in ("beneficiary_id", "file_code", "full_name", "unit_path")}, unit_name=made.unit_name,
        since=f"{made.first:%Y-%m}", until=f"{made.last:%Y-%m}", paid=made.paid,
        entitlements=[EntitlementLine(**_named(row, "entitlement_id")) for row in made.entitlements],
        dues=[
            DueLine(programme=line["programme"], benefit_line=line["benefit_line"], **{k: one.get(k) for k in _INTERVAL})
            for line in made.dues for one in line["intervals"] if _overlaps(one, made)
        ],
        payments=[
            PaymentLine(
                month=f"{row['month']:%Y-%m}", months=row["months"], programme=row["programme"], amount=row["amount"], status=row["status"],
                status_text=text(_STATUS.get(row["status"], Words(row["status"], row["status"]))),
                channel_text=text(channel_words(row["channel"])), partner=row["partner"], account=row["account_masked"],
                payee_text=text(_PAYEE.get(row["payee_kind"], Words(row["payee_kind"], row["payee_kind"]))),
                reason_text=_why(row["reason"], row["cash_reason"]),
                on=row["occurred_at"], attempt=row["attempt"],
            )
            for row in made.payments
        ],
        holds=[
            HoldLine(
                month=f"{row['month']:%Y-%m}", programme=row["programme"], amount=row["amount"],
                reason_text=text(reason_words(row["reason"])),
            )
            for row in made.holds
        ],
    )  # fmt: skip


_NO_RATE: Final = "Chưa có mức · no rate"
_NO_BASIS: Final = "Chưa nạp văn bản quy định mức của các tháng này · no rate is loaded for these months"
_INTERVAL: Final = ("from_month", "to_month", "amount", "status", "basis", "decision_number")


def _named(row: Any, *without: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in without} | {"programme_text": text(group_words(row["programme"]))}


def _overlaps(one: dict[str, Any], made: Statement) -> bool:
    return str(one["from_month"]) <= f"{made.last:%Y-%m}" and (one["to_month"] is None or str(one["to_month"]) >= f"{made.first:%Y-%m}")


def _both(words: Text) -> str:
    return f"{words.vi} · {words.en}"


def _entitled(status: str) -> str:
    words = _ENTITLED.get(status)
    return f"{words.vi} · {words.en}" if words else status


def _group(programme: str) -> str:
    return group_words(programme).vi


def _why(reason: str | None, cash_reason: str | None) -> Text | None:
    """Why it did not arrive, else why it is cash."""
    if reason:
        return text(reason_words(reason))
    return text(cash_words(cash_reason)) if cash_reason else None


def _month(month: str) -> str:
    """'2024-09' as people write it: '09/2024'."""
    return f"{month[5:7]}/{month[:4]}"


def _span(since: str, until: str | None) -> str:
    return f"{_month(since)} – {_month(until)}" if until else f"từ {_month(since)}"


Lines = list[tuple[str | int, ...]]


def _body(view: StatementView, granted: Lines, owed: Lines, paid: Lines, held: Lines) -> list[Paragraph | Fields | Table]:
    body: list[Paragraph | Fields | Table] = [
        Fields([("Họ và tên · Name", view.full_name), ("Mã hồ sơ · File", view.file_code or ""), ("Đơn vị · Unit", view.unit_name)]),
        Paragraph("1. Được hưởng gì, theo quyết định nào · What was granted, by which decision"),
        Table(["Nhóm · Group", "Mã trợ cấp · Line", "Quyết định · Decision", "Thời gian · Months", "Tình trạng · Status"], granted),
        Paragraph("2. Mức hưởng mỗi tháng và căn cứ · What is due a month, and why"),
        Table(["Nhóm · Group", "Mã trợ cấp · Line", "Thời gian · Months", "Mức (đồng) · Amount", "Căn cứ · Basis"], owed),
        Paragraph("3. Đã chi trả khi nào, bằng cách nào · When and how it was paid"),
        Table(
            [
                "Tháng · Month", "Trả cho tháng · For", "Nhóm · Group", "Số tiền (đồng) · Amount", "Hình thức · How", "Người nhận · Payee",
                "Kết quả · Result", "Ngày · Day",
            ],
            paid,
        ),
    ]  # fmt: skip
    if held:
        body += [
            Paragraph("4. Đang tạm giữ · Held"),
            Table(["Tháng · Month", "Nhóm · Group", "Số tiền (đồng) · Amount", "Lý do · Reason"], held),
        ]
    return body


def _paper(view: StatementView, on: date) -> Paper:
    """Vietnamese first, English beside it; nothing of health, no number of a person or an account."""
    words = in_words(view.paid)
    granted: Lines = [
        (
            _group(e.programme),
            e.benefit_line,
            f"{e.decision_number}, {e.decision_date:%d/%m/%Y}",
            _span(e.from_month, e.to_month),
            _entitled(e.status),
        )
        for e in view.entitlements
    ]
    owed: Lines = [
        (
            _group(d.programme),
            d.benefit_line,
            _span(d.from_month, d.to_month),
            d.amount if d.status == "DUE" else _NO_RATE,
            d.basis if d.status == "DUE" else _NO_BASIS,
        )
        for d in view.dues
    ]
    paid: Lines = [
        (_month(p.month), ", ".join(_month(one) for one in p.months), _group(p.programme), p.amount,
         f"{_both(p.channel_text)}{f' ({p.account})' if p.account else ''}", _both(p.payee_text),
         _both(p.status_text) + (f": {_both(p.reason_text)}" if p.reason_text else ""), f"{p.on.astimezone(VIETNAM):%d/%m/%Y}")
        for p in view.payments
    ]  # fmt: skip
    held: Lines = [(_month(h.month), _group(h.programme), h.amount, _both(h.reason_text)) for h in view.holds]
    total = f"Tổng đã nhận · Paid in all: {view.paid:,} đồng.".replace(",", ".")
    return Paper(
        title="Bản kê trợ cấp của người hưởng",
        subtitle=f"Từ tháng {_month(view.since)} đến tháng {_month(view.until)} · Benefit statement",
        authority=f"UBND {view.unit_name.upper()}",
        place_and_date=f"{place_of(view.unit_name)}, ngày {on.day:02} tháng {on.month:02} năm {on.year}",
        body=[*_body(view, granted, owed, paid, held), Paragraph(f"{total} Bằng chữ: {words[:1].upper()}{words[1:]} đồng.")],
        signatures=[Signature("NGƯỜI HƯỞNG"), Signature("NGƯỜI LẬP BẢN KÊ")],
    )  # fmt: skip


def statements_router(db: Database, settings: Settings) -> APIRouter:
    """`/v1/statements/…`."""
    router = APIRouter(prefix="/v1/statements", tags=["statements"])

    @router.get(
        "/{beneficiary_id}",
        response_model=StatementView,
        responses={200: {"content": {"text/html": {}, "application/pdf": {}}, "description": "The statement"}},
        summary="Bản kê trợ cấp của một người · One person's benefit statement",
        description="Được hưởng gì, theo quyết định nào, mức mỗi tháng, đã trả khi nào, bằng cách nào; in được. Không có số định danh, số "
        "tài khoản chỉ bốn ký tự cuối; mỗi lần lập đều ghi nhật ký với mục đích. What, why, when and how paid, to print (html, pdf). No "
        "identity number, accounts by their last four characters; each one made is audited with its purpose. Another unit: 404.",
    )
    async def statement(
        beneficiary_id: UUID,
        actor: Clerk,
        since: Annotated[str, Query(description="Từ tháng · first month", examples=["2024-01"])],
        until: Annotated[str, Query(description="Đến tháng · last month", examples=["2024-12"])],
        purpose: Purpose,
        form: Annotated[Literal["json", "html", "pdf"], Query(description="json, html (to print) or pdf")] = "json",
    ) -> Any:
        view = _view(await statements.make(db, actor, beneficiary_id, since, until, purpose))
        if form == "json":
            return Response(view.model_dump_json(), media_type="application/json", headers={"Cache-Control": "no-store"})
        made = _paper(view, today(settings))
        return pdf.answer(made, f"ban-ke-{beneficiary_id}") if form == "pdf" else paper.answer(made)

    return router
