"""Putting notices where the couriers find them, in the transaction that makes them true."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any

from simulators.partner.config import SimulatorConfig
from simulators.partner.notices import Notice

__all__ = ["store_notices"]


def store_notices(connection: sqlite3.Connection, config: SimulatorConfig, notices: Iterable[Notice], now: float) -> None:
    """Store notices to be delivered; those of a partner whose files people carry lie there for people to take."""
    rows: list[tuple[Any, ...]] = [
        (
            item.webhook_id,
            item.partner,
            item.results,
            item.body,
            item.fault,
            item.fault_left,
            item.copies_left,
            now,
            item.next_at,
            now if config.partners[item.partner].delivery == "MANUAL" else None,
        )
        for item in notices
    ]
    connection.executemany(
        "INSERT INTO notice(webhook_id, partner, results, body, fault, fault_left, copies_left, created_at, next_at, delivered_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        rows,
    )
