"""Keep the local copy of whom to check. Called by the consumer inside its transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from common import outbox
from common.contracts.accounts_v1 import AccountState
from common.contracts.identity_verify_v1 import Verdict
from common.contracts.registry_v1 import BeneficiaryState, BeneficiaryStatus, RepresentativeState
from common.db import Tx
from identity_verify.domain.events import event_type
from identity_verify.population.source import blind_number
from identity_verify.storage import accounts, asking, issue_requests, subjects, verifications
from identity_verify.storage.subjects import Subject
from identity_verify.usecases.record import settle_left

__all__ = ["accounts_of_payees", "beneficiaries", "representatives"]

SERVICE: Final = "identity-verify"
"""The name under which producers seal fields for this service."""


async def beneficiaries(tx: Tx, events: Sequence[BeneficiaryState]) -> None:
    """Store beneficiaries (at most one event per person); a changed identity asks for a check.

    Whom the office records as dead is asked about by the feed of deaths alone: the database may tell another day.
    """
    dead = [(event.beneficiary_id, event.version) for event in events if event.status == BeneficiaryStatus.DECEASED]
    asked = await asking.asked_by_feed(tx, [person for person, _ in dead]) if dead else []
    await subjects.upsert(
        tx,
        [
            Subject(
                beneficiary_id=event.beneficiary_id,
                subject_id=event.beneficiary_id,
                kind="BENEFICIARY",
                full_name=event.full_name,
                birth_date=event.birth_date,
                sex=event.sex,
                number_token=event.national_number.get(SERVICE),
                number_blind=_blind(tx, event.national_number.get(SERVICE)),
                fingerprint=event.identity_fingerprint,
                unit_code=event.unit_code,
                unit_path=event.unit_path,
                active=event.status == BeneficiaryStatus.ACTIVE,
                version=event.version,
                business_date=event.business_date,
            )
            for event in events
        ],
    )
    if dead:
        await asking.leave_to_feed(tx, dead, asked)
    await _move(tx, [(event.beneficiary_id, event.beneficiary_id) for event in events])
    if events:
        # Whoever left, or has another number now, sets the number free for those who claimed it too.
        await settle_left(tx, [event.beneficiary_id for event in events], events[0].business_date)
        await issue_requests.close_registered(tx, [event.beneficiary_id for event in events if event.national_number.get(SERVICE)])


async def representatives(tx: Tx, events: Sequence[RepresentativeState]) -> None:
    """Store representatives (at most one event per beneficiary and person); a revoked one is no longer asked about."""
    await subjects.upsert(
        tx,
        [
            Subject(
                beneficiary_id=event.beneficiary_id,
                subject_id=event.representative_id,
                kind="REPRESENTATIVE",
                full_name=event.full_name,
                birth_date=event.birth_date,
                sex=event.sex,
                number_token=event.national_number.get(SERVICE),
                number_blind=_blind(tx, event.national_number.get(SERVICE)),
                fingerprint=event.identity_fingerprint,
                unit_code=event.unit_code,
                unit_path=event.unit_path,
                active=event.revoked_on is None,
                version=event.version,
                business_date=event.business_date,
            )
            for event in events
        ],
    )
    await _move(tx, [(event.beneficiary_id, event.representative_id) for event in events])
    await issue_requests.close_registered(tx, [event.beneficiary_id for event in events if event.national_number.get(SERVICE)])


async def accounts_of_payees(tx: Tx, events: Sequence[AccountState]) -> None:
    """Store which account each payee has, masked: lists for the police ask whether it is that person's (plan 152, step 3)."""
    await accounts.upsert(tx, events)


def _blind(tx: Tx, token: str | None) -> str | None:
    blind = blind_number(tx.db.keyring, token)
    return None if blind is None else "\\x" + blind.hex()


async def _move(tx: Tx, keys: Sequence[tuple[UUID, UUID]]) -> None:
    """Say again, under the new unit, what is known of people who moved; nobody is asked again for that."""
    rows = await verifications.move(tx, keys)
    await outbox.add(
        tx,
        [
            event_type(row["kind"], Verdict(row["verdict"]))(
                version=row["version"],
                business_date=row["business_date"],
                beneficiary_id=row["beneficiary_id"],
                subject_id=row["subject_id"],
                subject_kind=row["kind"],
                verdict=Verdict(row["verdict"]),
                source_status=row["source_status"],
                fields=row["fields"],
                identity_fingerprint=row["fingerprint"],
                checked_on=row["checked_on"],
                valid_until=row["valid_until"],
                reference=row["reference"],
                death_date=row["death_date"],
                grace_until=row["grace_until"],
                unit_code=row["unit_code"],
                unit_path=row["unit_path"],
            )
            for row in rows
        ],
    )
