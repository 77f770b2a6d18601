"""Routes of moves: send, receive, return; arrivals from other provinces; which unit pays which month."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse

from common import idempotency
from common.db import Database, Tx
from common.idempotency import IdempotencyKey
from registry.api import cursors, paper_cells
from registry.api.cursors import Cursor, Limit
from registry.api.paper_cells import Checker, Maker, Reader, first_day
from registry.api.paper_models import ArrivalIn, DepartureIn, PayingUnitView, Reply, TransferPage, TransferView
from registry.domain.decisions import Action, Kind
from registry.storage import transfers
from registry.usecases import decisions, moves
from registry.usecases.reading import readable

__all__ = ["make_routers"]


def make_routers(db: Database) -> list[APIRouter]:
    """`/v1/transfers` and the paying units of a beneficiary."""
    router = APIRouter(prefix="/v1/transfers", tags=["moves"])
    _add_sending(router, db)
    _add_answers(router, db)
    _add_views(router, db)
    units = APIRouter(prefix="/v1/beneficiaries", tags=["moves"])
    _add_paying_units(units, db)
    return [router, units]


def _add_sending(router: APIRouter, db: Database) -> None:
    @router.post(
        "",
        status_code=201,
        response_model=TransferView,
        summary="Stop here and send the file",
        description="Nơi cũ thôi chi trả và gửi hồ sơ. Within the province the new unit receives it; out of the province a second person"
        " confirms, and the allowances end with the last month the paper names. The person stays with the old unit until then.",
    )
    async def depart(request: Request, actor: Maker, key: IdempotencyKey, body: DepartureIn) -> Response:
        async def effect(tx: Tx) -> tuple[int, TransferView]:
            data = body.model_dump(exclude={"beneficiary_id", "last_month"})
            move = moves.Departure(person_id=body.beneficiary_id, last_month=first_day(body.last_month), **data)
            return 201, paper_cells.transfer(await moves.seen(tx, await moves.depart(tx, move)))

        answer = await idempotency.run(db, actor, key, "POST /v1/transfers", await request.body(), effect)
        return JSONResponse(answer.body, status_code=answer.status)

    @router.post(
        "/arrivals",
        status_code=201,
        response_model=TransferView,
        summary="Take in somebody from another province",
        description="Tiếp nhận người từ tỉnh khác: hưởng tiếp từ tháng sau tháng cuối nơi cũ đã chi trả. A second person receives it.",
    )
    async def arrive(request: Request, actor: Maker, key: IdempotencyKey, body: ArrivalIn) -> Response:
        async def effect(tx: Tx) -> tuple[int, TransferView]:
            last = first_day(body.last_month)
            if last is None:
                raise RuntimeError("the month is required")
            grants = [
                decisions.Item(kind=Kind.GRANT, reason="MOVED_HERE", category=item.category, percent=item.percent, quantity=item.quantity)
                for item in body.entitlements
            ]
            move = moves.Arrival(
                person=paper_cells.person(body.person), unit_code=body.unit_code, from_province=body.from_province, number=body.number,
                decision_date=body.decision_date, signer=body.signer, dossier=body.dossier, business_date=body.business_date,
                last_month=last, grants=grants, attachment_id=body.attachment_id,
            )  # fmt: skip
            return 201, paper_cells.transfer(await moves.seen(tx, await moves.arrive(tx, move)))

        answer = await idempotency.run(db, actor, key, "POST /v1/transfers/arrivals", await request.body(), effect)
        return JSONResponse(answer.body, status_code=answer.status)


def _add_answers(router: APIRouter, db: Database) -> None:
    @router.post(
        "/{transfer_id}/receive",
        summary="Receive a move",
        description="Nơi mới tiếp nhận hồ sơ và chi trả từ tháng kế tiếp. Another person than the sender, of the receiving unit (leaving"
        " the province: of the sending unit).",
    )
    async def receive(actor: Checker, transfer_id: UUID, body: Reply) -> TransferView:
        row = await moves.settle_answer(db, actor, transfer_id, Action.APPROVE, body.business_date, body.reason)
        return paper_cells.transfer(row)

    @router.post(
        "/{transfer_id}/return",
        summary="Return a move",
        description="Trả hồ sơ, có lý do: người hưởng vẫn ở nơi cũ. The dossier goes back with the reason: the person stays"
        " where they were.",
    )
    async def give_back(actor: Checker, transfer_id: UUID, body: Reply) -> TransferView:
        why = paper_cells.reason_given(body.reason)
        return paper_cells.transfer(await moves.settle_answer(db, actor, transfer_id, Action.REJECT, body.business_date, why))

    @router.post(
        "/{transfer_id}/withdraw",
        summary="Take a move back",
        description="Nơi gửi rút hồ sơ chưa được tiếp nhận. The unit that sent it takes back what was not yet received.",
    )
    async def withdraw(actor: Maker, transfer_id: UUID, body: Reply) -> TransferView:
        row = await moves.settle_answer(db, actor, transfer_id, Action.WITHDRAW, body.business_date, body.reason)
        return paper_cells.transfer(row)


def _add_views(router: APIRouter, db: Database) -> None:
    @router.get(
        "",
        summary="Moves",
        description="Hồ sơ di chuyển đi và đến trong phạm vi của bạn; `SENT` là hồ sơ chờ tiếp nhận. Moves out of and into"
        " your area; `SENT` waits for the unit that receives.",
    )
    async def listing(
        actor: Reader,
        state: Annotated[Literal["SENT", "RECEIVED", "RETURNED", "WITHDRAWN"] | None, Query()] = None,
        direction: Annotated[Literal["WITHIN", "OUT", "IN"] | None, Query()] = None,
        beneficiary_id: UUID | None = None,
        cursor: Cursor = None,
        limit: Limit = 100,
    ) -> TransferPage:
        async with db.read(actor) as tx:
            rows = await transfers.page(
                tx, actor, after=cursors.decode_id(cursor), limit=limit, state=state, direction=direction, person_id=beneficiary_id
            )
        items = [paper_cells.transfer(row) for row in rows]
        return TransferPage(items=items, next_cursor=paper_cells.next_cursor(rows, limit, "transfer_id"))

    @router.get(
        "/{transfer_id}",
        summary="One move",
        description="Một hồ sơ di chuyển: nơi gửi, nơi nhận, tháng chi trả. One move: who sent it, who receives it, which"
        " months each pays.",
    )
    async def one(actor: Reader, transfer_id: UUID) -> TransferView:
        async with db.read(actor) as tx:
            return paper_cells.transfer(await moves.seen(tx, transfer_id))


def _add_paying_units(router: APIRouter, db: Database) -> None:
    @router.get(
        "/{beneficiary_id}/paying-units",
        summary="Which unit pays which month",
        description="Đơn vị chi trả theo tháng: nối tiếp nhau, không trùng, không gián đoạn. Which unit pays which month: one"
        " after another, never two and never none.",
    )
    async def paying(actor: Reader, beneficiary_id: UUID) -> list[PayingUnitView]:
        async with db.read(actor) as tx:
            await readable(tx, beneficiary_id)
            return [paper_cells.paying_unit(row) for row in await transfers.paying_units(tx, beneficiary_id)]
