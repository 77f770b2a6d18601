"""Opaque cursors of lists."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Annotated, Final
from uuid import UUID

import orjson
from fastapi import Query

from common.problems import InvalidInput

__all__ = ["Cursor", "Limit", "decode", "decode_id", "encode"]

Cursor = Annotated[str | None, Query(max_length=1000, description="`next_cursor` of the page before")]
Limit = Annotated[int, Query(ge=1, le=200)]
_WRONG: Final = [{"field": "cursor", "detail": "not a cursor of this list"}]


def encode(parts: Sequence[str] | None) -> str | None:
    """Where a page ended, as text to give back; None at the end."""
    return None if parts is None else base64.urlsafe_b64encode(orjson.dumps(list(parts))).decode().rstrip("=")


def decode(cursor: str | None, parts: int) -> list[str] | None:
    """What :func:`encode` was given: text parts, the last an id. Raises InvalidInput on anything else."""
    if cursor is None:
        return None
    try:
        found = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(found, list) or len(found) != parts or not all(isinstance(part, str) for part in found):
            raise InvalidInput(errors=_WRONG)
        UUID(found[-1])
        if parts == 3:
            int(found[1])
    except (binascii.Error, orjson.JSONDecodeError, ValueError) as error:
        raise InvalidInput(errors=_WRONG) from error
    if any("\x00" in part for part in found):
        raise InvalidInput(errors=_WRONG)
    return found


def decode_id(cursor: str | None) -> UUID | None:
    """The id a page ended with."""
    parts = decode(cursor, 1)
    return UUID(parts[0]) if parts else None
