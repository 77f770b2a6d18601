"""People and batches that travel as files: taking one out, having it uploaded again, bringing the bank's acknowledgement in."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import RowMapping

from common import audit, clock
from common.actor import Actor
from common.db import Database, Tx
from common.ids import new_id
from common.problems import AlreadyDecided, NotFound
from common.sealing import Keyring
from disbursement.channels.partners import Partner
from disbursement.domain.file_errors import BatchNotFound, FileHoldsDead, FileStopped, FileWithAPerson, NotAFile, NothingWaits
from disbursement.domain.settlement_errors import SameDecider
from disbursement.storage import batch_files, claims, notices
from disbursement.usecases.receive_notice import NOTICE_FIELD
from disbursement.usecases.send_batches import REQUEST_FIELD

__all__ = ["bring_acknowledgement", "decide_acknowledgement", "found", "take_file", "upload_again"]


async def found(tx: Tx, actor: Actor, batch_id: UUID, *, file: bool = True) -> RowMapping:
    """The batch. Raises BatchNotFound; NotAFile where it has none (with `file`)."""
    row = await batch_files.by_id(tx, actor, batch_id)
    if row is None:
        raise BatchNotFound()
    if file and (row["file_name"] is None or row["sha256"] is None):
        raise NotAFile()
    return row


async def take_file(db: Database, actor: Actor, keyring: Keyring, batch_id: UUID, purpose: str) -> tuple[str, bytes]:
    """(name, bytes) of a batch's file, as stored before anything left; who took it and why is recorded.

    Taking it is sending it: nobody can say what becomes of it outside. Raises BatchNotFound, NotAFile, FileStopped, FileHoldsDead.
    """
    async with db.transaction(actor) as tx:
        row = await found(tx, actor, batch_id)
        if await claims.stopped(tx, batch_id):
            raise FileStopped()
        if await batch_files.holds_dead(tx, batch_id):
            raise FileHoldsDead()
        content = keyring.decrypt_bytes(REQUEST_FIELD, await batch_files.request(tx, batch_id))
        await batch_files.step(tx, batch_id, "DOWNLOADED", purpose)
        said = {"partner": row["partner"], "payments": row["payments"], "sha256": row["sha256"]}
        await audit.record(tx, "batch.download", "batch", batch_id, audit.Read(purpose, said))
    return row["file_name"], content


async def upload_again(tx: Tx, actor: Actor, partners: Mapping[str, Partner], batch_id: UUID, reason: str) -> RowMapping:
    """Have the same bytes uploaded again under the same message id.

    Raises BatchNotFound, NotAFile, NothingWaits, FileWithAPerson, FileHoldsDead.
    """
    row = await found(tx, actor, batch_id)
    known = partners.get(row["partner"])
    if known is None or known.delivery == "MANUAL":
        raise FileWithAPerson()
    if await batch_files.holds_dead(tx, batch_id):
        raise FileHoldsDead()
    if not await batch_files.ask_again(tx, batch_id):
        raise NothingWaits(f"The batch is {row['state']}", state=row["state"])
    await batch_files.step(tx, batch_id, "UPLOAD_ASKED", reason)
    about = {"partner": row["partner"], "reason": reason, "sends": row["sends"]}
    await audit.record(tx, "batch.upload_again", "batch", batch_id, audit.Changed({"state": "UNCERTAIN"}, {"state": "RESEND"}, about))
    return await found(tx, actor, batch_id)


async def bring_acknowledgement(tx: Tx, actor: Actor, keyring: Keyring, batch_id: UUID, file_name: str, content: bytes) -> RowMapping:
    """Store the bank's answer to a file as this person brought it; a worker reads it like a notice. The same bytes have no further effect.

    Nobody signed it: where it declares a payment dead, nothing of it counts before a second person has confirmed it.

    Raises BatchNotFound, NotAFile.
    """
    row = await found(tx, actor, batch_id)
    digest = hashlib.sha256(content).digest()
    notice_id = new_id()
    earlier = await notices.store(
        tx,
        notice_id=notice_id,
        partner=row["partner"],
        webhook_id=f"file:{digest.hex()}",
        sent_at=clock.now(),
        body=keyring.encrypt(NOTICE_FIELD, content),
        digest=digest,
        brought_by=actor.subject,
        batch_id=batch_id,
    )
    if earlier is None:
        await batch_files.step(tx, batch_id, "ACKNOWLEDGED", file_name[:200])
        said = {"partner": row["partner"], "batch": str(batch_id), "bytes": len(content), "sha256": digest.hex()}
        await audit.record(tx, "notice.upload", "notice", notice_id, audit.Created(said))
    return row


async def decide_acknowledgement(db: Database, actor: Actor, batch_id: UUID, notice_id: UUID, note: str, *, confirm: bool) -> None:
    """The second person's word about an unsigned answer that declares payments dead: it is applied, or it counts for nothing.

    Raises BatchNotFound, NotAFile, NotFound, AlreadyDecided (or nothing to decide), SameDecider.
    """
    async with db.transaction(actor) as tx:
        await found(tx, actor, batch_id)
        row = await notices.lock_brought(tx, batch_id, notice_id)
        if row is None:
            raise NotFound("No such answer to this batch")
        if row["state"] != "WAITING":
            raise AlreadyDecided(f"It is {row['state']}", state=row["state"])
        if row["brought_by"] == actor.subject:
            raise SameDecider()
        await notices.decide(tx, notice_id, actor.subject, note, confirm=confirm)
        said = {"partner": row["partner"], "batch": str(batch_id), "results": row["results"], "note": note}
        what = audit.Changed({"state": row["state"]}, {"state": "RECEIVED" if confirm else "REFUSED"}, said)
        await audit.record(tx, "notice.confirm" if confirm else "notice.refuse", "notice", notice_id, what)
