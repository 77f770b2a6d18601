"""Systems of other agencies: who may call (registered by two people), how often, and what they read (a log per agency).

A token with the role INTEGRATOR is a client's. Its rights are what the token AND the registration allow; where registration is
required (always in production) an unregistered one is refused. Calls are counted in the service's database, one statement per call,
so that the limit holds whatever number of processes answers. A token with the role PARTNER is bound to its partner by
`common.auth`; it is counted and logged here too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import orjson
from sqlalchemy import RowMapping
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from common.actor import Actor, Role
from common.clock import today
from common.db import Database
from common.problems import Forbidden, TooManyRequests
from common.settings import MechanismSettings

__all__ = ["AccessLog", "admit", "is_client", "narrowed"]

_ADMIT: Final = """
WITH registered AS (
    SELECT id, agency, roles, units, per_minute, per_day FROM api_client
    WHERE client_id = :client AND state = 'ACTIVE' AND valid_from <= :day AND (valid_to IS NULL OR valid_to >= :day)
), swept AS (
    DELETE FROM api_client_calls
    WHERE client_id = :client AND period IN ('MINUTE', 'DAY') AND starts_at < now() - interval '2 days'
), this_minute AS (
    INSERT INTO api_client_calls AS c (client_id, period, starts_at, calls)
    VALUES (:client, 'MINUTE', date_trunc('minute', now()), 1)
    ON CONFLICT (client_id, period, starts_at) DO UPDATE SET calls = c.calls + 1 RETURNING calls
), this_day AS (
    INSERT INTO api_client_calls AS c (client_id, period, starts_at, calls)
    SELECT :client, 'DAY', date_trunc('day', now()), 1 FROM this_minute
    WHERE calls <= coalesce((SELECT per_minute FROM registered), :per_minute)
    ON CONFLICT (client_id, period, starts_at) DO UPDATE SET calls = c.calls + 1 RETURNING calls
)
SELECT r.*, m.calls AS minute_calls, d.calls AS day_calls,
    ceil(60 - extract(second FROM now()))::int AS minute_left,
    ceil(extract(epoch FROM date_trunc('day', now()) + interval '1 day' - now()))::int AS day_left
FROM this_minute m LEFT JOIN this_day d ON TRUE LEFT JOIN registered r ON TRUE
"""
_LOG: Final = """
INSERT INTO api_client_access (client_id, agency, subject, method, path, status, records, request_id)
VALUES (:client, (SELECT agency FROM api_client WHERE client_id = :client AND state = 'ACTIVE'), :subject, :method, :path, :status,
    :records, :request_id)
"""
_COUNTED_BYTES: Final = 4 * 1024 * 1024


def is_client(actor: Actor) -> bool:
    """Whether a system of another organisation calls, not a person or a process of ours."""
    return actor.has(Role.INTEGRATOR, Role.PARTNER)


def _within(granted: str, asked: str) -> str | None:
    """The smaller of two subtrees of units, when one lies in the other."""
    if granted in ("*", asked) or asked.startswith(granted + "/"):
        return asked
    return granted if asked == "*" or granted.startswith(asked + "/") else None


def narrowed(actor: Actor, roles: Sequence[str], units: Sequence[str]) -> Actor:
    """The actor with no more than a registration allows: an issuer's mistake opens nothing here."""
    asked = ("*",) if actor.everywhere else actor.unit_paths
    kept = {unit for granted in units for each in asked if (unit := _within(granted, each)) is not None}
    return replace(
        actor,
        roles=frozenset(role for role in actor.roles if role.value in roles),
        unit_paths=tuple(sorted(kept - {"*"})),
        everywhere="*" in kept,
    )


async def admit(db: Database, settings: MechanismSettings, actor: Actor) -> Actor:
    """Count a client's call and narrow its rights. Raises :class:`Forbidden` and :class:`TooManyRequests`."""
    async with db.transaction(actor) as tx:
        row = await tx.row(_ADMIT, client=actor.client_id, day=today(), per_minute=settings.client_calls_per_minute)
    assert row is not None
    if row["id"] is None and settings.clients_registered and actor.has(Role.INTEGRATOR):
        raise Forbidden("The client is not registered with this service, or its registration does not hold today")
    _within_quota(row, settings)
    return actor if row["id"] is None else narrowed(actor, row["roles"], row["units"])


def _within_quota(row: RowMapping, settings: MechanismSettings) -> None:
    if row["day_calls"] is None:
        told = f"At most {row['per_minute'] or settings.client_calls_per_minute} calls a minute"
        raise TooManyRequests(told, headers={"Retry-After": str(row["minute_left"])})
    daily = row["per_day"] or settings.client_calls_per_day
    if row["day_calls"] > daily:
        raise TooManyRequests(f"At most {daily} calls a day", headers={"Retry-After": str(row["day_left"])})


class _Counter:
    """How many records an answer holds: members of a JSON list (or of its `items`), lines of a file, else one."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.kept = bytearray()
        self.lines = 0
        self.whole = True

    def take(self, body: bytes) -> None:
        self.lines += body.count(b"\n")
        if self.whole and "json" in self.kind:
            self.kept += body
            self.whole = len(self.kept) <= _COUNTED_BYTES

    def records(self) -> int | None:
        """The number; None when the answer is of a kind that cannot be counted (a printed page, a workbook)."""
        if "ndjson" in self.kind or "csv" in self.kind:
            return self.lines
        if self.kind.startswith("application/json") and self.whole and self.kept:
            answer: Any = orjson.loads(self.kept)
            found = answer.get("items", answer) if isinstance(answer, dict) else answer
            return len(found) if isinstance(found, list) else 1
        return None


class AccessLog:
    """One row per call of a client, written before the end of the answer leaves: what is not logged is not answered in full."""

    def __init__(self, app: ASGIApp, db: Database) -> None:
        self.app = app
        self.db = db

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on; of a client's, hold the answer's last part back until it is written down."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        held: list[Message] = []
        counter = _Counter("")
        logged = begun = False

        async def note(status: int) -> None:
            nonlocal logged
            actor: Actor | None = scope.get("state", {}).get("client")
            if actor is None or logged:
                return
            logged = True
            async with self.db.transaction(actor) as tx:
                await tx.execute(
                    _LOG,
                    client=actor.client_id,
                    subject=actor.subject,
                    method=scope["method"],
                    path=scope["path"][:300],
                    status=status,
                    records=counter.records() if status < 300 else None,
                    request_id=actor.request_id,
                )

        async def watched(message: Message) -> None:
            nonlocal counter, begun
            if scope.get("state", {}).get("client") is None:
                await send(message)
                return
            if message["type"] == "http.response.start":
                counter = _Counter(dict(message["headers"]).get(b"content-type", b"").decode("latin-1"))
                held.append(message)
                return
            counter.take(message.get("body", b""))
            if not message.get("more_body", False):
                await note(held[0]["status"] if held else 200)
            if held and not begun:
                begun = True
                await send(held[0])
            await send(message)

        try:
            await self.app(scope, receive, watched)
        finally:
            if held and not logged:  # cut off in the middle: what went out is written down
                await note(held[0]["status"])
