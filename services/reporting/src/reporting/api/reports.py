"""Report routes: read only, by role and unit."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query

from common.auth import Actor, Role, require
from common.clock import today
from common.contracts.registry_v1 import Programme
from common.db import Database
from common.settings import MechanismSettings
from reporting.api import schemas
from reporting.domain.rates import MAX_DECIMALS
from reporting.domain.states import PersonState, Words, channel_words, reason_words, state_words
from reporting.domain.turns import ROLES_WITH_TURNS, WAITING, act_words, role_words, turn_of
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
_ROLE: Final = "^(" + "|".join(ROLES_WITH_TURNS) + ")$"

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


def reports_router(db: Database, settings: MechanismSettings) -> APIRouter:
    """`/v1/reports/…`."""
    router = APIRouter(prefix="/v1/reports", tags=["reports"])
    _add_sums(router, db)
    _add_people(router, db, settings)
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
                schemas.OutcomeRow(
                    **row | {"actor": row["actor"] or turn_of(row["state"])},
                    state_text=_text(state_words(row["state"])),
                    reason_text=_text(reason_words(row["reason"])),
                )
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


def _person(row: dict[str, Any]) -> schemas.PersonRow:
    turn = role_words(row["turn"])
    act = act_words(row["state"], row["reason"]) if turn else None
    return schemas.PersonRow(
        **row,
        state_text=_text(state_words(row["state"])),
        reason_text=None if row["reason"] is None else _text(reason_words(row["reason"])),
        turn_text=turn and _text(turn),
        act_text=act and _text(act),
    )


def _add_people(router: APIRouter, db: Database, settings: MechanismSettings) -> None:
    @router.get(
        "/nobody-left-behind",
        summary="Everybody due, each with a state and whose turn it is",
        description="Từng người được hưởng: tình trạng, đến lượt ai, đã chờ bao nhiêu ngày; không có số định danh, số tài khoản. "
        "Ordered by unit; follow `next_cursor` to its end: with a filter a page may hold fewer rows than `limit`.",
    )
    async def nobody_left_behind(
        actor: Reader,
        month: Month,
        unit_path: Unit = None,
        state: Annotated[list[PersonState] | None, Query(description="Tình trạng · only these states", examples=["HELD"])] = None,
        waiting: Annotated[bool, Query(description="Chỉ người chưa nhận được tiền · only those who wait, in any state")] = False,
        turn: Annotated[
            str | None, Query(description="Đến lượt · role whose turn it is", pattern=_ROLE, examples=["COMMUNE_OFFICER"])
        ] = None,
        programme: Annotated[Programme | None, Query(description="Nhóm đối tượng · only this programme")] = None,
        reason: Annotated[str | None, Query(max_length=60, description="Lý do · only for this reason", examples=["ACCOUNT_CLOSED"])] = None,
        min_days: Annotated[int, Query(ge=0, le=3_650, description="Chờ từ bao nhiêu ngày · waiting for so many days or more")] = 0,
        business_date: Annotated[date | None, Query(description="Ngày tính · days are counted to it; default: today in Viet Nam")] = None,
        cursor: Annotated[str | None, Query(max_length=400)] = None,
        limit: Annotated[int, Query(ge=1, le=_PAGE)] = _PAGE,
    ) -> schemas.PeoplePage:
        on = business_date or today(settings)
        states = tuple(WAITING if waiting or (min_days and not (state or turn)) else state or ())
        page = await reports.nobody_left_behind(
            db, actor, month, unit_path, cursor, limit, reports.Asked(on, states, turn, programme, reason, min_days)
        )
        return schemas.PeoplePage(month=month, business_date=on, rows=[_person(row) for row in page.rows], next_cursor=page.next_cursor)
