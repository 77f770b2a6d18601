"""Applying staged rows: one transaction per batch holds the people, their dues, the events and the audit row."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import groupby
from uuid import UUID

from common import audit
from common.db import Tx
from common.sealing import Keyring
from registry.domain.reasons import Reason
from registry.storage import dues, imports, publishing
from registry.storage.apply_rows import Applied, apply_rows

__all__ = ["apply_batch"]


async def apply_batch(
    tx: Tx, keyring: Keyring, import_ids: Sequence[UUID], row_numbers: Sequence[int], business_date: date, *, proposed: bool = False
) -> tuple[Applied, list[tuple[UUID, int, Reason]]]:
    """Apply good rows (given pairwise as import id and row number); what was applied, and what was refused and why.

    `proposed`: one person's own doing; people only, what they receive and who collects waits for a second person.
    """
    await publishing.take_people_lock(tx)
    refused = await imports.conflicts(tx, import_ids, row_numbers)
    await imports.refuse_rows(tx, refused)
    clash = {(import_id, number) for import_id, number, _ in refused}
    good = [pair for pair in zip(import_ids, row_numbers, strict=True) if pair not in clash]
    done = await apply_rows(tx, [pair[0] for pair in good], [pair[1] for pair in good], proposed=proposed)
    await publish(tx, keyring, done, business_date)
    for import_id, pairs in groupby(sorted(good), key=lambda pair: pair[0]):
        await audit.record(tx, "import.apply", "import", import_id, audit.Bulk.of(number for _, number in pairs))
    return done, refused


async def publish(tx: Tx, keyring: Keyring, done: Applied, business_date: date) -> None:
    """Compute the dues and add the events of a batch, parts of one person in the order a reader expects."""
    people = [(person_id, "BeneficiaryRegistered") for person_id in done.registered]
    people += [(person_id, "BeneficiaryUpdated") for person_id in done.updated]
    await publishing.publish_people(tx, keyring, people, business_date)
    await publishing.publish_representatives(tx, keyring, done.representatives, business_date)
    await publishing.publish_entitlements(tx, done.entitlements, business_date)
    await publishing.publish_preferences(tx, done.preferences, business_date)
    await dues.recompute(tx, done.people, business_date)
