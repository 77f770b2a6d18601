"""Administrative units as of a date."""

from __future__ import annotations

from datetime import date

from common.db import Tx

__all__ = ["path_of"]


async def path_of(tx: Tx, code: str, on: date) -> str | None:
    """The path of the unit that bears a code on a date, or None."""
    value = await tx.value(
        "SELECT path FROM administrative_unit WHERE code = :code AND valid_from <= :on AND (valid_to IS NULL OR valid_to >= :on)"
        " ORDER BY length(path), valid_from DESC LIMIT 1",
        code=code,
        on=on,
    )
    return None if value is None else str(value)
