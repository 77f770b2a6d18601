"""Cash lists to print, the custody log, and proof that people got their money."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Final, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Depends, File, Form, Query, Request, Response, UploadFile
from pydantic import BaseModel, ConfigDict, Field, model_validator

from common import idempotency, paper
from common.auth import Actor, Role, require
from common.db import Database, Tx
from common.idempotency import IdempotencyKey
from common.problems import NotFound
from common.purposes import Purpose
from common.spoken import in_words
from common.streams import StreamingResponse
from disbursement.api.common import Cursor, Limit, Reader, answered
from disbursement.api.settlement_paper import PROGRAMME_NAMES
from disbursement.domain.cash import Collector, CustodyKind, ProofKind
from disbursement.storage import cash, units
from disbursement.usecases import pay_cash
from disbursement.usecases.view_cycle import own_cycle

__all__ = ["BODY_LIMITS", "routers"]

BODY_LIMITS: Final = {"/v1/cash-evidence": 12 * 1024 * 1024}
"""Bytes: a scan of a signed list."""

router = APIRouter(prefix="/v1", tags=["cash"])
Officer = Annotated[Actor, Depends(require(Role.COMMUNE_OFFICER, Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER))]


class CustodyForm(BaseModel):
    """Cash in somebody's hands, with a witness."""

    model_config = ConfigDict(extra="forbid")

    cycle_id: UUID
    partner: str = Field(max_length=40, examples=["vnpost"])
    unit_code: str = Field(max_length=10, examples=["22924"])
    kind: CustodyKind
    holder: str = Field(min_length=2, max_length=200, description="Who holds it", examples=["Bưu tá Lê Văn Bình"])
    amount: int = Field(gt=0, le=10**13, description="đồng", examples=[120_000_000])
    document_number: str = Field(min_length=1, max_length=100, examples=["PXK 0312"])
    witness: str = Field(min_length=2, max_length=200, examples=["Nguyễn Thị Lan, UBND phường"])
    on_date: date = Field(examples=["2024-09-05"])
    note: str | None = Field(default=None, max_length=1000)

    @model_validator(mode="after")
    def _somebody_else_saw_it(self) -> Self:
        if self.witness.strip() == self.holder.strip():
            raise ValueError("người chứng kiến phải là người khác · the witness is somebody else than the holder")
        return self


class CustodyView(CustodyForm):
    """An entry of the log; entries are never changed."""

    model_config = ConfigDict(extra="ignore")

    entry_id: UUID
    unit_path: str
    recorded_by: str


class CustodyPage(BaseModel):
    """The log, oldest first."""

    items: list[CustodyView]
    next_cursor: UUID | None


class UnitCash(BaseModel):
    """A unit's cash. in_hand = received − collected − given back − lost: 0 when everything is accounted for."""

    unit_path: str
    received: int
    collected: int
    given_back: int
    lost: int
    in_hand: int
    unproven: int = Field(description="Said to be collected, without proof yet, in đồng")
    unproven_payments: int


class CashBalance(BaseModel):
    """Where a cycle's cash is."""

    cycle_id: UUID
    partner: str
    units: list[UnitCash]


class EvidenceView(BaseModel):
    """A stored scan."""

    evidence_id: UUID


class Proof(BaseModel):
    """One person collected."""

    model_config = ConfigDict(extra="forbid")

    reference: str = Field(pattern=r"^[0-9A-Z]{1,35}$")
    collected_on: date
    collected_by: Collector
    kind: ProofKind


