"""Identifiers: time-ordered random ones for new things, derived ones where the same input must give the same id."""

from __future__ import annotations

import os
import time
from typing import Final
from uuid import UUID, uuid5

__all__ = ["NAMESPACE", "new_id", "stable_id"]

NAMESPACE: Final = UUID("6f1a3f0e-5a54-5c0e-9a53-0c7a6a1d8b21")


def new_id() -> UUID:
    """A UUID version 7 (RFC 9562): 48 bits of Unix milliseconds, then random bits."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds << 80) | int.from_bytes(os.urandom(10), "big")
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return UUID(int=value)


def stable_id(*parts: object) -> UUID:
    """A UUID version 5 over the parts: the same parts always give the same id."""
    return uuid5(NAMESPACE, "\x1f".join(str(part) for part in parts))
