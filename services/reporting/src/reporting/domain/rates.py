"""Rates as the province publishes them: half-up, by integers only."""

from __future__ import annotations

__all__ = ["MAX_DECIMALS", "rate_text"]

MAX_DECIMALS = 4


def rate_text(part: int, whole: int, decimals: int = 1) -> str:
    """`part` of `whole` in percent, half-up to `decimals` places, with a point: (12667, 45486) → '27.8'.

    The published figures of 2024 fit half-up to one decimal. Of nobody, the rate is zero. Raises ValueError outside
    0 ≤ part ≤ whole and 0 ≤ decimals ≤ 4.
    """
    if not 0 <= part <= whole:
        raise ValueError(f"part {part} of whole {whole}")
    if not 0 <= decimals <= MAX_DECIMALS:
        raise ValueError(f"decimals {decimals}")
    if whole == 0:
        part, whole = 0, 1
    scale: int = 10**decimals
    units = (2 * part * 100 * scale + whole) // (2 * whole)
    left, right = divmod(units, scale)
    return f"{left}.{right:0{decimals}d}" if decimals else str(left)
