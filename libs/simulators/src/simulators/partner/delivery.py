"""Sending notices until the platform takes them: same webhook-id on every attempt, back-off, no redirects, no giving up."""

from __future__ import annotations

import random
import sqlite3
from dataclasses import dataclass
from typing import Any

import httpx

from simulators.partner.config import SimulatorConfig
from simulators.partner.faces import Telling, face_of
from simulators.sqlite_lane import Lane

__all__ = ["Courier"]

_AT_ONCE = 4


@dataclass(frozen=True)
class _Parcel:
    number: int
    webhook_id: str
    body: bytes
    fault: str | None
    attempts: int
    copies_left: int


class Courier:
    """Delivers the notices of one partner, in the order they are due."""

    def __init__(self, config: SimulatorConfig, partner: str, lane: Lane, client: httpx.AsyncClient) -> None:
        self._config, self._partner, self._lane, self._client = config, partner, lane, client

    async def deliver_due(self, now: float) -> int:
        """Try the next few due notices once each; answers how many were tried."""
        parcels = await self._lane.run(lambda connection: _due(connection, self._partner, now))
        for parcel in parcels:
            answer = await self._send(parcel, int(now))
            again_in = self._back_off(parcel.attempts + 1)
            await self._lane.run(
                lambda connection, parcel=parcel, answer=answer, again_in=again_in: _record(  # type: ignore[misc]
                    connection,
                    parcel,
                    answer,
                    now,
                    again_in,
                )
            )
        return len(parcels)

    async def next_due(self) -> float | None:
        """When the next undelivered notice is due, or None."""

        def read(connection: sqlite3.Connection) -> float | None:
            row = connection.execute("SELECT min(next_at) FROM notice WHERE partner = ? AND delivered_at IS NULL", (self._partner,))
            due: float | None = row.fetchone()[0]
            return due

        return await self._lane.run(read)

    async def _send(self, parcel: _Parcel, now: int) -> str:
        """HTTP status as text, or the kind of failure."""
        settings = self._config.partners[self._partner]
        face = face_of(settings)
        known_as = settings.merchant or self._partner
        call = face.call(Telling(parcel.webhook_id, parcel.body, settings.inbound_secrets[0], now, known_as, parcel.fault))
        url = self._config.callback(self._partner) + (f"?{call.query}" if call.query else "")
        try:
            response = await self._client.request(call.method, url, content=call.body, headers=call.headers)
            acknowledged = face.acknowledged(response.status_code, response.content)
        except httpx.HTTPError as error:
            return type(error).__name__
        except ValueError:
            acknowledged = False
        return str(response.status_code) if acknowledged or not response.is_success else f"not acknowledged: {response.status_code}"

    def _back_off(self, attempts: int) -> float:
        longest = min(self._config.retry_first_seconds * 2.0 ** min(attempts - 1, 30), self._config.retry_most_seconds)
        return longest * random.uniform(0.5, 1.0)


def _due(connection: sqlite3.Connection, partner: str, now: float) -> list[_Parcel]:
    rows = connection.execute(
        "SELECT id, webhook_id, body, CASE WHEN fault_left > 0 THEN fault END, attempts, copies_left FROM notice"
        " WHERE partner = ? AND delivered_at IS NULL AND next_at <= ? ORDER BY next_at, id LIMIT ?",
        (partner, now, _AT_ONCE),
    )
    return [_Parcel(*row) for row in rows]


def _record(connection: sqlite3.Connection, parcel: _Parcel, answer: str, now: float, again_in: float) -> None:
    taken = answer.startswith("2")
    change: dict[str, Any] = {"next_at": now if taken else now + again_in, "delivered_at": None, "copies_less": 0}
    if taken and parcel.fault is None:
        # A copy goes out under the same id: the platform must take it for what it is.
        change["copies_less"] = int(parcel.copies_left > 0)
        change["delivered_at"] = None if parcel.copies_left > 0 else now
    connection.execute(
        "UPDATE notice SET attempts = attempts + 1, last_answer = :answer, next_at = :next_at, delivered_at = :delivered_at,"
        " copies_left = copies_left - :copies_less, fault_left = max(fault_left - :faulty, 0),"
        " spoilt_accepted = spoilt_accepted + :spoilt_accepted WHERE id = :number",
        {
            **change,
            "answer": answer,
            "number": parcel.number,
            "faulty": int(parcel.fault is not None),
            "spoilt_accepted": int(taken and parcel.fault is not None),
        },
    )
