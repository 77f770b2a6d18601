"""What led to an event travels with it: the request's id, through however many services, and the event before it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from common import outbox
from common.actor import SYSTEM
from common.consumer import Consumer, Incoming, Subscription
from common.contracts.registry_v1 import PreferenceRecorded
from common.db import Tx
from common.ids import new_id
from common.relay import _headers
from common.topics import Topic


def _preference(beneficiary: UUID) -> PreferenceRecorded:
    return PreferenceRecorded(
        version=1, business_date=date(2024, 8, 20), beneficiary_id=beneficiary, preference="DECLINES", recorded_on=date(2024, 8, 1),
        evidence=None, unit_code="22924", unit_path="60/593/22924",
    )  # fmt: skip


async def _sent(db: Any) -> list[dict[str, str]]:
    async with db.read() as tx:
        rows = await tx.rows("SELECT * FROM outbox ORDER BY id")
    return [{name: value.decode() for name, value in _headers(row, "test")} for row in rows]


@pytest.mark.parametrize("events", [1, 25])  # single inserts, and COPY
async def test_a_requests_id_is_the_correlation_of_its_events(database: Callable[[str], Any], events: int) -> None:
    db = database("reporting").db
    request = str(new_id())
    async with db.transaction(replace(SYSTEM("officer"), request_id=request)) as tx:
        await outbox.add(tx, [_preference(new_id()) for _ in range(events)])
        await outbox.insert_select(
            tx, PreferenceRecorded, "SELECT CAST(:key AS uuid) AS key, uuidv7() AS event_id, '{}' AS body", key=new_id()
        )
    sent = await _sent(db)
    assert len(sent) == events + 1
    assert {headers["ce_correlationid"] for headers in sent} == {request}
    assert {headers["traceparent"].split("-")[1] for headers in sent} == {request.replace("-", "")}
    assert len({headers["traceparent"] for headers in sent}) == events + 1, "each event is a span of its own"
    assert all("ce_causationid" not in headers for headers in sent)


async def test_an_event_said_while_another_is_applied_names_it(database: Callable[[str], Any]) -> None:
    db = database("reporting").db

    async def apply(tx: Tx, heard: list[Incoming]) -> None:
        await outbox.add(tx, [_preference(event.key) for event in heard])

    subscriptions = (Subscription(Topic.BENEFICIARY, (PreferenceRecorded,), apply),)
    consumer = Consumer(db, "t", subscriptions, bootstrap="none:0", group="x", session_ms=6_000, heartbeat_ms=1_000)
    heard = [
        Incoming(Topic.BENEFICIARY, 0, number, new_id(), new_id(), "PreferenceRecorded", {"ce_correlationid": f"request-{number}"}, b"{}")
        for number in range(2)
    ]
    await consumer.apply(heard)
    by_key = {headers["ce_subject"]: headers for headers in await _sent(db)}
    for number, event in enumerate(heard):
        headers = by_key[str(event.key)]
        assert (headers["ce_correlationid"], headers["ce_causationid"]) == (f"request-{number}", str(event.event_id))


async def test_events_said_of_several_traces_at_once_keep_their_own(spans: InMemorySpanExporter, database: Callable[[str], Any]) -> None:
    """Added one by one or by one statement: each event goes on with the trace of the event under its key that is being applied."""
    db = database("reporting").db

    async def apply(tx: Tx, heard: list[Incoming]) -> None:
        await outbox.add(tx, [_preference(event.key) for event in heard])
        select = "SELECT x AS key, uuidv7() AS event_id, '{}' AS body FROM unnest(CAST(:keys AS uuid[])) AS x"
        await outbox.insert_select(tx, PreferenceRecorded, select, keys=[event.key for event in heard])

    subscriptions = (Subscription(Topic.BENEFICIARY, (PreferenceRecorded,), apply),)
    consumer = Consumer(db, "t", subscriptions, bootstrap="none:0", group="x", session_ms=6_000, heartbeat_ms=1_000)
    traces = {new_id(): str(number) * 32 for number in range(1, 4)}
    await consumer.apply([
        Incoming(Topic.BENEFICIARY, 0, number, key, new_id(), "PreferenceRecorded", {"traceparent": f"00-{trace}-{'b' * 16}-01"}, b"{}")
        for number, (key, trace) in enumerate(traces.items())
    ])  # fmt: skip
    sent = [(headers["ce_subject"], headers["traceparent"].split("-")[1]) for headers in await _sent(db)]
    assert sorted(sent) == sorted((str(key), trace) for key, trace in [*traces.items(), *traces.items()])
