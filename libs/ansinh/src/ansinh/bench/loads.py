"""Small loads aimed at one mechanism each, on the stack the bench has just run its month on."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping

import httpx
import orjson
import psycopg

from ansinh.bench.stages import Figure
from ansinh.demo_command import DemoStack
from ansinh.stack.drain import backlog, replay
from common.clock import now
from common.ids import new_id
from common.webhooks import sign

__all__ = ["relay", "webhook"]

_LANES = 8


async def relay(dsns: Mapping[str, str], seconds: float = 300.0) -> Figure:
    """Publish every event of the run once more: from marked to acknowledged by the broker."""
    started = time.monotonic()
    count = sum((await asyncio.to_thread(replay, dsns, None)).values())
    marked = time.monotonic() - started
    deadline = started + seconds
    while time.monotonic() < deadline:
        if (await asyncio.to_thread(backlog, dsns)).unpublished == 0:
            break
        await asyncio.sleep(0.05)
    workers = tuple(f"{name}-worker" for name in dsns)
    spent = time.monotonic() - started - marked
    return Figure(count, spent, "outbox events published again, five relays at once", workers, {"marking_seconds": marked})


async def webhook(stack: DemoStack, disbursement_dsn: str, notices: int = 2000) -> Figure:
    """Signed notices of one known result each, stored before the answer: as many a second as come in over eight connections."""
    partners = json.loads((stack.layout.secrets / "partners.json").read_text(encoding="utf-8"))["partners"]
    with psycopg.connect(disbursement_dsn) as connection:
        found = connection.execute(
            "SELECT partner, reference, amount, status, partner_reference, occurred_at FROM payment"
            " WHERE status IN ('SETTLED', 'COLLECTED') ORDER BY payment_id LIMIT %s",
            (notices,),
        ).fetchall()
    waits: list[float] = []
    queue = iter(found)
    url = stack.urls["disbursement"]

    async def lane(client: httpx.AsyncClient) -> None:
        for partner, reference, amount, status, theirs, occurred in queue:
            result = {"reference": reference, "status": status, "amount": amount, "currency": "VND", "code": None}
            result |= {"partner_reference": theirs, "occurred_at": occurred.isoformat()}
            body = orjson.dumps({"type": "payment.results", "results": [result]})
            headers = sign(partners[partner]["inbound_secrets"][0], str(new_id()), now(), body)
            began = time.monotonic()
            answer = await client.post(f"{url}/v1/webhooks/partners/{partner}", content=body, headers=headers)
            waits.append(time.monotonic() - began)
            answer.raise_for_status()

    started = time.monotonic()
    async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
        await asyncio.gather(*(lane(client) for _ in range(_LANES)))
    spent = time.monotonic() - started
    waits.sort()
    p99 = waits[int(len(waits) * 0.99) - 1] if waits else 0.0
    return Figure(len(waits), spent, "signed notices stored and answered, 8 connections", ("disbursement-api",), {"p99_seconds": p99})
