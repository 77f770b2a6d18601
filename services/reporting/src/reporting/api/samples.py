"""Inspectors' samples."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from typing import Annotated, Any, Final, Self
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field, model_validator

from common import sheets
from common.db import Database, Tx
from common.etags import IfMatch, version_of
from common.idempotency import IdempotencyKey
from reporting.api.parts import (
    Cursor,
    Form,
    Inspector,
    Limit,
    Note,
    Reader,
    Short,
    UnitPath,
    UnitQuery,
    created,
    dated,
    example,
    next_cursor,
    tagged,
    text,
)  # fmt: skip
from reporting.api.schemas import Text
from reporting.domain.sampling import Finding, Result, Strata, finding_words, result_words
from reporting.domain.states import state_words
from reporting.usecases import samples

__all__ = ["samples_router"]

_HEADER: Final = (
    "STT", "Nhóm mẫu", "Đơn vị", "Tên đơn vị", "Mã hồ sơ", "Họ và tên", "Chương trình", "Số tiền (đ)", "Tình trạng khi rút mẫu", "Kết quả",
    "Sai lệch", "Số tiền thực tế (đ)", "Ghi chú", "Ngày kiểm tra", "Người kiểm tra",
)  # fmt: skip
_SENT: Final[dict[str, Any]] = {
    "unit_path": "60", "month": "2024-09", "strata": "UNIT_AND_PROGRAMME", "size": 60, "seed": "KT-2024-09-Q3",
    "subject": "Kiểm tra chi trả quý III/2024", "drawn_on": "2024-10-02",
}  # fmt: skip
_SAMPLE: Final[dict[str, Any]] = {
    **_SENT, "sample_id": "0198c7a0-0000-7000-8000-000000000004", "unit_name": "Tỉnh Bình Thuận", "population": 54623,
    "population_hash": "9f2c5f0ab1d34c8e77d0c1e2f3a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6", "drawn_by": "ha.thanhtra", "state": "OPEN",
    "conclusion": None, "closed_on": None, "closed_by": None, "version": 1,
}  # fmt: skip
_CASE: Final[dict[str, Any]] = {
    "position": 1, "stratum": "60/593 MERIT", "beneficiary_id": "0198c7a0-0000-7000-8000-000000000005",
    "cycle_id": "0198c7a0-0000-7000-8000-000000000006", "file_code": "HS-00001", "full_name": "Nguyễn Văn A", "programme": "MERIT",
    "unit_path": "60/593/22924", "unit_name": "Phường Phú Trinh", "amount": 2789000, "state_when_drawn": "PAID_BY_ACCOUNT",
    "state_text": {"vi": "Đã chi trả qua tài khoản", "en": "Paid by account"}, "result": "RIGHT",
    "result_text": {"vi": "Đúng", "en": "Right"},
    "finding": None, "finding_text": None, "note": None, "amount_found": None, "found_on": "2024-10-08", "found_by": "ha.thanhtra",
    "version": 2,
}  # fmt: skip


class SampleForm(Form):
    """What to draw."""

    model_config = example(**_SENT)

    unit_path: UnitPath
    month: str = Field(pattern=r"^[12]\d{3}-(0[1-9]|1[0-2])$", description="Tháng chi trả · the payments' month")
    strata: Strata = Field(
        default=Strata.UNIT_AND_PROGRAMME, description="Chia nhóm theo đơn vị cấp dưới, chương trình, cả hai hoặc không chia"
    )
    size: int = Field(ge=1, le=2_000, description="Số trường hợp · cases in all; every stratum gets one while they last")
    seed: str = Field(pattern=r"^[ -~]{4,80}$", description="Mã rút mẫu, công bố trước · any text, best announced beforehand")
    subject: Short = Field(description="Cuộc kiểm tra · what the inspection is about")
    drawn_on: date


class SampleView(SampleForm):
    """A sample without its cases."""

    model_config = example(**_SAMPLE)

    sample_id: UUID
    unit_name: str | None
    population: int = Field(description="Lines of the month it was drawn from")
    population_hash: str = Field(description="SHA-256 of their keys and amounts")
    drawn_by: str
    state: str
    conclusion: str | None
    closed_on: date | None
    closed_by: str | None
    version: int


class StratumView(BaseModel):
    """One stratum and what was found in it."""

    stratum: str
    population: int
    drawn: int
    looked_at: int
    right_cases: int
    deviations: int
    not_reached: int
    dong_wrong: int = Field(description="Sum of the differences between paid and found, in đồng")


_STRATUM: Final = {
    "stratum": "60/593 MERIT", "population": 2100, "drawn": 4, "looked_at": 4, "right_cases": 3, "deviations": 1, "not_reached": 0,
    "dong_wrong": 500000,
}  # fmt: skip


class SampleDetail(SampleView):
    """A sample with strata and summary."""

    model_config = example(
        **_SAMPLE, strata_found=[_STRATUM], results={"RIGHT": 3, "DEVIATION": 1, "NOT_REACHED": 0}, deviations_estimated=525
    )

    strata_found: list[StratumView]
    results: dict[Result, int]
    deviations_estimated: int | None = Field(
        description="Deviating lines in the whole population, each stratum weighted by its people; null while one has nobody looked at"
    )


class SamplePage(BaseModel):
    """A page of samples."""

    model_config = example(items=[_SAMPLE], next_cursor=None)

    items: list[SampleView]
    next_cursor: UUID | None


class Redrawn(BaseModel):
    """The same seed drawn again today."""

    model_config = example(
        sample_id=_SAMPLE["sample_id"], population=54623, population_hash=_SAMPLE["population_hash"], same_population=True, same_cases=True,
        only_then=0, only_now=0, proved=True,
    )  # fmt: skip

    sample_id: UUID
    population: int
    population_hash: str
    same_population: bool = Field(description="False: lines were added or changed since (a late hold, a return)")
    same_cases: bool
    only_then: int = Field(description="Cases drawn then and not now")
    only_now: int
    proved: bool | None = Field(
        description="Rút từ tổng thể đã lưu cùng mẫu thì ra đúng mã băm và đúng các trường hợp · drawn from the population kept with the"
        " sample, the same digest and cases come out; null for a sample from before it was kept"
    )


class CaseView(BaseModel):
    """One case."""

    model_config = example(**_CASE)

    position: int
    stratum: str
    beneficiary_id: UUID
    cycle_id: UUID
    file_code: str | None
    full_name: str | None
    programme: str
    unit_path: str
    unit_name: str | None
    amount: int
    state_when_drawn: str
    state_text: Text
    result: Result | None
    result_text: Text | None
    finding: Finding | None
    finding_text: Text | None
    note: str | None
    amount_found: int | None
    found_on: date | None
    found_by: str | None
    version: int


class CasePage(BaseModel):
    """A page of cases."""

    model_config = example(items=[_CASE], next_after=None)

    items: list[CaseView]
    next_after: int | None


class FindingForm(Form):
    """What was seen."""

    model_config = example(
        result="DEVIATION", finding="WRONG_AMOUNT", amount_found=2289000, note="Chưa trừ mức đã hưởng", found_on="2024-10-08"
    )

    result: Result
    finding: Finding | None = Field(default=None, description="What deviates; only with DEVIATION")
    amount_found: int | None = Field(
        default=None, ge=0, le=10**12, description="Số tiền đúng hoặc thực nhận · what it should be, or was, in đồng"
    )
    note: Note | None = None
    found_on: date

    @model_validator(mode="after")
    def _finding_with_deviation(self) -> Self:
        if (self.result is Result.DEVIATION) != (self.finding is not None):
            raise ValueError("finding: name it with DEVIATION, and only then")
        return self


class ConclusionForm(Form):
    """How the inspection ends."""

    model_config = example(conclusion="Chi đúng; 01 trường hợp sai mức đã chuyển truy thu", business_date="2024-10-15")

    conclusion: Note
    business_date: date


def _case(row: dict[str, Any]) -> CaseView:
    kept = {name: row[name] for name in CaseView.model_fields if name in row}
    found = {
        "state_text": text(state_words(row["state_when_drawn"])),
        "result_text": text(result_words(row["result"])) if row["result"] else None,
        "finding_text": text(finding_words(row["finding"])) if row["finding"] else None,
    }  # fmt: skip
    return CaseView.model_validate({**kept, **found})


def _detail(row: dict[str, Any]) -> SampleDetail:
    return SampleDetail.model_validate(row)


def samples_router(db: Database) -> APIRouter:
    """`/v1/inspection-samples`."""
    router = APIRouter(prefix="/v1/inspection-samples", tags=["inspection samples"])
    _drawing(router, db)
    _reading(router, db)
    _finding(router, db)
    return router


def _drawing(router: APIRouter, db: Database) -> None:
    @router.post(
        "", status_code=201, response_model=SampleDetail, summary="Draw a sample · Rút mẫu kiểm tra",
        description="Rút ngẫu nhiên các trường hợp của một tháng để kiểm tra; cùng mã rút mẫu luôn ra cùng mẫu. Seeded and stratified.",
    )  # fmt: skip
    async def draw(request: Request, actor: Inspector, form: SampleForm, key: IdempotencyKey) -> Response:
        async def make(tx: Tx) -> BaseModel:
            return _detail(await samples.draw(tx, actor, form.model_dump()))

        return await created(db, actor, key, "POST /v1/inspection-samples", request, make)

    @router.post(
        "/{sample_id}/redraw", summary="Draw it again · Rút lại để đối chứng",
        description="Rút lại bằng mã đã lưu và so với mẫu đang có; không thay đổi gì. Anybody may check that nobody picked the cases.",
    )  # fmt: skip
    async def redraw(actor: Reader, sample_id: UUID) -> Redrawn:
        return Redrawn.model_validate(await samples.redraw(db, actor, sample_id))


def _reading(router: APIRouter, db: Database) -> None:
    @router.get(
        "",
        summary="Samples · Các mẫu kiểm tra",
        description="Các mẫu của đơn vị và cấp dưới, cũ nhất trước. The samples of the unit and those below it, the oldest first.",
    )
    async def listing(actor: Reader, unit_path: UnitQuery = None, cursor: Cursor = None, limit: Limit = 50) -> SamplePage:
        rows = await samples.page(db, actor, unit_path, after=cursor, limit=limit)
        return SamplePage(items=[SampleView.model_validate(row) for row in rows], next_cursor=next_cursor(rows, limit, "sample_id"))

    @router.get(
        "/{sample_id}", summary="One sample with its summary · Một mẫu và tổng hợp",
        description="Mã rút mẫu, số người, mã băm của tổng thể, kết quả theo nhóm và ước lượng cho tổng thể. With its ETag.",
    )  # fmt: skip
    async def one(actor: Reader, sample_id: UUID, response: Response) -> SampleDetail:
        return tagged(response, _detail(await samples.one(db, actor, sample_id)))

    @router.get(
        "/{sample_id}/cases", summary="The cases · Các trường hợp trong mẫu",
        description="Người được chọn theo thứ tự rút, kèm kết quả kiểm tra. No identity or account numbers.",
    )  # fmt: skip
    async def cases(actor: Inspector, sample_id: UUID, after: Annotated[int, Query(ge=0)] = 0, limit: Limit = 100) -> CasePage:
        rows = await samples.case_page(db, actor, sample_id, after, limit)
        return CasePage(items=[_case(row) for row in rows], next_after=rows[-1]["position"] if len(rows) == limit else None)

    @router.get(
        "/{sample_id}/cases/{position}", summary="One case · Một trường hợp",
        description="Một trường hợp, kèm ETag để ghi kết quả. With the ETag to send back with the finding.",
    )  # fmt: skip
    async def one_case(actor: Inspector, sample_id: UUID, position: int, response: Response) -> CaseView:
        return tagged(response, _case(await samples.one_case(db, actor, sample_id, position)))

    @router.get(
        "/{sample_id}/file", response_class=Response, responses=sheets.RESPONSES, summary="The sample as a file · Tải biên bản mẫu",
        description="Danh sách trường hợp dạng CSV hoặc XLSX, mang theo khi đi kiểm tra. To take along.",
    )  # fmt: skip
    async def file(actor: Inspector, sample_id: UUID, form: Annotated[sheets.Form, Query()] = "xlsx") -> Response:
        sample = await samples.one(db, actor, sample_id)
        titles = [
            f"MẪU KIỂM TRA – {sample['subject']} – tháng {sample['month']}",
            f"Mã rút mẫu: {sample['seed']} · Tổng thể: {sample['population']} · SHA-256: {sample['population_hash']}",
        ]
        name = f"mau-kiem-tra-{sample['month']}"
        return sheets.download(form, name, sheets.Sheet(_HEADER, titles, "Mẫu"), _cells(samples.every_case(db, actor, sample_id)))


async def _cells(rows: AsyncIterator[dict[str, Any]]) -> AsyncIterator[tuple[sheets.Cell, ...]]:
    async for row in rows:
        yield (
            row["position"], row["stratum"], row["unit_path"], row["unit_name"], row["file_code"], row["full_name"], row["programme"],
            row["amount"], state_words(row["state_when_drawn"]).vi, result_words(row["result"]).vi if row["result"] else "",
            finding_words(row["finding"]).vi if row["finding"] else "", row["amount_found"], row["note"], dated(row["found_on"]),
            row["found_by"],
        )  # fmt: skip


def _finding(router: APIRouter, db: Database) -> None:
    @router.put(
        "/{sample_id}/cases/{position}/finding", summary="Write what was found · Ghi kết quả kiểm tra",
        description="Ghi kết quả của một trường hợp: đúng, sai lệch (sai gì), không gặp được. Until the sample is closed. Send If-Match.",
    )  # fmt: skip
    async def find(
        actor: Inspector, sample_id: UUID, position: int, form: FindingForm, response: Response, if_match: IfMatch = None
    ) -> CaseView:  # fmt: skip
        return tagged(response, _case(await samples.find(db, actor, sample_id, position, version_of(if_match), form.model_dump())))

    @router.post(
        "/{sample_id}/closing", summary="End the inspection · Kết thúc kiểm tra",
        description="Kết thúc khi mọi trường hợp đã có kết quả; sau đó không sửa nữa. Every case needs a result. Send If-Match.",
    )  # fmt: skip
    async def close(actor: Inspector, sample_id: UUID, form: ConclusionForm, response: Response, if_match: IfMatch = None) -> SampleDetail:
        row = await samples.close(db, actor, sample_id, version_of(if_match), form.conclusion, form.business_date)
        return tagged(response, _detail(row))
