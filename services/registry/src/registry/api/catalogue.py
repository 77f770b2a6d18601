"""Route of the catalogue: the categories an officer may write into lists and decisions, with their sums and legal bases."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import groupby
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, Field

from common import etags
from common.auth import Actor, Role, require
from common.contracts.registry_v1 import Programme
from common.db import Database
from common.names import folded
from registry.storage import category_list as storage

__all__ = ["make_router"]

_Officer = Annotated[Actor, Depends(require(Role.COMMUNE_OFFICER, Role.DISTRICT_OFFICER, Role.DEPARTMENT_OFFICER))]


class Rate(BaseModel):
    """A monthly sum (yearly where the category is paid yearly) and the months it holds for."""

    percent: int | None = Field(description="Injury percentage, where the category needs one")
    from_month: str = Field(examples=["2024-07"])
    to_month: str | None = Field(description="Last month; null: until further notice")
    amount: int = Field(description="Đồng; per unit of `quantity` where `per_quantity`")
    basis: str


class CategoryView(BaseModel):
    """A category of the catalogue."""

    code: str = Field(description="What lists and decisions name")
    programme: Programme
    funding_source: str
    benefit_line: str = Field(description="The neutral code that other services and lists see")
    name_vi: str
    name_en: str
    needs_percent: bool
    per_dependant: bool
    per_quantity: bool
    frequency: Literal["MONTHLY", "YEARLY"]
    min_age_months: int | None
    applies_from: date | None
    applies_to: date | None
    legal_basis: str
    start_basis: str = Field(description="The law the first month follows from")
    rates: list[Rate]


class Categories(BaseModel):
    """All of them, by programme and code."""

    items: list[CategoryView]


def make_router(db: Database) -> APIRouter:
    """`/v1/catalogue`."""
    router = APIRouter(prefix="/v1/catalogue", tags=["law"])

    @router.get(
        "/categories",
        summary="Categories, what they pay and by which law",
        description="Danh mục loại đối tượng: mã, tên, chương trình, mức hưởng từng tháng và căn cứ pháp lý, như đã biết vào ngày `on`."
        " Officers only. Lists may write the code, or the Vietnamese name; the name without accents where it names one category only."
        " Months whose sums are not loaded are left out: they are RATE_MISSING.",
    )
    async def categories(
        _: _Officer,
        response: Response,
        on: Annotated[date, Query(description="As known on this day", examples=["2024-08-20"])],
        programme: Programme | None = None,
        name: Annotated[str | None, Query(description="Part of code or name; accents do not matter", examples=["tham nien"])] = None,
    ) -> Categories:
        async with db.read() as tx:
            rows = await storage.categories(tx, on, programme.value if programme else None)
            rates = {code: list(found) for code, found in groupby(await storage.rates(tx, on), key=lambda row: row["category"])}
        typed = folded(name) if name else ""
        return Categories(items=etags.versioned(response, [
            CategoryView(**row, rates=[_rate(rate) for rate in rates.get(row["code"], ())])
            for row in rows
            if typed in folded(row["name_vi"]) or (name or "").upper() in row["code"]
        ]))  # fmt: skip

    return router


def _rate(row: Any) -> Rate:
    last = (row["until"] - timedelta(days=1)).isoformat()[:7] if row["until"] else None
    return Rate(
        percent=row["percent"] or None,
        from_month=row["from_month"].isoformat()[:7],
        to_month=last,
        amount=row["amount"],
        basis=row["basis"],
    )
