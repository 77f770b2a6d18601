"""Routes of representatives: appoint, extend, revoke, print; lists of those about to end and of those acting for many."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from common import idempotency, paper
from common.db import Database, Tx
from common.etags import IfMatch, etag, version_of
from common.idempotency import IdempotencyKey
from common.problems import InvalidInput
from common.streams import StreamingResponse
from registry.api import cursors, paper_cells
from registry.api.authorisation_paper import authorisation
from registry.api.cursors import Cursor, Limit
from registry.api.models import JobAccepted
from registry.api.paper_cells import Checker, Maker, Reader
from registry.api.representative_models import (
    AppointmentIn,
    ExpireIn,
    ExpiringPage,
    ExpiringView,
    ExtensionIn,
    ManyPage,
    ManyView,
    ProposalAnswer,
    ProposalPage,
    ProposalView,
    RepresentativeDetail,
    RevokeIn,
)
from registry.storage import decisions as decision_storage
from registry.storage import representative_proposals as proposals
from registry.storage import representatives as storage
from registry.usecases import people, representatives

__all__ = ["make_routers"]


def make_routers(db: Database) -> list[APIRouter]:
    """Representatives of a beneficiary, and `/v1/representatives`."""
    one = APIRouter(prefix="/v1/beneficiaries/{beneficiary_id}/representatives", tags=["representatives"])
    _add_changes(one, db)
    _add_paper(one, db)
    many = APIRouter(prefix="/v1/representatives", tags=["representatives"])
    _add_lists(many, db)
    _add_proposals(many, db)
    return [one, many]


def _detail(row: Any) -> RepresentativeDetail:
    return RepresentativeDetail(**{name: row[name] for name in RepresentativeDetail.model_fields if name in row})


def _proposal(row: Any) -> ProposalView:
    return ProposalView(**{name: row[name] for name in ProposalView.model_fields if name in row})


def _answer(row: Any) -> Response:
    detail = _detail(row)
    return JSONResponse(detail.model_dump(mode="json"), headers={"ETag": etag(detail.version)})


def _add_changes(router: APIRouter, db: Database) -> None:
    @router.post(
        "",
        status_code=202,
        response_model=ProposalView,
        summary="Propose a representative",
        description="Đề xuất người giám hộ, người được ủy quyền hoặc người chăm sóc nhận thay, theo chương trình và thời hạn; sau khi người"
        " hưởng qua đời, người thừa kế (`heir`) để nhận tháng qua đời. Chỉ có hiệu lực khi người thứ hai xác nhận"
        " (`/v1/representatives/proposals/{id}/decision`). Money goes to them, so a second person confirms; nothing is published before."
        " An authorisation needs the number of its certificate or an attachment. 422 names the rule broken.",
    )
    async def appoint(request: Request, actor: Maker, beneficiary_id: UUID, key: IdempotencyKey, body: AppointmentIn) -> Response:
        async def effect(tx: Tx) -> tuple[int, ProposalView]:
            proposal_id = await representatives.propose(
                tx,
                representatives.Appointment(
                    beneficiary_id=beneficiary_id, person=paper_cells.person(body.person), kind=body.kind, valid_from=body.valid_from,
                    business_date=body.business_date, valid_to=body.valid_to, programmes=[item.value for item in body.programmes],
                    certificate_number=body.certificate_number, attachment_id=body.attachment_id, heir=body.heir,
                ),
            )  # fmt: skip
            return 202, _proposal(await proposals.find(tx, proposal_id))

        route = f"POST /v1/beneficiaries/{beneficiary_id}/representatives"
        answer = await idempotency.run(db, actor, key, route, await request.body(), effect)
        return JSONResponse(answer.body, status_code=answer.status)

    @router.get(
        "/{representative_id}",
        response_model=RepresentativeDetail,
        summary="One representative",
        description="Một người nhận thay. One person who collects for somebody: on what basis, for which programmes and how long.",
    )
    async def one(actor: Reader, beneficiary_id: UUID, representative_id: UUID) -> Response:
        async with db.read(actor) as tx:
            return _answer(await representatives.seen(tx, beneficiary_id, representative_id))

    @router.patch(
        "/{representative_id}",
        status_code=202,
        response_model=ProposalView,
        summary="Propose to extend or change a right",
        description="Đề xuất gia hạn hoặc đổi phạm vi; chỉ có hiệu lực khi người thứ hai xác nhận. Needs `If-Match`; an authorisation is"
        " extended by the setting's months at most. The right stays as it is until a second person confirms.",
    )
    async def extend(
        actor: Maker, beneficiary_id: UUID, representative_id: UUID, body: ExtensionIn, if_match: IfMatch = None
    ) -> ProposalView:
        programmes = None if body.programmes is None else [item.value for item in body.programmes]
        change = representatives.Extension(body.valid_to, programmes, body.certificate_number, body.attachment_id)
        version = version_of(if_match)
        pair = (beneficiary_id, representative_id)
        return _proposal(await representatives.ask_extension(db, actor, pair, version, change, body.business_date))

    @router.post(
        "/{representative_id}/revoke",
        response_model=RepresentativeDetail,
        summary="Revoke a right",
        description="Chấm dứt việc nhận thay, có lý do. Needs `If-Match`; it ends on the business date.",
    )
    async def revoke(actor: Maker, beneficiary_id: UUID, representative_id: UUID, body: RevokeIn, if_match: IfMatch = None) -> Response:
        version = version_of(if_match)
        pair = (beneficiary_id, representative_id)
        return _answer(await representatives.end(db, actor, pair, version, body.reason, body.business_date))


def _add_paper(router: APIRouter, db: Database) -> None:
    @router.get(
        "/{representative_id}/form",
        summary="Authorisation form to print",
        description="Giấy ủy quyền để in và ký. HTML for A4 paper with national heading and signature blocks; national numbers are masked,"
        " the signers write them by hand.",
        response_class=HTMLResponse,
    )
    async def form(actor: Reader, beneficiary_id: UUID, representative_id: UUID) -> StreamingResponse:
        async with db.read(actor) as tx:
            row = await representatives.seen(tx, beneficiary_id, representative_id)
            beneficiary = await people.seen(tx, beneficiary_id)
            unit = await tx.value(
                "SELECT name FROM administrative_unit WHERE path = :path ORDER BY valid_from DESC LIMIT 1", path=beneficiary["unit_path"]
            )
        return paper.answer(authorisation(beneficiary, row, unit or ""))


def _add_proposals(router: APIRouter, db: Database) -> None:
    @router.get(
        "/proposals",
        summary="Proposals of who collects",
        description="Các đề xuất người nhận thay (cử, gia hạn) chờ người thứ hai xác nhận, trong phạm vi của bạn. Filters"
        " combine. Proposals (to appoint, to prolong) in your area that wait for a second person.",
    )
    async def listing(
        actor: Reader,
        state: Annotated[Literal["PROPOSED", "CONFIRMED", "REJECTED", "WITHDRAWN"] | None, Query(examples=["PROPOSED"])] = None,
        beneficiary_id: UUID | None = None,
        cursor: Cursor = None,
        limit: Limit = 100,
    ) -> ProposalPage:
        async with db.read(actor) as tx:
            rows = await proposals.page(tx, actor, state=state, beneficiary_id=beneficiary_id, after=cursors.decode_id(cursor), limit=limit)
        return ProposalPage(items=[_proposal(row) for row in rows], next_cursor=paper_cells.next_cursor(rows, limit, "proposal_id"))

    @router.post(
        "/proposals/{proposal_id}/decision",
        summary="Confirm or reject who collects",
        description="Người thứ hai xác nhận hoặc từ chối (ghi lý do) đề xuất người nhận thay; người lập chỉ có thể rút (`approve: false`)."
        " Confirmed, it takes effect and is published; 409 for who proposed it, when it is answered or the right has changed since.",
    )
    async def decide(actor: Checker, proposal_id: UUID, body: ProposalAnswer) -> ProposalView:
        row = await representatives.settle(db, actor, proposal_id, body.business_date, approve=body.approve, why=body.reason)
        return _proposal(row)


def _add_lists(router: APIRouter, db: Database) -> None:
    @router.get(
        "/expiring",
        summary="Rights about to end",
        description="Người nhận thay sắp hết hạn, theo đơn vị. Days ahead: the setting (60) unless given.",
    )
    async def expiring(
        actor: Reader,
        business_date: Annotated[date, Query(examples=["2024-08-20"])],
        days: Annotated[int | None, Query(ge=1, le=366)] = None,
        unit_path: Annotated[str | None, Query(examples=["60/593"])] = None,
        cursor: Cursor = None,
        limit: Limit = 100,
    ) -> ExpiringPage:
        async with db.read(actor) as tx:
            ahead = days or int((await decision_storage.policy(tx, ["REPRESENTATIVE_WARN_DAYS"]))["REPRESENTATIVE_WARN_DAYS"])
            rows = await storage.expiring(
                tx, actor, on=business_date, until=business_date + timedelta(days=ahead), unit_path=unit_path, after=_after(cursor),
                limit=limit,
            )  # fmt: skip
        last = rows[-1] if len(rows) == limit else None
        parts = [f"{last['valid_to'].isoformat()} {last['beneficiary_id']}", str(last["representative_id"])] if last else None
        items = [ExpiringView(**{name: row[name] for name in ExpiringView.model_fields}) for row in rows]
        return ExpiringPage(items=items, next_cursor=cursors.encode(parts))

    @router.get(
        "/of-many",
        summary="People who collect for several",
        description="Người nhận thay cho nhiều người hưởng, kèm số lượng: để rà soát. People who collect for several, with how"
        " many: to be looked at.",
    )
    async def of_many(
        actor: Reader,
        business_date: Annotated[date, Query(examples=["2024-08-20"])],
        at_least: Annotated[int, Query(ge=2, le=10_000)] = 2,
        cursor: Cursor = None,
        limit: Limit = 100,
    ) -> ManyPage:
        async with db.read(actor) as tx:
            rows = await storage.of_many(tx, actor, on=business_date, at_least=at_least, after=cursors.decode_id(cursor), limit=limit)
        items = [ManyView(**row) for row in rows]
        return ManyPage(items=items, next_cursor=paper_cells.next_cursor(rows, limit, "representative_id"))

    @router.post(
        "/expire",
        status_code=202,
        response_model=JobAccepted,
        summary="End the rights that are past",
        description="Chấm dứt việc nhận thay đã hết hạn tính đến ngày nghiệp vụ (chạy hằng ngày). A job; each right ends the day"
        " after its last.",
    )
    async def expire(request: Request, actor: Checker, key: IdempotencyKey, body: ExpireIn) -> Response:
        async def effect(tx: Tx) -> tuple[int, JobAccepted]:
            return 202, JobAccepted(job_id=await representatives.request_expiry(tx, body.business_date))

        answer = await idempotency.run(db, actor, key, "POST /v1/representatives/expire", await request.body(), effect)
        return JSONResponse(answer.body, status_code=answer.status)


def _after(cursor: str | None) -> tuple[date, UUID, UUID] | None:
    parts = cursors.decode(cursor, 2)
    if parts is None:
        return None
    try:
        day, beneficiary = parts[0].split(" ")
        return date.fromisoformat(day), UUID(beneficiary), UUID(parts[1])
    except ValueError as error:
        raise InvalidInput(errors=[{"field": "cursor", "detail": "not a cursor of this list"}]) from error
