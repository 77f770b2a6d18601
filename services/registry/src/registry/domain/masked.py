"""How fields of people and households stand in the audit log: enough to see that and how they changed, and nothing else.

The log keeps what it holds for ever; an erasure cannot reach it. Whole values, with their days, are in the history of records.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from common.masking import mask_name

__all__ = ["masked", "visible"]

_PLAIN: Final = frozenset(
    {
        "sex", "unit_code", "unit_path", "status", "no_number_reason", "preference", "masked_number", "masked_second_number",
        "masked_phone", "head_id", "version",
    }
)  # fmt: skip
_BESIDE: Final = frozenset(
    {"national_number", "number_blind", "second_number", "second_blind", "phone", "name_folded", "identity_fingerprint"}
)
"""Sealed or derived: what is masked of them, or what they are made of, stands beside them."""


def visible(fields: Iterable[str]) -> list[str]:
    """Which of these fields the log tells of."""
    return sorted(set(fields) - _BESIDE)


def _mask(name: str, value: Any) -> Any:
    if value is None or name in _PLAIN:
        return value
    if name == "full_name":
        return mask_name(str(value))
    if name == "birth_date":
        return f"{str(value)[:4]}-**-**"
    return "***"


def masked(row: Mapping[str, Any], fields: Iterable[str]) -> dict[str, Any]:
    """The fields of a row, masked; the same way before and after."""
    return {name: _mask(name, row[name]) for name in visible(fields)}
