"""The worker loops of the payment half; `main` runs what :func:`payment_loops` returns."""

from __future__ import annotations

from functools import partial
from typing import Final

from common.db import Tx
from common.worker import Loop, every
from disbursement.storage import quiet
from disbursement.usecases import run_cases
from disbursement.usecases.apply_notices import apply_notices_round
from disbursement.usecases.inquire import inquire_round
from disbursement.usecases.payment_context import PaymentContext
from disbursement.usecases.read_back import read_back_round
from disbursement.usecases.recover import look_round
from disbursement.usecases.send_batches import send_round, take_over_round

__all__ = ["payment_loops", "payment_probe"]

_LOOK_SECONDS: Final = 5.0
_READ_BACK_SECONDS: Final = 2.0


def payment_loops(context: PaymentContext) -> list[Loop]:
    """One sender and one inquirer per partner, so that a slow partner delays nobody else, and one applier of notices."""
    loops = [
        Loop("notices", every(context.idle_seconds, partial(apply_notices_round, context))),
        Loop("read-back", every(_READ_BACK_SECONDS, partial(read_back_round, context))),
        Loop("recovery", every(_LOOK_SECONDS, partial(look_round, context.db))),
        Loop("cases", every(_LOOK_SECONDS, partial(run_cases.look_round, context.db))),
    ]
    for partner in context.lanes:
        loops.append(Loop(f"send:{partner}", every(context.idle_seconds, partial(_send, context, partner))))
        loops.append(Loop(f"inquire:{partner}", every(1.0, partial(inquire_round, context, partner))))
    return loops


async def _send(context: PaymentContext, partner: str) -> bool:
    took = await take_over_round(context, partner)
    return await send_round(context, partner) or took


async def payment_probe(tx: Tx) -> dict[str, int]:
    """What keeps the payment half from being quiet: batches on their way, notices not applied, payments nobody knows about."""
    return await quiet.payment_counts(tx)
