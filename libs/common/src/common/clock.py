"""The real clock. Business decisions take an explicit business date instead; signatures, tokens and leases use this."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

from common.settings import MechanismSettings

__all__ = ["VIETNAM", "now", "today"]

VIETNAM = timezone(timedelta(hours=7), "Asia/Ho_Chi_Minh")


def now() -> datetime:
    """The present moment, UTC."""
    return datetime.now(UTC)


def today(settings: MechanismSettings | None = None) -> date:
    """The default business date: the setting, else today in Viet Nam (UTC+7, no summer time)."""
    if settings is not None and settings.business_date is not None:
        return settings.business_date
    return datetime.now(VIETNAM).date()
