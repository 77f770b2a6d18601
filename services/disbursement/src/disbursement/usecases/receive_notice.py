"""A partner's webhook: verified over raw bytes, stored, answered. A worker applies it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from common import audit, clock, failpoints
from common.actor import SYSTEM
from common.db import Database
from common.ids import new_id
from common.sealing import Keyring
from disbursement.channels.callbacks import Callback, InvalidSignature
from disbursement.domain.payment_errors import BadSignature, UnknownPartner
from disbursement.storage import notices

__all__ = ["NOTICE_FIELD", "receive_notice"]

NOTICE_FIELD = "partner_notice.body"


async def receive_notice(
    db: Database, keyring: Keyring, callbacks: Mapping[str, Callback], partner: str, headers: Mapping[str, str], body: bytes
) -> bool:
    """Store a genuine notice durably; False when this very notice was stored before.

    Raises UnknownPartner (404) and BadSignature (401). A known notice id with other content is kept in quarantine.
    """
    known = callbacks.get(partner)
    if known is None:
        raise UnknownPartner()
    try:
        genuine = known.verify(headers, body, clock.now())
    except InvalidSignature as error:
        raise BadSignature(str(error)) from error
    digest = hashlib.sha256(genuine.same).digest()
    sealed = keyring.encrypt(NOTICE_FIELD, body)
    notice_id = new_id()
    async with db.transaction(SYSTEM(f"partner:{partner}")) as tx:
        earlier = await notices.store(
            tx,
            notice_id=notice_id,
            partner=partner,
            webhook_id=genuine.notice_id,
            sent_at=genuine.sent_at or clock.now(),
            body=sealed,
            digest=digest,
        )
        if earlier is None:
            what = audit.Created({"bytes": len(body), "secret": genuine.secret_index, "sha256": digest.hex()})
            await audit.record(tx, "notice.receive", "notice", notice_id, what)
        elif earlier != digest:
            await notices.quarantine_one(
                tx,
                partner=partner,
                reason="NOTICE_ID_REUSED",
                source="NOTICE",
                source_id=genuine.notice_id,
                said={"sha256": digest.hex()},
                fingerprint=f"NOTICE_ID_REUSED|{genuine.notice_id}|{digest.hex()}",
                raw=sealed,
            )
    failpoints.hit("disbursement.after_notice_stored")
    return earlier is None
