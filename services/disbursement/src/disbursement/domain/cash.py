"""Cash: what an officer may say of it, and the problems (pure)."""

from __future__ import annotations

from enum import StrEnum

from common.problems import Problem

__all__ = ["Collector", "CustodyExists", "CustodyKind", "EvidenceRefused", "ProofKind", "ProofsRefused", "media_type_of"]


class CustodyKind(StrEnum):
    """What happened to the cash in a holder's hands."""

    RECEIVED = "RECEIVED"
    GIVEN_BACK = "GIVEN_BACK"
    LOST = "LOST"
    FOUND = "FOUND"


class Collector(StrEnum):
    """Who took the money."""

    SELF = "SELF"
    REPRESENTATIVE = "REPRESENTATIVE"


class ProofKind(StrEnum):
    """How it is proven."""

    SIGNED_LIST = "SIGNED_LIST"
    SIGNED_SLIP = "SIGNED_SLIP"
    FINGERPRINT = "FINGERPRINT"
    PHOTO = "PHOTO"


class CustodyExists(Problem):
    """This document is in the custody log already."""

    type = "custody-exists"
    status = 409
    title = "This document is in the custody log already"
    title_vi = "Chứng từ này đã có trong sổ theo dõi tiền mặt"


class ProofsRefused(Problem):
    """Some proofs are not of cash payments of this cycle; `errors` names each row. Nothing was stored."""

    type = "cash-proofs-refused"
    status = 422
    title = "Some rows are no cash payments of this cycle"
    title_vi = "Có dòng không phải khoản chi tiền mặt của kỳ này"


class EvidenceRefused(Problem):
    """The scan is not a PDF, JPEG or PNG."""

    type = "cash-evidence-refused"
    status = 415
    title = "A scan is a PDF, JPEG or PNG"
    title_vi = "Bản quét phải là PDF, JPEG hoặc PNG"


def media_type_of(content: bytes) -> str:
    """The kind of a scan, by its first bytes and not by its name. Raises EvidenceRefused."""
    for start, media_type in ((b"%PDF-", "application/pdf"), (b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png")):
        if content.startswith(start):
            return media_type
    raise EvidenceRefused()
