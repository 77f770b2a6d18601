"""A partner's statement comes in: signed by the partner, or uploaded by a named person; stored as it came, then worked off."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import RowMapping

from common import audit, clock, jobs
from common.actor import SYSTEM
from common.db import Database, Tx
from common.ids import new_id
from common.sealing import Keyring
from common.webhooks import InvalidSignature, verify
from disbursement.channels.partners import Partner
from disbursement.domain.payment_errors import BadSignature, UnknownPartner
from disbursement.storage import read_back, statements

__all__ = ["JOB_KIND", "STATEMENT_FIELD", "Sent", "receive_signed", "receive_upload"]

JOB_KIND = "statement-reconcile"
STATEMENT_FIELD = "statement.content"


@dataclass(frozen=True, slots=True)
class Sent:
    """A file and what is said of it. The period is what the statement covers; unset, the file or its lines tell it."""

    partner: str
    file_name: str
    content: bytes
    business_date: date
    from_date: date | None = None
    to_date: date | None = None


async def receive_upload(tx: Tx, keyring: Keyring, partners: Mapping[str, Partner], sent: Sent) -> tuple[RowMapping, bool]:
    """Take a statement from the signed-in person; (the statement, is it new). Raises UnknownPartner."""
    return await _store(tx, keyring, partners, sent, "UPLOAD")


async def receive_signed(
    db: Database, keyring: Keyring, partners: Mapping[str, Partner], headers: Mapping[str, str], sent: Sent
) -> tuple[RowMapping, bool]:
    """Take a statement that the partner signed over its raw bytes. Raises UnknownPartner (404) and BadSignature (401)."""
    known = partners.get(sent.partner)
    if known is None:
        raise UnknownPartner()
    try:
        verify(known.inbound_secrets, headers, sent.content, clock.now())
    except InvalidSignature as error:
        raise BadSignature(str(error)) from error
    async with db.transaction(SYSTEM(f"partner:{sent.partner}")) as tx:
        return await _store(tx, keyring, partners, sent, "SIGNED")


async def _store(tx: Tx, keyring: Keyring, partners: Mapping[str, Partner], sent: Sent, source: str) -> tuple[RowMapping, bool]:
    if sent.partner not in partners or tx.actor is None:
        raise UnknownPartner()
    digest = hashlib.sha256(sent.content).digest()
    earlier = await statements.known(tx, sent.partner, digest)
    if earlier is not None and _another_period(earlier, sent):
        digest = hashlib.sha256(sent.content + f"|{sent.from_date}|{sent.to_date}".encode()).digest()
        earlier = await statements.known(tx, sent.partner, digest)
    if earlier is not None:
        await read_back.told_again(tx, earlier["statement_id"], sent.from_date, sent.to_date)
        return earlier, False
    statement_id: UUID = new_id()
    job_id = await jobs.create(tx, JOB_KIND, {"statement_id": str(statement_id)}, sent.business_date)
    row = await statements.add(
        tx,
        {
            "statement_id": statement_id,
            "job_id": job_id,
            "partner": sent.partner,
            "source": source,
            "file_name": sent.file_name[:200],
            "content": keyring.encrypt(STATEMENT_FIELD, sent.content),
            "sha256": digest,
            "from_date": sent.from_date,
            "to_date": sent.to_date,
            "business_date": sent.business_date,
            "received_by": tx.actor.subject,
        },
    )
    if row is None:  # the same bytes came twice at once; the other one is stored and its job runs
        earlier = await statements.known(tx, sent.partner, digest)
        if earlier is None:
            raise LookupError(digest.hex())
        return earlier, False
    what = audit.Created({"partner": sent.partner, "source": source, "bytes": len(sent.content), "sha256": digest.hex()})
    await audit.record(tx, "statement.receive", "statement", statement_id, what)
    return row, True


def _another_period(earlier: RowMapping, sent: Sent) -> bool:
    """Whether it is another statement than the one of the same bytes: a file without lines is the same for every period."""
    if earlier["state"] != "RECONCILED" or earlier["lines"] or sent.from_date is None or sent.to_date is None:
        return False
    return (earlier["from_date"], earlier["to_date"]) != (sent.from_date, sent.to_date)
