"""Idempotency keys: the key's row commits with the effect; the same key and body give the same answer for as long as it is kept."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

import orjson
import psycopg
from fastapi import Header
from pydantic import BaseModel
from sqlalchemy import RowMapping
from sqlalchemy.exc import DBAPIError

from common.actor import Actor
from common.db import Database, Tx
from common.locks import Lock
from common.problems import IdempotencyInFlight, IdempotencyMismatch

__all__ = ["Answer", "IdempotencyKey", "asked_already", "run"]

_LOCK_MS: Final = 2_000

IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=8,
        max_length=200,
        description="Chosen by the caller; the same key and body give the same answer",
    ),
]


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered, first or again."""

    status: int
    body: Any
    replayed: bool


async def run(
    db: Database, actor: Actor, key: str, route: str, body: bytes, effect: Callable[[Tx], Awaitable[tuple[int, BaseModel]]]
) -> Answer:
    """Run `effect` once for this caller and key. Raises 422 on another body, 409 while the first is running.

    When `effect` raises, everything rolls back and the key is free again.
    """
    client = actor.subject  # not the client id: everybody at the console shares one
    fingerprint = hashlib.sha256(route.encode() + b"\x1f" + body).digest()
    try:
        async with db.transaction(actor) as tx:
            await tx.execute(f"SET LOCAL lock_timeout = {_LOCK_MS}")
            first = await tx.execute(
                "INSERT INTO idempotency_key (client, key, route, fingerprint)"
                " VALUES (:client, :key, :route, :fingerprint) ON CONFLICT DO NOTHING",
                client=client,
                key=key,
                route=route,
                fingerprint=fingerprint,
            )
            if not first:
                return await _again(tx, client, key, fingerprint)
            await tx.execute("SET LOCAL lock_timeout = 0")
            status, model = await effect(tx)
            answer = orjson.dumps(model.model_dump(mode="json"))
            stored = db.keyring.encrypt("idempotency_key", answer) if db.keyring else answer
            await tx.execute(
                "UPDATE idempotency_key SET status = :status, answer = :answer WHERE client = :client AND key = :key",
                status=status,
                answer=stored,
                client=client,
                key=key,
            )
        return Answer(status, orjson.loads(answer), replayed=False)
    except DBAPIError as error:
        if isinstance(error.orig, psycopg.errors.LockNotAvailable):
            raise IdempotencyInFlight(headers={"Retry-After": "2"}) from error
        raise


async def _again(tx: Tx, client: str, key: str, fingerprint: bytes) -> Answer:
    row = await tx.row(
        "SELECT fingerprint, status, answer FROM idempotency_key WHERE client = :client AND key = :key", client=client, key=key
    )
    if row is None or row["status"] is None:
        raise IdempotencyInFlight(headers={"Retry-After": "2"})
    if bytes(row["fingerprint"]) != fingerprint:
        raise IdempotencyMismatch
    stored = bytes(row["answer"])
    answer = tx.db.keyring.decrypt_bytes("idempotency_key", stored) if tx.db.keyring else stored
    return Answer(row["status"], orjson.loads(answer), replayed=True)


async def asked_already(tx: Tx, table: str, asked: Mapping[str, Any], standing: str) -> RowMapping | None:
    """What the same person has asked for in the same words, as long as it stands as it was made; for requests without a key.

    Who got no answer asks again, and must not make a second thing. `asked`: columns and values, with who asks among them; `standing`: the
    condition (names and condition are ours). Two at once wait for each other, until the end of the transaction.
    """
    words = f"{table} {sorted(asked.items())}"  # others' words wait for nothing
    await tx.execute("SELECT pg_advisory_xact_lock(CAST(:lock AS int), hashtext(:words))", lock=int(Lock.ASKED_AGAIN), words=words)
    same = " AND ".join(f"{name} IS NOT DISTINCT FROM :{name}" for name in asked)
    return await tx.row(f"SELECT * FROM {table} WHERE {standing} AND {same} LIMIT 1", **asked)
