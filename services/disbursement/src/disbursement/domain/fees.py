"""The fee of a payment partner (pure): a share of what was paid, borne by the agency, never by the person."""

from __future__ import annotations

__all__ = ["fee_of"]


def fee_of(paid: int, basis_points: int) -> int:
    """Fee in đồng on `paid` đồng at a rate in hundredths of a percent, rounded half up (75 = 0.75 %, the most for merit)."""
    return (paid * basis_points + 5_000) // 10_000
