"""Attachments: scans of decisions, papers and evidence, encrypted at rest, never changed."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID

from common.actor import Actor
from common.db import Tx
from common.problems import NotFound

__all__ = ["check", "find", "insert"]

_FIELD = "attachment"


async def insert(tx: Tx, kind: str, media_type: str, content: bytes, unit: Any, by: str) -> Any:
    """Store one file; its row without the content."""
    if tx.db.keyring is None:
        raise RuntimeError("attachments are encrypted: the keyring is missing")
    return await tx.row(
        "INSERT INTO attachment (kind, media_type, byte_size, sha256, content, unit_code, unit_path, created_by)"
        " VALUES (:kind, :media_type, :size, :sha256, :content, :unit, :path, :by)"
        " RETURNING attachment_id, kind, media_type, byte_size, sha256, unit_code, created_by, created_at",
        kind=kind, media_type=media_type, size=len(content), sha256=hashlib.sha256(content).digest(),
        content=tx.db.keyring.encrypt(_FIELD, content), unit=unit["code"], path=unit["path"], by=by,
    )  # fmt: skip


async def find(tx: Tx, actor: Actor, attachment_id: UUID, *, content: bool = False) -> Any:
    """An attachment of the actor's area; with `content` decrypted beside it. Raises NotFound."""
    more = ", content" if content else ""
    row = await tx.row(
        f"SELECT attachment_id, kind, media_type, byte_size, sha256, unit_code, unit_path, created_by, created_at{more} FROM attachment"
        " WHERE attachment_id = :id",
        id=attachment_id,
    )
    if row is None or not actor.sees(row["unit_path"]):
        raise NotFound("No such attachment")
    if not content:
        return dict(row)
    if tx.db.keyring is None:
        raise RuntimeError("attachments are encrypted: the keyring is missing")
    return dict(row) | {"content": tx.db.keyring.decrypt_bytes(_FIELD, row["content"])}


async def check(tx: Tx, actor: Actor, attachment_id: UUID | None) -> None:
    """Refuse a reference to an attachment that is not there or not the actor's. Raises NotFound."""
    if attachment_id is not None:
        await find(tx, actor, attachment_id)
