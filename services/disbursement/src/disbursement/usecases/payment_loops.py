"""The worker loops of the payment half; `main` runs what :func:`payment_loops` returns."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from common.db import Tx
from common.worker import Loop, every
from disbursement.storage import claims, quiet
from disbursement.usecases import run_cases
from disbursement.usecases.apply_notices import apply_notices_round
from disbursement.usecases.inquire import inquire_round
from disbursement.usecases.no_partner import no_partner_round
from disbursement.usecases.payment_context import PaymentContext
from disbursement.usecases.read_back import read_back_round
from disbursement.usecases.recover import look_round
from disbursement.usecases.send_batches import send_round, take_over_round
from disbursement.usecases.set_aside import show_none_yet
from disbursement.usecases.watch_stops import watch_round

__all__ = ["payment_loops", "payment_probe"]

_ASK_SECONDS: Final = 1.0
_LOOK_SECONDS: Final = 5.0
_READ_BACK_SECONDS: Final = 2.0
_NO_PARTNER_SECONDS: Final = 900.0


def payment_loops(context: PaymentContext) -> list[Loop]:
    """One sender and one inquirer per partner, so that a slow partner delays nobody else, and one applier of notices."""
    loops = [
        Loop("notices", every(context.idle_seconds, partial(apply_notices_round, context))),
        Loop("read-back", every(_READ_BACK_SECONDS, partial(read_back_round, context))),
        Loop("recovery", every(_LOOK_SECONDS, partial(look_round, context.db))),
        Loop("stops", every(_LOOK_SECONDS, partial(watch_round, context))),
        Loop("no-partner", every(_NO_PARTNER_SECONDS, partial(no_partner_round, context))),
        Loop("cases", every(_LOOK_SECONDS, partial(run_cases.look_round, context.db))),
    ]
    to_send = _SharedLook(context, claims.partners_to_send, context.idle_seconds)
    to_ask = _SharedLook(context, partial(claims.partners_to_ask, partners=list(context.lanes)), _ASK_SECONDS)
    for partner in context.lanes:
        show_none_yet(partner)
        loops.append(Loop(f"send:{partner}", every(context.idle_seconds, partial(_send, context, to_send, partner))))
        loops.append(Loop(f"inquire:{partner}", every(_ASK_SECONDS, partial(_inquire, context, to_ask, partner))))
    return loops


class _SharedLook:
    """Which partners have something to do, asked once for all of their loops: a dozen idle partners cost one statement, not a hundred."""

    def __init__(self, context: PaymentContext, ask: Callable[[Tx], Awaitable[frozenset[str]]], seconds: float) -> None:
        self._context = context
        self._ask = ask
        self._seconds = seconds
        self._lock = asyncio.Lock()
        self._seen_at = float("-inf")
        self._partners: frozenset[str] = frozenset()

    async def has(self, partner: str) -> bool:
        """Whether this partner had something to do at most `seconds` ago."""
        now = asyncio.get_running_loop().time
        async with self._lock:
            if now() - self._seen_at >= self._seconds:
                async with self._context.db.read(self._context.actor) as tx:
                    self._partners = await self._ask(tx)
                self._seen_at = now()
        return partner in self._partners


async def _send(context: PaymentContext, look: _SharedLook, partner: str) -> bool:
    if not await look.has(partner):
        return False
    took = await take_over_round(context, partner)
    return await send_round(context, partner) or took


async def _inquire(context: PaymentContext, look: _SharedLook, partner: str) -> bool:
    return await look.has(partner) and await inquire_round(context, partner)


async def payment_probe(tx: Tx) -> dict[str, int]:
    """What keeps the payment half from being quiet: batches on their way, notices not applied, payments nobody knows about."""
    return await quiet.payment_counts(tx)
