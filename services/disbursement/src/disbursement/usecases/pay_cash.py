"""Cash in people's hands: the custody log, scans of signed lists, proofs of collection."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

from common import audit
from common.actor import Actor
from common.db import Database, Tx
from common.ids import new_id
from common.problems import NotFound
from common.sealing import Keyring
from disbursement.domain.cash import CustodyExists, ProofsRefused, media_type_of
from disbursement.domain.errors import UnknownUnit
from disbursement.storage import cash, units
from disbursement.usecases.view_cycle import own_cycle

__all__ = ["log_custody", "prove", "read_evidence", "store_evidence"]

EVIDENCE_FIELD: Final = "cash_evidence.content"


async def _unit(tx: Tx, actor: Actor, cycle: RowMapping, unit_code: str) -> str:
    path = await units.path_of(tx, unit_code, cycle["business_date"])
    if path is None:
        raise UnknownUnit(unit_code, errors=[{"field": "unit_code", "detail": "not known on the cycle's business date"}])
    if not actor.sees(path) or not (path == cycle["unit_path"] or path.startswith(cycle["unit_path"] + "/")):
        raise NotFound("No such unit in your area and this cycle")
    return path


async def log_custody(tx: Tx, actor: Actor, values: Mapping[str, Any]) -> RowMapping:
    """Write who holds how much cash, with a witness. Raises NotFound, UnknownUnit, CustodyExists."""
    cycle = await own_cycle(tx, actor, values["cycle_id"])
    path = await _unit(tx, actor, cycle, values["unit_code"])
    row = await cash.add_entry(tx, {**values, "unit_path": path, "recorded_by": actor.subject})
    if row is None:
        raise CustodyExists(values["document_number"])
    what = audit.Created({"kind": row["kind"], "amount": row["amount"], "unit_path": path})
    await audit.record(tx, "cash.custody", "cycle", values["cycle_id"], what)
    return row


async def store_evidence(tx: Tx, actor: Actor, keyring: Keyring, cycle_id: UUID, unit_code: str, content: bytes) -> UUID:
    """Keep a scan of a signed list or slip, encrypted; its id. Raises EvidenceRefused, NotFound, UnknownUnit."""
    media_type = media_type_of(content)
    cycle = await own_cycle(tx, actor, cycle_id)
    path = await _unit(tx, actor, cycle, unit_code)
    digest = hashlib.sha256(content).digest()
    evidence_id = await cash.add_evidence(
        tx,
        {
            "evidence_id": new_id(), "cycle_id": cycle_id, "media_type": media_type, "sha256": digest,
            "content": keyring.encrypt(EVIDENCE_FIELD, content), "unit_path": path, "stored_by": actor.subject,
        },
    )  # fmt: skip
    what = audit.Created({"evidence_id": evidence_id, "sha256": digest.hex(), "bytes": len(content), "unit_path": path})
    await audit.record(tx, "cash.evidence", "cycle", cycle_id, what)
    return evidence_id


async def read_evidence(db: Database, actor: Actor, keyring: Keyring, evidence_id: UUID, purpose: str) -> tuple[str, bytes]:
    """A scan (media type, bytes); the reading is audited with its purpose. Raises NotFound."""
    async with db.transaction(actor) as tx:
        row = await cash.evidence(tx, actor, evidence_id)
        if row is None:
            raise NotFound("No such scan")
        await audit.record(tx, "cash.evidence_read", "evidence", evidence_id, audit.Read(purpose))
        return row["media_type"], keyring.decrypt_bytes(EVIDENCE_FIELD, row["content"])


async def prove(tx: Tx, actor: Actor, cycle_id: UUID, proofs: Mapping[str, Any], *, paid_by: str, evidence_id: UUID | None) -> int:
    """Store that people collected their money, all rows or none; how many are new. Raises ProofsRefused naming each row."""
    await own_cycle(tx, actor, cycle_id)
    if evidence_id is not None and await cash.evidence(tx, actor, evidence_id) is None:
        raise NotFound("No such scan")
    wrong = await cash.unproven(tx, actor, cycle_id, proofs)
    if wrong:
        raise ProofsRefused(
            f"{len(wrong)} rows",
            errors=[
                {"field": "reference", "row": n, "detail": "không phải khoản tiền mặt đã nhận của kỳ này · not collected here"}
                for n in wrong[:100]
            ],
        )
    added = await cash.add_proofs(tx, proofs, paid_by=paid_by, evidence_id=evidence_id, by=actor.subject)
    await audit.record(tx, "cash.prove", "cycle", cycle_id, audit.Bulk.of(proofs["references"], new=added))
    return added
