"""How a partner tells us: what makes its notice genuine, and what it waits to hear. The default is Standard Webhooks answered 202.

A partner with a contract of its own has a function `callback(partner)` in its channel's module; the route, the store and the worker
know nothing of contracts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, Protocol

import orjson

from common.webhooks import InvalidSignature, verify
from disbursement.channels.partners import Partner

__all__ = ["Acknowledgement", "Callback", "Genuine", "InvalidSignature", "StandardCallback", "json_acknowledgement"]

_JSON: Final = "application/json"


@dataclass(frozen=True, slots=True)
class Genuine:
    """What a genuine notice says of itself. `sent_at` is None where the contract stamps nothing.

    `same` are the bytes in which a repetition may not differ from the first sending: all but stamps and signatures.
    """

    notice_id: str
    sent_at: datetime | None
    secret_index: int
    same: bytes


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """The answer this partner waits for once its notice is durable; anything else makes it send again."""

    status: int
    body: bytes = b""
    media_type: str | None = None


class Callback(Protocol):
    """One partner's way of telling us. Implementations hold its live secrets and nothing else."""

    method: Literal["GET", "POST"]

    def verify(self, headers: Mapping[str, str], content: bytes, now: datetime) -> Genuine:
        """Check the raw bytes (of a GET: the query string). Raises InvalidSignature."""

    def acknowledge(self, *, duplicate: bool) -> Acknowledgement:
        """What to answer once it is stored; `duplicate`: this very notice was stored before."""


class StandardCallback:
    """Standard Webhooks (HMAC-SHA256, several live secrets, five minutes either way), answered 202."""

    method: Literal["GET", "POST"] = "POST"

    def __init__(self, partner: Partner) -> None:
        self._secrets = partner.inbound_secrets

    def verify(self, headers: Mapping[str, str], content: bytes, now: datetime) -> Genuine:
        """Signed over `id.timestamp.body`. Raises InvalidSignature."""
        verified = verify(self._secrets, headers, content, now)
        return Genuine(verified.webhook_id, verified.timestamp, verified.secret_index, content)

    def acknowledge(self, *, duplicate: bool) -> Acknowledgement:
        """202; a duplicate too."""
        return json_acknowledgement(202, {"stored": True, "duplicate": duplicate})


def json_acknowledgement(status: int, body: Mapping[str, object]) -> Acknowledgement:
    """A JSON answer."""
    return Acknowledgement(status, orjson.dumps(body), _JSON)
