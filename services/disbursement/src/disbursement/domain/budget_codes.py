"""Codes of the state budget that a Treasury file carries (pure)."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["BudgetCodes"]


@dataclass(frozen=True, slots=True)
class BudgetCodes:
    """Where the money stands in the state budget (Circular 324/2016/TT-BTC), as approved for a day; unset parts are not printed."""

    level: str
    chapter: str
    category: str
    item: str
    economic_item: str | None = None
    source_code: str | None = None
