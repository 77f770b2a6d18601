"""A partner's own implementation of Standard Webhooks (HMAC-SHA256, `v1`), independent of the platform's.

Two implementations that agree on the published vectors prove more than one that agrees with itself.
Source: https://github.com/standard-webhooks/standard-webhooks (specification 1.0.0).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence

__all__ = ["TOLERANCE_SECONDS", "BadSignatureError", "key_of", "sign", "verify"]

TOLERANCE_SECONDS = 300
_PREFIX = "whsec_"


class BadSignatureError(Exception):
    """The message is not believed; the text says why and holds no secret."""


def key_of(secret: str) -> bytes:
    """Key bytes of a `whsec_<base64>` secret; ValueError unless it holds 24 to 64 bytes."""
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("webhook secret is not base64") from error
    if not 24 <= len(key) <= 64:
        raise ValueError(f"webhook secret must hold 24 to 64 bytes, not {len(key)}")
    return key


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """One `v1,<base64>` signature over `id.timestamp.body`; timestamp in whole seconds since 1970."""
    return "v1," + base64.b64encode(_digest(key_of(secret), message_id, timestamp, body)).decode()


def verify(secrets: Sequence[str], headers: Mapping[str, str], body: bytes, now: float) -> None:
    """Raise BadSignatureError unless one given signature fits one live secret and the stamp is within ±5 minutes of `now`."""
    if not secrets:
        raise BadSignatureError("no secret to verify with")
    message_id, stamp, given = (headers.get(f"webhook-{part}") for part in ("id", "timestamp", "signature"))
    if not message_id or not stamp or not given:
        raise BadSignatureError("webhook-id, webhook-timestamp and webhook-signature are required")
    if not (stamp.isascii() and stamp.isdigit()):
        raise BadSignatureError("webhook-timestamp is not a number of seconds")
    if abs(now - int(stamp)) > TOLERANCE_SECONDS:
        raise BadSignatureError("webhook-timestamp is more than five minutes away")
    expected = [_digest(key_of(secret), message_id, int(stamp), body) for secret in secrets]
    for token in given.split(" "):
        version, _, encoded = token.partition(",")
        if version != "v1":
            continue
        try:
            candidate = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            continue
        if any(hmac.compare_digest(candidate, wanted) for wanted in expected):
            return
    raise BadSignatureError("no signature fits")


def _digest(key: bytes, message_id: str, timestamp: int, body: bytes) -> bytes:
    return hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
