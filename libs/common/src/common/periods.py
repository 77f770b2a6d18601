"""Requests with a first and a last day."""

from __future__ import annotations

from typing import Final, Self

from pydantic import BaseModel, model_validator

__all__ = ["PERIODS", "InOrder"]

PERIODS: Final = (("from_date", "to_date"), ("valid_from", "valid_to"))


class InOrder(BaseModel):
    """The last day of a request is not before its first (422, naming the field); either may be open."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for first, last in PERIODS:
            begins, ends = getattr(self, first, None), getattr(self, last, None)
            if begins is not None and ends is not None and ends < begins:
                raise ValueError(f"{last} is before {first}")
        return self
