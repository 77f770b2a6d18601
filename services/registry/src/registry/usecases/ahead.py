"""How far ahead facts of households and institutions may be entered: a review of December holds from 1 January."""

from __future__ import annotations

from datetime import date
from typing import Final

from common.db import Tx
from common.problems import InvalidInput
from registry.domain.dates import months_later
from registry.storage import decisions

__all__ = ["allow"]

SETTING: Final = "ENTERED_AHEAD_MONTHS"


async def allow(tx: Tx, field: str, day: date, business_date: date) -> None:
    """Refuse a day more than the setting's months after the business date. Raises InvalidInput that names the field and the last day."""
    if day <= business_date:
        return
    months = (await decisions.policy(tx, [SETTING]))[SETTING]
    last = months_later(business_date, int(months))
    if day > last:
        detail = f"more than {months} months after the business date: {last} at the latest"
        detail_vi = f"sau ngày nghiệp vụ quá {months} tháng: muộn nhất là {last:%d/%m/%Y}"
        raise InvalidInput(errors=[{"field": field, "detail": detail, "detail_vi": detail_vi}])
