"""Report routes: read only, by role and unit."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query

from common.auth import Actor, Role, require
from common.db import Database
from reporting.api import schemas
from reporting.domain.rates import MAX_DECIMALS
from reporting.domain.states import Words, channel_words, reason_words, state_words
from reporting.usecases import reports

__all__ = ["READERS", "reports_router"]

READERS: Final = (
    Role.COMMUNE_OFFICER,
    Role.DISTRICT_OFFICER,
    Role.DEPARTMENT_OFFICER,
    Role.APPROVER,
    Role.AUDITOR,
    Role.OPERATOR,
    Role.INTEGRATOR,
)
_PAGE: Final = 200

Month = Annotated[str, Query(description="Tháng chi trả · the cycle's month, YYYY-MM", examples=["2024-09"])]
Unit = Annotated[
    str | None,
    Query(
        pattern=r"^[0-9]+(/[0-9]+)*$",
        max_length=40,
        description="Đơn vị · unit: 60 (province), 60/593 (district), 60/593/22924 (commune); default: your only unit",
        examples=["60"],
    ),
]
Reader = Annotated[Actor, Depends(require(*READERS))]


def _text(words: Words) -> schemas.Text:
    return schemas.Text(vi=words.vi, en=words.en)


def reports_router(db: Database) -> APIRouter:
    """`/v1/reports/…`."""
    router = APIRouter(prefix="/v1/reports", tags=["reports"])
    _add_sums(router, db)
    _add_people(router, db)
    return router


def _add_sums(router: APIRouter, db: Database) -> None:
    @router.get(
        "/coverage",
        summary="Paid by account, by programme and unit",
        description="Tỷ lệ chi trả qua tài khoản theo nhóm và đơn vị cấp dưới. Half-up; with totals; held and failed people are counted.",
    )
    async def coverage(
        actor: Reader, month: Month, unit_path: Unit = None, decimals: Annotated[int, Query(ge=0, le=MAX_DECIMALS)] = 1
    ) -> schemas.CoverageReport:
        rows = await reports.coverage(db, actor, month, unit_path, decimals)
        return schemas.CoverageReport(month=month, unit_path=unit_path, rows=[schemas.CoverageRow(**row) for row in rows])

    @router.get(
        "/channels",
        summary="People and đồng by channel",
        description="Số người và số tiền theo kênh chi trả. The latest attempt of each line counts.",
    )
    async def channels(actor: Reader, month: Month, unit_path: Unit = None) -> schemas.ChannelsReport:
        rows = await reports.channels(db, actor, month, unit_path)
        return schemas.ChannelsReport(
            month=month, rows=[schemas.ChannelRow(**row, channel_text=_text(channel_words(row["channel"]))) for row in rows]
        )

    @router.get(
        "/outcomes",
        summary="Who is not paid, and why",
        description="Tạm giữ, lỗi, hoàn trả, chưa nhận, chưa rõ – theo lý do. `states` sums to everybody due.",
    )
    async def outcomes(actor: Reader, month: Month, unit_path: Unit = None) -> schemas.OutcomesReport:
        by_state = await reports.states(db, actor, month, unit_path)
        rows = await reports.outcomes(db, actor, month, unit_path)
        return schemas.OutcomesReport(
            month=month,
            states=[schemas.StateRow(**row, state_text=_text(state_words(row["state"]))) for row in by_state],
            rows=[
                schemas.OutcomeRow(**row, state_text=_text(state_words(row["state"])), reason_text=_text(reason_words(row["reason"])))
                for row in rows
            ],
        )

    @router.get(
        "/payments-total",
        summary="Payments and đồng by status, programme and partner",
        description="Tổng các lệnh chi. Every attempt by itself; equals the ledger when everything is quiet. Without `month`: all months.",
    )
    async def payments_total(actor: Reader, month: Month | None = None, unit_path: Unit = None) -> schemas.PaymentTotals:
        rows = await reports.payments_total(db, actor, month, unit_path)
        return schemas.PaymentTotals(
            month=month,
            rows=[schemas.PaymentTotalRow(**row) for row in rows],
            payments=sum(row["payments"] for row in rows),
            amount=sum(row["amount"] for row in rows),
        )


def _add_people(router: APIRouter, db: Database) -> None:
    @router.get(
        "/nobody-left-behind",
        summary="Everybody due, each with a state",
        description="Từng người có khoản được hưởng và tình trạng. Ordered by unit; follow `next_cursor`. No identity or account numbers.",
    )
    async def nobody_left_behind(
        actor: Reader,
        month: Month,
        unit_path: Unit = None,
        cursor: Annotated[str | None, Query(max_length=400)] = None,
        limit: Annotated[int, Query(ge=1, le=_PAGE)] = _PAGE,
    ) -> schemas.PeoplePage:
        page = await reports.nobody_left_behind(db, actor, month, unit_path, cursor, limit)
        rows = [
            schemas.PersonRow(
                **row,
                state_text=_text(state_words(row["state"])),
                reason_text=None if row["reason"] is None else _text(reason_words(row["reason"])),
            )
            for row in page.rows
        ]
        return schemas.PeoplePage(month=month, rows=rows, next_cursor=page.next_cursor)
