"""What may be attached: scans, told by their first bytes and not by what the sender says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from registry.domain.errors import AttachmentRefused

__all__ = ["KINDS", "SUFFIXES", "media_type_of"]

KINDS: Final = ("DECISION", "AUTHORISATION", "CERTIFICATE", "DOSSIER", "EVIDENCE")
SUFFIXES: Final[Mapping[str, str]] = {"application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png"}
_BEGINNINGS: Final = ((b"%PDF-", "application/pdf"), (b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png"))


def media_type_of(content: bytes, declared: str | None) -> str:
    """The media type by content. Raises AttachmentRefused for anything else, or when the sender declared another type."""
    found = next((media_type for beginning, media_type in _BEGINNINGS if content.startswith(beginning)), None)
    if found is None:
        raise AttachmentRefused("PDF, JPEG or PNG only", errors=[{"field": "file", "detail": "neither PDF nor JPEG nor PNG"}])
    if declared not in (None, "", "application/octet-stream", found):
        raise AttachmentRefused("The content is not what it is said to be", errors=[{"field": "file", "detail": f"{declared}: is {found}"}])
    return found
