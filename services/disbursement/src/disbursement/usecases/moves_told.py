"""What the audit log says of payments that moved together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from common import audit
from disbursement.storage.payment_moves import Moved

__all__ = ["told"]


def told(moved: Sequence[Moved], **about: Any) -> audit.Bulk:
    """One row. Of payments that reached several statuses the digest is that of the parts' digests, which stand beside it."""
    parts = [{"status": item.status.value, "payments": item.payments, "amount": item.amount, "digest": item.digest} for item in moved]
    digest = moved[0].digest if len(moved) == 1 else audit.digest(item.digest for item in moved)
    return audit.Bulk(sum(item.payments for item in moved), digest, about, after={"moved": parts} if parts else {})
