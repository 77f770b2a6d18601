"""The real clock. Business decisions take an explicit business date instead; signatures, tokens and leases use this."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

from common.settings import MechanismSettings

__all__ = ["VIETNAM", "now", "shift", "today"]

VIETNAM = timezone(timedelta(hours=7), "Asia/Ho_Chi_Minh")
_beside: dict[str, timedelta] = {}


def shift(text: str, *, production: bool) -> None:
    """Let this process live so many seconds beside the time (`ANSINH_CLOCK_OFFSET_SECONDS`): drills of clocks that jump."""
    if text and production:
        raise ValueError("the clock of a production process is not shifted")
    _beside["real"] = timedelta(seconds=float(text or 0))


def now() -> datetime:
    """The present moment, UTC."""
    return datetime.now(UTC) + _beside.get("real", timedelta(0))


def today(settings: MechanismSettings | None = None) -> date:
    """The default business date: the setting, else today in Viet Nam (UTC+7, no summer time)."""
    if settings is not None and settings.business_date is not None:
        return settings.business_date
    return now().astimezone(VIETNAM).date()
