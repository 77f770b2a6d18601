"""Keep the local copy of people and units. Called by the consumer inside its transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from accounts.storage import accounts, methods, people
from accounts.storage.people import Beneficiary, Representative, Unit
from accounts.usecases.publish import publish_accounts
from common.contracts.registry_v1 import AdministrativeUnitChanged, BeneficiaryState, RepresentativeState
from common.db import Tx
from common.names import comparison_key, folded

__all__ = ["beneficiaries", "representatives", "units"]

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
            )
            for event in events
        ],
    )


async def units(tx: Tx, events: Sequence[AdministrativeUnitChanged]) -> None:
    """Store administrative units (at most one event per unit)."""
    await people.upsert_units(
        tx, [Unit(event.unit_id, event.version, event.code, event.path, event.valid_from, event.valid_to) for event in events]
    )
