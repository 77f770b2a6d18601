"""Kafka topics: names, number of partitions, and how a key finds its partition.

The number of partitions is part of the contract: order per key holds only while it stays the same, and cut-off
markers count on one marker per partition. All topics share it, so that an outbox lane is the same partition everywhere.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

__all__ = ["ALL_TOPICS", "PARTITIONS", "Topic", "partition_of", "partition_sql"]

PARTITIONS: Final = 8


class Topic:
    """Topic names, `<service>.<aggregate>.v<major>` (named constants, so that a typing error is a NameError)."""

    BENEFICIARY: Final = "registry.beneficiary.v1"
    DUES: Final = "registry.dues.v1"
    UNIT: Final = "registry.unit.v1"
    VERIFICATION: Final = "identity-verify.verification.v1"
    PAYOUT: Final = "accounts.payout.v1"
    PAYMENT: Final = "disbursement.payment.v1"
    CYCLE: Final = "disbursement.cycle.v1"


ALL_TOPICS: Final[tuple[str, ...]] = (
    Topic.BENEFICIARY,
    Topic.DUES,
    Topic.UNIT,
    Topic.VERIFICATION,
    Topic.PAYOUT,
    Topic.PAYMENT,
    Topic.CYCLE,
)


def partition_of(key: UUID) -> int:
    """The partition of a key: its last byte modulo the number of partitions (random in UUID 4, 5 and 7)."""
    return key.bytes[15] % PARTITIONS


def partition_sql(key_expression: str) -> str:
    """The same rule as :func:`partition_of`, as an SQL expression over a `uuid` expression."""
    return f"(get_byte(uuid_send({key_expression}), 15) % {PARTITIONS})"
