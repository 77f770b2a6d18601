"""What the payment loops need from `main`: database, keys, partners with their channels, and limits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

import httpx

from common import clock
from common.auth import SYSTEM, Actor
from common.db import Database, Tx
from common.sealing import Keyring
from disbursement.channels.loading import account_limits, channel_of
from disbursement.channels.partners import Partner
from disbursement.channels.protocol import Channel

__all__ = ["PartnerLane", "PaymentContext", "make_payment_context"]

LEASE_MARGIN_SECONDS = 10
"""A lease outlives the longest send by this much, so that an expired lease means: that send has ended."""


@dataclass(frozen=True)
class PartnerLane:
    """One partner as the worker sees it: a channel of its own, so that a dead partner delays nobody else."""

    partner: Partner
    channel: Channel

    @property
    def lease_seconds(self) -> int:
        """How long a claimed batch is ours."""
        return int(self.partner.timeout_seconds) + LEASE_MARGIN_SECONDS


@dataclass(frozen=True)
class PaymentContext:
    """Everything the payment loops use. `owner` names this process in leases."""

    db: Database
    keyring: Keyring
    lanes: Mapping[str, PartnerLane]
    owner: str
    actor: Actor = field(default_factory=lambda: SYSTEM("disbursement"))
    idle_seconds: float = 0.2
    grace_days: int = 0
    """Days VERIFIED evidence counts after it ran out without an approved grace (`settings.evidence_grace_days`)."""
    partner_clock: Callable[[], datetime] = clock.now
    """What time it is where partners work: real time. Cut-offs and value dates go by it, never by a business date."""
    limits: str = "[]"
    """What one account of each partner may receive: JSON rows of `channels.loading.account_limits`."""
    turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))
    """Sending transactions at once, over all partners; requests to partners are not counted."""

    @asynccontextmanager
    async def in_turn(self) -> AsyncIterator[Tx]:
        """A transaction over a whole batch. A dozen of them at once are no faster, and notices that come in would wait behind them."""
        async with self.turns, self.db.transaction(self.actor) as tx:
            yield tx


def make_payment_context(
    db: Database,
    keyring: Keyring,
    partners: Mapping[str, Partner],
    http: httpx.AsyncClient,
    owner: str,
    *,
    grace_days: int = 0,
    turns: int = 2,
) -> PaymentContext:
    """A context with each partner's own channel. `http` comes from `common.http.client`. Raises NoSuchChannel."""
    lanes = {name: PartnerLane(partner=partner, channel=channel_of(partner, http, keyring)) for name, partner in partners.items()}
    return PaymentContext(
        db=db,
        keyring=keyring,
        lanes=lanes,
        owner=owner,
        grace_days=grace_days,
        limits=account_limits(partners),
        turns=asyncio.Semaphore(turns),
    )