class ProofForm(BaseModel):
    """Proofs from one list or slip book."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "cycle_id": "01920e5c-0000-7000-8000-000000000001",
                "paid_by": "Bưu tá Lê Văn Bình",
                "evidence_id": None,
                "proofs": [
                    {
                        "reference": "01920E5C6C1D7A549C0E2F6F0D6A1B11001",
                        "collected_on": "2024-09-05",
                        "collected_by": "SELF",
                        "kind": "SIGNED_LIST",
                    }
                ],
            }
        },
    )

    cycle_id: UUID
    paid_by: str = Field(min_length=2, max_length=200)
    evidence_id: UUID | None = None
    proofs: list[Proof] = Field(min_length=1, max_length=5_000)


class Proven(BaseModel):
    """How many rows were told, and how many were new."""

    rows: int
    new: int


_HOME: Final = {"CASH_POST": "Bưu điện", "CASH_HOME": "Tại nhà"}


def _row(number: int, row: Any) -> Sequence[str | int]:
    payee = "" if row["payee_kind"] == "SELF" else row["payee_name"]
    months = ", ".join(f"{month[5:]}/{month[:4]}" for month in row["months"])
    return (number, row["file_code"] or "", row["beneficiary_name"], payee, months, row["amount"], _HOME[row["channel"]], "")


@router.get(
    "/cycles/{cycle_id}/cash-list",
    response_class=StreamingResponse,
    summary="Cash list to print and sign",
    description="Danh sách chi tiền mặt theo đơn vị, để in và ký nhận. No number, category or reason stands on it.",
)
async def cash_list(
    request: Request,
    actor: Reader,
    cycle_id: UUID,
    unit_code: Annotated[str, Query(max_length=10, examples=["22924"])],
    channel: Literal["CASH_POST", "CASH_HOME"] | None = None,
) -> StreamingResponse:
    """A unit's cash payments as a paper."""
    db: Database = request.app.state.db
    async with db.read(actor) as tx:
        cycle = await own_cycle(tx, actor, cycle_id)
        path = await units.path_of(tx, unit_code, cycle["business_date"])
        if path is None or not actor.sees(path):
            raise NotFound("No such cycle or unit in your area")
        rows = [_row(number, row) async for number, row in _numbered(tx, cycle_id, path, channel)]
    total = sum(int(row[5]) for row in rows)
    words = in_words(total)
    return paper.answer(
        paper.Paper(
            title="Danh sách chi trả bằng tiền mặt",
            subtitle=f"Tháng {cycle['month']:%m/%Y} · {PROGRAMME_NAMES.get(cycle['programme'], cycle['programme'])} · {unit_code}",
            authority="ĐƠN VỊ CHI TRẢ",
            body=[
                paper.Table(["STT", "Mã hồ sơ", "Người hưởng", "Người nhận thay", "Tháng", "Số tiền (đồng)", "Nơi nhận", "Ký nhận"], rows),
                paper.Fields(
                    [("Số người", str(len(rows))), ("Tổng số tiền (đồng)", f"{total:,}".replace(",", ".")), ("Bằng chữ", f"{words} đồng")]
                ),
            ],
            signatures=[
                paper.Signature("NGƯỜI CHI TRẢ"),
                paper.Signature("NGƯỜI GIÁM SÁT"),
                paper.Signature("XÁC NHẬN CỦA UBND", "(Ký, đóng dấu)"),
            ],
        )
    )


async def _numbered(tx: Tx, cycle_id: UUID, path: str, channel: str | None) -> Any:
    number = 0
    async for row in cash.list_lines(tx, cycle_id, path, channel):
        number += 1
        yield number, row


@router.post(
    "/custody",
    status_code=201,
    response_model=CustodyView,
    summary="Who holds how much cash",
    description="Ghi sổ theo dõi tiền mặt: nhận, trả lại, mất, tìm thấy; có người chứng kiến. Never changed afterwards."
    " Cash taken over, given back, lost or found, with a witness.",
)
async def log_custody(request: Request, actor: Officer, key: IdempotencyKey, body: CustodyForm) -> Response:
    """Write an entry of the custody log."""

    async def effect(tx: Tx) -> tuple[int, CustodyView]:
        values = body.model_dump() | {"kind": body.kind.value}
        return 201, CustodyView.model_validate(dict(await pay_cash.log_custody(tx, actor, values)))

    return answered(await idempotency.run(request.app.state.db, actor, key, "POST /v1/custody", await request.body(), effect))


