"""Standard Webhooks (v1, HMAC-SHA256): sign and verify over the raw bytes. There is no default verifier and no default secret."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

__all__ = ["TOLERANCE", "InvalidSignature", "Verified", "decode_secret", "sign", "verify"]

TOLERANCE: Final = timedelta(minutes=5)
_SHORTEST_SECRET: Final = 24
_PREFIX: Final = "whsec_"


class InvalidSignature(Exception):
    """The notice is not believed: header missing, stamp outside the window, or no signature that matches."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What a verified notice says of itself. `secret_index` tells which live secret matched (rotation)."""

    webhook_id: str
    timestamp: datetime
    secret_index: int


def decode_secret(secret: str) -> bytes:
    """`whsec_<base64>` → bytes. Raises ValueError when it is shorter than 24 bytes."""
    try:
        raw = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("a webhook secret must be base64") from error
    if len(raw) < _SHORTEST_SECRET:
        raise ValueError(f"a webhook secret must have at least {_SHORTEST_SECRET} bytes")
    return raw


def _signature(secret: str, webhook_id: str, timestamp: int, body: bytes) -> str:
    signed = f"{webhook_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(decode_secret(secret), signed, hashlib.sha256).digest()).decode()


def sign(secret: str, webhook_id: str, timestamp: datetime, body: bytes) -> dict[str, str]:
    """The three headers of a signed request."""
    stamp = int(timestamp.timestamp())
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(stamp),
        "webhook-signature": _signature(secret, webhook_id, stamp, body),
    }


def verify(secrets: Sequence[str], headers: Mapping[str, str], body: bytes, now: datetime) -> Verified:
    """Verify raw bytes against all live secrets. Raises :class:`InvalidSignature`."""
    if not secrets:
        raise InvalidSignature("no secret is configured")
    webhook_id = headers.get("webhook-id", "")
    stamp = headers.get("webhook-timestamp", "")
    signatures = headers.get("webhook-signature", "")
    if not webhook_id or len(webhook_id) > 200 or not stamp.isascii() or not stamp.isdigit() or len(stamp) > 12 or not signatures:
        raise InvalidSignature("webhook-id, webhook-timestamp or webhook-signature is missing or malformed")
    seconds = int(stamp)
    if abs(now.timestamp() - seconds) > TOLERANCE.total_seconds():
        raise InvalidSignature("the time stamp is outside the window")
    for index, secret in enumerate(secrets):
        expected = _signature(secret, webhook_id, seconds, body).encode()
        for signature in signatures.split(" ")[:20]:
            if hmac.compare_digest(expected, signature.encode()):
                return Verified(webhook_id, datetime.fromtimestamp(seconds, tz=now.tzinfo), index)
    raise InvalidSignature("no signature matches")
