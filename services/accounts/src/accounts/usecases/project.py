"""Keep the local copy of people and units. Called by the consumer inside its transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from accounts.storage import accounts, methods, openings, people
from accounts.storage.people import Beneficiary, Representative, Unit
from accounts.usecases.publish import publish_accounts
from common.contracts.disbursement_v1 import Channel, PaymentReturned, PaymentSettled, PaymentStatus
from common.contracts.registry_v1 import AdministrativeUnitChanged, BeneficiaryState, PreferenceRecorded, RepresentativeState
from common.db import Tx
from common.names import comparison_key, folded

__all__ = ["beneficiaries", "payments", "preferences", "representatives", "units"]

_BY_ACCOUNT: Final = (Channel.BANK, Channel.WALLET, Channel.MOBILE_MONEY)

SERVICE: Final = "accounts"
"""The name under which producers seal fields for this service."""


async def beneficiaries(tx: Tx, events: Sequence[BeneficiaryState]) -> None:
    """Store beneficiaries (at most one event per person); who moved takes accounts and choices along."""
    await people.upsert_beneficiaries(
        tx,
        [
            Beneficiary(
                beneficiary_id=event.beneficiary_id,
                version=event.version,
                file_code=event.file_code.strip().upper() if event.file_code else None,
                full_name=event.full_name,
                name_key=comparison_key(event.full_name),
                name_folded=folded(event.full_name),
                number_token=event.national_number.get(SERVICE),
                fingerprint=event.identity_fingerprint,
                unit_code=event.unit_code,
                unit_path=event.unit_path,
                business_date=event.business_date,
                birth_date=event.birth_date,
                programmes=[str(programme) for programme in event.programmes],
                status=event.status,
            )
            for event in events
        ],
    )
    ids = [event.beneficiary_id for event in events]
    await methods.move(tx, ids)
    moved = await accounts.move(tx, ids)
    if moved:
        await publish_accounts(tx, await accounts.settle(tx, moved))


async def representatives(tx: Tx, events: Sequence[RepresentativeState]) -> None:
    """Store representatives (at most one event per beneficiary and person)."""
    await people.upsert_representatives(
        tx,
        [
            Representative(
                beneficiary_id=event.beneficiary_id,
                representative_id=event.representative_id,
                version=event.version,
                kind=event.kind,
                full_name=event.full_name,
                name_key=comparison_key(event.full_name),
                name_folded=folded(event.full_name),
                number_token=event.national_number.get(SERVICE),
                fingerprint=event.identity_fingerprint,
                revoked_on=event.revoked_on,
                birth_date=event.birth_date,
                valid_from=event.valid_from,
                valid_to=event.valid_to,
            )
            for event in events
        ],
    )


async def preferences(tx: Tx, events: Sequence[PreferenceRecorded]) -> None:
    """Store the survey's answers (at most one per person). Who withdraws the wish for an account withdraws an open request for one."""
    fields = {"beneficiary_id", "version", "preference", "recorded_on", "evidence"}
    await people.upsert_preferences(tx, [event.model_dump(include=fields) for event in events])
    no_more = [event.beneficiary_id for event in events if event.preference in ("DECLINES", "FORCE_MAJEURE")]
    if no_more:
        await openings.publish(tx, await openings.withdraw_for(tx, no_more))


async def payments(tx: Tx, events: Sequence[PaymentSettled | PaymentReturned]) -> None:
    """Note which payments into accounts are settled, and which came back (at most one event per payment)."""
    rows = [
        {
            "payment_id": event.payment_id,
            "beneficiary_id": event.beneficiary_id,
            "version": event.version,
            "month": event.month,
            "paid": event.status is PaymentStatus.SETTLED,
        }
        for event in events
        if event.channel in _BY_ACCOUNT
    ]
    if rows:
        await people.upsert_paid(tx, rows)


async def units(tx: Tx, events: Sequence[AdministrativeUnitChanged]) -> None:
    """Store administrative units (at most one event per unit)."""
    await people.upsert_units(
        tx, [Unit(event.unit_id, event.version, event.code, event.path, event.valid_from, event.valid_to) for event in events]
    )
