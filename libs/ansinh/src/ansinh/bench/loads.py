"""Small loads aimed at one mechanism each, on the stack the bench has just run its month on."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from typing import Any

import httpx
import orjson
import psycopg

from ansinh.bench.stages import Figure
from ansinh.demo.client import Api
from ansinh.demo_command import DemoStack
from ansinh.stack.drain import backlog, replay
from common.clock import now
from common.http import client as http_client
from common.ids import new_id
from common.webhooks import sign

__all__ = ["relay", "statement", "webhook"]

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


async def statement(stack: DemoStack, seconds: float = 300.0) -> Figure:
    """Every partner's books as camt.053, uploaded one after another and reconciled with all payments of the month.

    Raises RuntimeError when a statement is refused, differs from our books or is not done in `seconds`.
    """
    info = stack.info()
    lines, spent = 0, 0.0
    async with Api(info) as api, http_client(timeout=120.0) as http:
        for partner in sorted(_partners(stack)):
            books = await http.post(f"{info.partner}/control/statement", json={"partner": partner, "form": "CAMT053"})
            content = books.raise_for_status().content
            if b"<Ntry>" not in content:
                continue
            started = time.monotonic()
            about = {"partner": partner, "business_date": now().date().isoformat()}
            sent = await api.upload("disbursement", "/v1/statements", info.maker, f"{partner}.xml", content, about)
            lines += await _reconciled(api, info.maker, f"/v1/statements/{sent['statement_id']}", started + seconds)
            spent += time.monotonic() - started
    return Figure(lines, spent, "camt.053 lines: received → reconciled, one partner after another", ("disbursement-worker",))


async def _reconciled(api: Api, user: str, path: str, deadline: float) -> int:
    while time.monotonic() < deadline:
        detail = await api.get("disbursement", path, user)
        if detail["state"] == "RECONCILED":
            other = {row["verdict"] for row in detail["verdicts"]} - {"MATCHED", "REVERSED"}
            if other:
                raise RuntimeError(f"the partner's own books differ from ours: {sorted(other)}")
            return int(detail["lines"])
        if detail["state"] == "REFUSED":
            raise RuntimeError(f"the statement was refused: {detail['refusal']}")
        await asyncio.sleep(0.05)
    raise RuntimeError("the statement was not reconciled in time")


def _partners(stack: DemoStack) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((stack.layout.secrets / "partners.json").read_text(encoding="utf-8"))["partners"]
    return found


async def webhook(stack: DemoStack, disbursement_dsn: str, notices: int = 2000) -> Figure:
    """Signed notices of one known result each, stored before the answer: as many a second as come in over eight connections."""
    partners = _partners(stack)
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
