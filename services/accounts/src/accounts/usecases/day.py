"""The business date somebody writes: not one that has not come, neither by the clock nor by what the registry has named."""

from __future__ import annotations

from datetime import date

from accounts.storage import people
from common import clock
from common.db import Tx
from common.problems import InvalidInput

__all__ = ["check_day"]


async def check_day(tx: Tx, business_date: date) -> None:
    """Raises InvalidInput for a day later than today and than every day the registry has named: waiting times would have passed."""
    latest = await people.latest_day(tx) or clock.today()
    if business_date > max(latest, clock.today()):
        raise InvalidInput("this day has not come", errors=[{"field": "business_date", "detail": business_date.isoformat()}])
