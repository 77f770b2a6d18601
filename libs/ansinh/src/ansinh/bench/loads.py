"""Small loads aimed at one mechanism each, on the stack the bench runs."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx
import orjson
import psycopg

from ansinh.bench.stages import Figure
from ansinh.demo.client import Api, wait_for
from ansinh.demo_command import DemoStack
from ansinh.stack.drain import backlog, replay
from common.clock import now
from common.http import client as http_client
from common.ids import new_id
from common.webhooks import sign

__all__ = ["percentiles", "relay", "statement", "steady_notices"]

_STILL: Final = 300.0
_ATTEMPTS: Final = 3
_Notice = tuple[str, bytes, dict[str, str]]
"""One signed notice: address, bytes, headers."""


async def relay(dsns: Mapping[str, str]) -> Figure:
    """Publish every event of the run once more: from marked to acknowledged by the broker."""
    started = time.monotonic()
    count = sum((await asyncio.to_thread(replay, dsns, None)).values())
    marked = time.monotonic() - started

    async def probe() -> str | None:
        left = (await asyncio.to_thread(backlog, dsns)).unpublished
        return None if left == 0 else f"{left} events to publish"

    await wait_for("relay", probe, seconds=_STILL, pause=0.05)
    workers = tuple(f"{name}-worker" for name in dsns)
    spent = time.monotonic() - started - marked
    return Figure(count, spent, "outbox events published again, five relays at once", workers, {"marking_seconds": marked})


async def statement(stack: DemoStack, partners: Sequence[str], most: int) -> Figure:
    """Partners' books as camt.053 until `most` lines, uploaded one after another and reconciled with all payments.

    Raises RuntimeError when a statement is refused or differs from our books.
    """
    info = stack.info()
    lines, spent = 0, 0.0
    async with Api(info) as api, http_client(to=(info.partner,), timeout=120.0) as http:
        for partner in sorted(partners):
            books = await http.post(f"{info.partner}/control/statement", json={"partner": partner, "form": "CAMT053"})
            content = books.raise_for_status().content
            if b"<Ntry>" not in content or lines >= most:
                continue
            started = time.monotonic()
            about = {"partner": partner, "business_date": now().date().isoformat()}
            sent = await api.upload("disbursement", "/v1/statements", info.maker, f"{partner}.xml", content, about)
            lines += await _reconciled(api, info.maker, f"/v1/statements/{sent['statement_id']}")
            spent += time.monotonic() - started
    return Figure(lines, spent, "camt.053 lines: received → reconciled, one partner after another", ("disbursement-worker",))


async def _reconciled(api: Api, user: str, path: str) -> int:
    found: dict[str, Any] = {}

    async def probe() -> str | None:
        found.update(await api.get("disbursement", path, user))
        if found["state"] == "REFUSED":
            raise RuntimeError(f"the statement was refused: {found['refusal']}")
        return None if found["state"] == "RECONCILED" else str(found["state"])

    await wait_for("statement", probe, seconds=_STILL, pause=0.05)
    other = {row["verdict"] for row in found["verdicts"]} - {"MATCHED", "REVERSED", "RETURN_UNCONFIRMED"}
    if other:
        raise RuntimeError(f"the partner's own books differ from ours: {sorted(other)}")
    return int(found["lines"])


def _notices(stack: DemoStack, dsn: str, count: int) -> list[_Notice]:
    """Notices about results we know already, one each, signed now: they cost what any notice costs and change nothing."""
    partners = orjson.loads((stack.layout.secrets / "partners.json").read_bytes())["partners"]
    with psycopg.connect(dsn, connect_timeout=5) as connection:
        found = connection.execute(
            "SELECT partner, reference, amount, status, partner_reference, occurred_at FROM payment"
            " WHERE status IN ('SETTLED', 'COLLECTED') ORDER BY payment_id LIMIT %s",
            (count,),
        ).fetchall()
    made: list[_Notice] = []
    for number in range(count if found else 0):
        partner, reference, amount, status, theirs, occurred = found[number % len(found)]
        result = {"reference": reference, "status": status, "amount": amount, "currency": "VND", "code": None}
        result |= {"partner_reference": theirs, "occurred_at": occurred.isoformat()}
        body = orjson.dumps({"type": "payment.results", "results": [result]})
        headers = sign(partners[partner]["inbound_secrets"][0], str(new_id()), now(), body)
        made.append((f"{stack.urls['disbursement']}/v1/webhooks/partners/{partner}", body, headers))
    return made


async def _post(http: httpx.AsyncClient, notice: _Notice, waits: list[float]) -> None:
    """Deliver a notice until it is taken, as a partner does; the wait is counted over all attempts."""
    url, body, headers = notice
    began = time.monotonic()
    for attempt in range(_ATTEMPTS):
        try:
            answer = await http.post(url, content=body, headers=headers)
        except httpx.TransportError:  # a kept connection that the other side was just closing
            if attempt == _ATTEMPTS - 1:
                raise
            continue
        answer.raise_for_status()
        break
    waits.append(time.monotonic() - began)


def percentiles(waits: Sequence[float]) -> dict[str, float]:
    """Median, 99th percentile and longest, in seconds."""
    ordered = sorted(waits)
    if not ordered:
        return {}
    return {"median_seconds": ordered[len(ordered) // 2], "p99_seconds": ordered[int(len(ordered) * 0.99)], "longest_seconds": ordered[-1]}


@asynccontextmanager
async def steady_notices(stack: DemoStack, dsn: str, per_second: float) -> AsyncIterator[list[float]]:
    """Notices at a steady pace while the block runs; the list fills with how long each answer took, counted from when it was due.

    A pace that does not wait for answers is what partners do: a slow answer makes the following ones late, and they count as late.
    """
    waits: list[float] = []
    underway: set[asyncio.Task[None]] = set()

    async def pace(http: httpx.AsyncClient) -> None:
        began, sent = time.monotonic(), 0
        while True:
            batch = await asyncio.to_thread(_notices, stack, dsn, int(per_second * 10))  # signatures are good for minutes only
            for notice in batch:
                await asyncio.sleep(max(began + sent / per_second - time.monotonic(), 0.0))
                task = asyncio.create_task(_post(http, notice, waits))
                underway.add(task)
                task.add_done_callback(underway.discard)
                sent += 1

    limits = httpx.Limits(max_connections=64)
    async with httpx.AsyncClient(timeout=60, trust_env=False, limits=limits) as http:
        pacing = asyncio.create_task(pace(http))
        try:
            yield waits
        finally:
            pacing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await pacing
            await asyncio.gather(*underway)
