"""From a partner's words to ours: one result at a time, never an exception. What nobody knows is UNRECOGNISED, and a person looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, Final

import orjson

from disbursement.channels.protocol import NoticeUnreadable, PartnerResult
from disbursement.domain.payment import ResultStatus
from disbursement.domain.reasons import ALREADY_KNOWN, PARTNER_REFUSED, UNRECOGNISED_CODE

__all__ = ["MAX_RESULTS", "items_of", "local_moment", "moment", "partner_result", "reason_in", "said_text", "unix_moment"]

MAX_RESULTS: Final = 5_000
_YEARS: Final = range(2000, 2200)
"""A moment outside these is a partner's slip; it would leave the range that our readers of events can hold."""
_DEFAULT_REASON: Final = {
    ResultStatus.FAILED: PARTNER_REFUSED,
    ResultStatus.RETURNED: "RETURNED_BY_PROVIDER",
    ResultStatus.UNCOLLECTED: "NOT_COLLECTED",
}
_VIET_NAM: Final = timezone(timedelta(hours=7))


def partner_result(
    said: Mapping[str, Any],
    *,
    status: ResultStatus,
    codes: Mapping[str, str],
    reference: object,
    code: object,
    amount: object,
    currency: object,
    partner_reference: object,
    occurred_at: datetime | None,
) -> PartnerResult:
    """One result in our words. `codes` is the partner's map; a code that is not in it, or that says *you sent me that*, proves nothing."""
    reason: str | None = None
    if status in _DEFAULT_REASON:
        reason = reason_in(codes, code, default=_DEFAULT_REASON[status])
        if reason in {UNRECOGNISED_CODE, ALREADY_KNOWN}:
            status, reason = ResultStatus.UNRECOGNISED, UNRECOGNISED_CODE
    elif status is ResultStatus.UNRECOGNISED:
        reason = UNRECOGNISED_CODE
    return PartnerResult(
        reference=said_text(reference, 64) or "",
        status=status,
        amount=amount if isinstance(amount, int) and not isinstance(amount, bool) and abs(amount) < 2**62 else None,
        currency=said_text(currency, 8),
        reason=reason,
        partner_reference=said_text(partner_reference, 100),
        occurred_at=occurred_at,
        said={name: said_text(value, 100) for name, value in said.items() if value is not None},
    )


def reason_in(codes: Mapping[str, str], code: object, default: str) -> str:
    """The reason of a partner's code; `default` where it gave none; UNRECOGNISED_CODE when nobody knows it."""
    return codes.get(str(code), UNRECOGNISED_CODE) if code not in (None, "") else default


def items_of(content: bytes, name: str, **expected: str) -> Sequence[Any]:
    """The list called `name` in a JSON object whose fields say what is `expected`. Raises NoticeUnreadable."""
    try:
        data = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise NoticeUnreadable("not JSON") from error
    items = data.get(name) if isinstance(data, dict) else None
    if not isinstance(items, list):
        raise NoticeUnreadable(f"`{name}` is missing")
    if wrong := [field for field, value in expected.items() if data.get(field) != value]:
        raise NoticeUnreadable(f"`{wrong[0]}` is not {expected[wrong[0]]}")
    if len(items) > MAX_RESULTS:
        raise NoticeUnreadable(f"more than {MAX_RESULTS} results")
    return items


def said_text(value: object, length: int) -> str | None:
    """Text the database takes (it stores no NUL), bounded; None for nothing."""
    return str(value).replace("\x00", "")[:length] if value else None


def moment(value: object) -> datetime | None:
    """A moment written with its offset (ISO 8601); None for anything else: then the time we read it counts."""
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found if found.tzinfo is not None and found.year in _YEARS else None


def local_moment(value: object) -> datetime | None:
    """`yyyyMMddHHmmss` on a Vietnamese clock."""
    if not (isinstance(value, str) and len(value) == 14 and value.isascii() and value.isdigit()):
        return None
    try:
        found = datetime.strptime(value, "%Y%m%d%H%M%S").replace(tzinfo=_VIET_NAM)
    except ValueError:
        return None
    return found if found.year in _YEARS else None


def unix_moment(value: object, *, per_second: int = 1) -> datetime | None:
    """Seconds (or so many parts of one) since 1970."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 2**53:
        return None
    try:
        found = datetime.fromtimestamp(value / per_second, _VIET_NAM)
    except (OverflowError, OSError, ValueError):
        return None
    return found if found.year in _YEARS else None
