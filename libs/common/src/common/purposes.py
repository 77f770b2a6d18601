"""Why somebody reads personal data whole: said in words, kept in the audit log without numbers that may be somebody's."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Query
from pydantic import Field

from common.masking import FreeText

__all__ = ["GivenPurpose", "Purpose", "PurposeText"]

_WORDS: Final = r"^\s*\S[\s\S]{3,}\S\s*$"
"""Five characters at least that are not the blanks around them."""
_TOLD: Final = "Vì sao cần xem đầy đủ · why the whole is needed; kept in the audit log"
_EXAMPLES: Final = ["Đối chiếu hồ sơ với công an xã"]

Purpose = Annotated[FreeText, Query(min_length=5, max_length=200, pattern=_WORDS, description=_TOLD, examples=_EXAMPLES)]
"""Of a read that is always of the whole."""

GivenPurpose = Annotated[
    FreeText | None,
    Query(min_length=5, max_length=200, pattern=_WORDS, description=f"{_TOLD}; without it the answer is masked", examples=_EXAMPLES),
]
"""Of a read that is masked unless a purpose is given; the default is the route's (`= None`)."""

PurposeText = Annotated[FreeText, Field(min_length=5, max_length=300, pattern=_WORDS)]
"""The same in a body."""
