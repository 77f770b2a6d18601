"""How sensitive values are shown to those without the right to see them whole."""

from __future__ import annotations

__all__ = ["mask_account", "mask_national_number", "mask_phone"]


def mask_national_number(number: str | None) -> str | None:
    """`038123451234` → `038*****1234` (domain §4.6)."""
    if not number:
        return None
    return f"{number[:3]}*****{number[-4:]}" if len(number) >= 9 else "*" * len(number)


def mask_account(number: str | None) -> str | None:
    """Last four characters only: `…1234`."""
    if not number:
        return None
    return f"…{number[-4:]}"


def mask_phone(number: str | None) -> str | None:
    """Last three digits only: `…123`."""
    if not number:
        return None
    return f"…{number[-3:]}"
