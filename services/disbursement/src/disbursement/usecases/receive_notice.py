"""A partner's webhook: verified over raw bytes, stored, answered. A worker applies it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from common import audit, clock, failpoints
from common.actor import SYSTEM
from common.db import Database
from common.ids import new_id
from common.sealing import Keyring
from common.webhooks import InvalidSignature, verify
from disbursement.channels.partners import Partner
from disbursement.domain.payment_errors import BadSignature, UnknownPartner
from disbursement.storage import notices

__all__ = ["NOTICE_FIELD", "receive_notice"]

NOTICE_FIELD = "partner_notice.body"


async def receive_notice(
    db: Database, keyring: Keyring, partners: Mapping[str, Partner], partner: str, headers: Mapping[str, str], body: bytes
) -> bool:
    """Store a genuine notice durably; False when this very notice was stored before.

    Raises UnknownPartner (404) and BadSignature (401). A known notice id with other content is kept in quarantine.
    """
    known = partners.get(partner)
    if known is None:
        raise UnknownPartner()
    try:
        verified = verify(known.inbound_secrets, headers, body, clock.now())
    except InvalidSignature as error:
        raise BadSignature(str(error)) from error
    digest = hashlib.sha256(body).digest()
    sealed = keyring.encrypt(NOTICE_FIELD, body)
    notice_id = new_id()
    async with db.transaction(SYSTEM(f"partner:{partner}")) as tx:
        earlier = await notices.store(
            tx, notice_id=notice_id, partner=partner, webhook_id=verified.webhook_id, sent_at=verified.timestamp, body=sealed, digest=digest
        )
        if earlier is None:
            await audit.record(tx, "notice.receive", "notice", notice_id, {"bytes": len(body), "secret": verified.secret_index})
        elif earlier != digest:
            await notices.quarantine_one(
                tx,
                partner=partner,
                reason="NOTICE_ID_REUSED",
                source="NOTICE",
                source_id=verified.webhook_id,
                said={"sha256": digest.hex()},
                fingerprint=f"NOTICE_ID_REUSED|{verified.webhook_id}|{digest.hex()}",
                raw=sealed,
            )
    failpoints.hit("disbursement.after_notice_stored")
    return earlier is None
