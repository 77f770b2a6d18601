"""Events → our copies. Bodies go to the database as they came; the storage takes the highest version of each part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from common.consumer import Incoming
from common.db import Tx
from disbursement.storage import projections, uncollected

__all__ = ["SERVICE", "accounts", "beneficiaries", "dues", "entitlements", "limits", "methods", "representatives", "units", "verifications"]

SERVICE: Final = "disbursement"
"""Our name in sealed fields."""


def _array(events: Sequence[Incoming]) -> str:
    return "[" + ",".join(event.raw.decode() for event in events) + "]"


async def units(tx: Tx, events: list[Incoming]) -> None:
    """Administrative units and their dates."""
    await projections.put_units(tx, _array(events))


async def beneficiaries(tx: Tx, events: list[Incoming]) -> None:
    """People."""
    await projections.put_beneficiaries(tx, _array(events), SERVICE)


async def representatives(tx: Tx, events: list[Incoming]) -> None:
    """Who may collect for whom."""
    await projections.put_representatives(tx, _array(events))


async def entitlements(tx: Tx, events: list[Incoming]) -> None:
    """Which allowances are suspended: what is still unpaid of them waits, and a proposal to suspend them is taken up."""
    await projections.put_entitlements(tx, _array(events))
    await uncollected.take_up(tx, _array(events), "registry")


async def dues(tx: Tx, events: list[Incoming]) -> None:
    """What is due to whom."""
    await projections.put_dues(tx, _array(events))


async def verifications(tx: Tx, events: list[Incoming]) -> None:
    """What the population database said."""
    await projections.put_verifications(tx, _array(events))


async def accounts(tx: Tx, events: list[Incoming]) -> None:
    """Payout accounts; only our own token of the sealed number is kept."""
    await projections.put_accounts(tx, _array(events), SERVICE)


async def methods(tx: Tx, events: list[Incoming]) -> None:
    """How each beneficiary is to be paid."""
    await projections.put_methods(tx, _array(events))


async def limits(tx: Tx, events: list[Incoming]) -> None:
    """What one account of a provider may receive."""
    await projections.put_limits(tx, _array(events))
