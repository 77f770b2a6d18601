"""Complaints of fees that a provider charged although it offered to waive them (Directive 21/CT-TTg; results of Bình Thuận 2024)."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

__all__ = ["TRANSITIONS", "ComplaintState"]


class ComplaintState(StrEnum):
    """State of a complaint."""

    RECEIVED = "RECEIVED"
    WITH_PROVIDER = "WITH_PROVIDER"
    UPHELD = "UPHELD"
    REFUSED = "REFUSED"
    WITHDRAWN = "WITHDRAWN"


_C = ComplaintState
TRANSITIONS: Final[dict[ComplaintState, frozenset[ComplaintState]]] = {
    _C.RECEIVED: frozenset({_C.WITH_PROVIDER, _C.WITHDRAWN}),
    _C.WITH_PROVIDER: frozenset({_C.UPHELD, _C.REFUSED, _C.WITHDRAWN}),
    _C.UPHELD: frozenset(),
    _C.REFUSED: frozenset({_C.WITH_PROVIDER}),
    _C.WITHDRAWN: frozenset(),
}
"""A refused complaint may be put to the provider again with more evidence."""
