"""A partner's hours as they are settled, and what a moment on its clock means."""

from __future__ import annotations

from datetime import datetime

from common.clock import VIETNAM
from common.db import Tx
from disbursement.domain.partner_hours import Moment, hours_of, look, setting_keys
from disbursement.storage import calendar, rulings

__all__ = ["moment_of"]


async def moment_of(tx: Tx, partner: str, now: datetime) -> Moment:
    """What sending to a partner at `now` means: its value date, whether its cut-off has passed, and whether sending waits."""
    local = now.astimezone(VIETNAM)
    given = await rulings.settings(tx, setting_keys(partner), local.date())
    return look(hours_of(partner, given), await calendar.special_days(tx), local)
