"""ETags that are version numbers: what a read answers with, and what a change must send back; and versions of code lists."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Annotated, Final, TypeVar

import orjson
from fastapi import Header, Response
from pydantic import BaseModel

from common.problems import InvalidInput, PreconditionFailed, PreconditionRequired

__all__ = ["IfMatch", "check", "etag", "version_of", "versioned"]

ItemT = TypeVar("ItemT", bound=BaseModel)

_DIGITS: Final = 19  # what a bigint holds
IfMatch = Annotated[str | None, Header(alias="If-Match", description="The ETag that was read · ETag đã đọc", examples=['"1"'])]


def etag(version: int) -> str:
    """The header's value for a version."""
    return f'"{version}"'


def version_of(if_match: str | None) -> int:
    """The version an `If-Match` header names. Raises PreconditionRequired without one, InvalidInput for something else."""
    if if_match is None:
        raise PreconditionRequired
    text = if_match.strip().removeprefix("W/").strip('"')
    if not (text.isascii() and text.isdigit() and len(text) < _DIGITS):
        raise InvalidInput("not an ETag of this resource", errors=[{"field": "If-Match", "detail": 'a version in quotes, such as "1"'}])
    return int(text)


def versioned(response: Response, items: Sequence[ItemT]) -> list[ItemT]:
    """The items of a code list, whose version goes into the answer's `ETag`: it changes when the list does, and only then."""
    content = orjson.dumps([item.model_dump(mode="json") for item in items])
    response.headers["ETag"] = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
    return list(items)


def check(stored: int, sent: int) -> None:
    """Raises PreconditionFailed when somebody changed the object since it was read."""
    if stored != sent:
        raise PreconditionFailed(f"version {stored} is stored")