@router.get("/custody", summary="The custody log", description="Sổ theo dõi tiền mặt của một kỳ. The custody log of a cycle's cash.")
async def custody(request: Request, actor: Reader, cycle_id: UUID, cursor: Cursor = None, limit: Limit = 50) -> CustodyPage:
    """A page of the log."""
    db: Database = request.app.state.db
    async with db.read(actor) as tx:
        await own_cycle(tx, actor, cycle_id)
        rows = await cash.entries(tx, actor, cycle_id, cursor, limit + 1)
    items = [CustodyView.model_validate(dict(row)) for row in rows[:limit]]
    return CustodyPage(items=items, next_cursor=items[-1].entry_id if len(rows) > limit else None)


@router.get(
    "/custody/balance",
    summary="Where the cash is",
    description="Tiền mặt theo đơn vị: đã nhận, đã chi, trả lại, mất, còn giữ; và khoản đã chi chưa có chứng từ. By unit:"
    " taken over, paid out, given back, lost, still held; and what was paid out without a voucher yet.",
)
async def custody_balance(
    request: Request, actor: Reader, cycle_id: UUID, partner: Annotated[str, Query(max_length=40, examples=["vnpost"])]
) -> CashBalance:
    """Cash by unit."""
    db: Database = request.app.state.db
    async with db.read(actor) as tx:
        await own_cycle(tx, actor, cycle_id)
        rows = await cash.balance(tx, actor, cycle_id, partner)
    return CashBalance(cycle_id=cycle_id, partner=partner, units=[UnitCash.model_validate(dict(row)) for row in rows])


@router.post(
    "/cash-evidence",
    status_code=201,
    response_model=EvidenceView,
    summary="Store a scan of a signed list",
    description="Nộp bản quét danh sách ký nhận (PDF, JPEG, PNG). Kept encrypted; the same file again is the same scan.",
)
async def store_evidence(
    request: Request,
    actor: Officer,
    key: IdempotencyKey,
    file: Annotated[UploadFile, File(description="PDF, JPEG or PNG")],
    cycle_id: Annotated[UUID, Form()],
    unit_code: Annotated[str, Form(max_length=10, examples=["22924"])],
) -> Response:
    """Store a scan."""
    content = await file.read()
    db: Database = request.app.state.db
    keyring = request.app.state.db.keyring

    async def effect(tx: Tx) -> tuple[int, EvidenceView]:
        return 201, EvidenceView(evidence_id=await pay_cash.store_evidence(tx, actor, keyring, cycle_id, unit_code, content))

    return answered(await idempotency.run(db, actor, key, f"POST /v1/cash-evidence {cycle_id} {unit_code}", content, effect))


@router.get(
    "/cash-evidence/{evidence_id}",
    response_class=Response,
    summary="Read a scan",
    description="Xem bản quét; nêu mục đích, có ghi nhật ký. The scan itself; say what for, each look is audited.",
)
async def read_evidence(request: Request, actor: Reader, evidence_id: UUID, purpose: Purpose) -> Response:
    """A scan's bytes."""
    db: Database = request.app.state.db
    media_type, content = await pay_cash.read_evidence(db, actor, request.app.state.db.keyring, evidence_id, purpose)
    return Response(content, media_type=media_type, headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"})


@router.post(
    "/cash-proofs",
    response_model=Proven,
    summary="People collected their cash",
    description="Ghi chứng từ đã nhận tiền: ai nhận, ngày nào, bằng chứng gì. All rows or none; 422 names the rows not of this cycle.",
)
async def prove(request: Request, actor: Officer, key: IdempotencyKey, body: ProofForm) -> Response:
    """Store proofs of collection."""
    proofs = {
        "references": [proof.reference for proof in body.proofs],
        "days": [proof.collected_on for proof in body.proofs],
        "collectors": [proof.collected_by.value for proof in body.proofs],
        "kinds": [proof.kind.value for proof in body.proofs],
    }

    async def effect(tx: Tx) -> tuple[int, Proven]:
        new = await pay_cash.prove(tx, actor, body.cycle_id, proofs, paid_by=body.paid_by, evidence_id=body.evidence_id)
        return 200, Proven(rows=len(body.proofs), new=new)

    return answered(await idempotency.run(request.app.state.db, actor, key, "POST /v1/cash-proofs", await request.body(), effect))


routers: tuple[APIRouter, ...] = (router,)
