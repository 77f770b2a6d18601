"""Keeping sensitive text sealed: at rest, in events, and as blind indexes.

AES-256-GCM throughout. A token says by which key it was sealed (`kid`) and to what it is bound, so that a ciphertext
copied to another event, field or purpose does not open. A service holds only the keys it needs: its own at-rest keys,
its blind-index key, the event key of each service it seals for, and its own event keys to open with.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import secrets
import time
from pathlib import Path
from typing import Any, Final, Self
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

__all__ = ["FOLLOW_SECONDS", "Keyring", "SealBroken", "generate_key", "lookup_key"]

FOLLOW_SECONDS: Final = 1.0
"""A running process seals with a new key at most this long after it was put into the file."""

_NONCE: Final = 12
_KEY: Final = 32


class SealBroken(Exception):
    """A sealed value does not open: wrong key, altered, or moved to another place."""


def generate_key() -> str:
    """A new random 256-bit key, base64."""
    return base64.b64encode(secrets.token_bytes(_KEY)).decode()


def _key(text: str) -> bytes:
    key = base64.b64decode(text)
    if len(key) != _KEY:
        raise ValueError(f"a key must have {_KEY} bytes, this one has {len(key)}")
    return key


def lookup_key(event_key: str) -> bytes:
    """The key of lookups that belongs to an event key (base64); the event key cannot be had from it."""
    return hmac.new(_key(event_key), b"lookup", hashlib.sha256).digest()


class Keyring:
    """The keys of one service. The newest key of a map (last in the file) seals; all of them open."""

    def __init__(self, service: str, keys: dict[str, Any]) -> None:
        """`keys`: {"at_rest": {kid: b64}, "blind": b64, "fingerprint": b64?, "event": {consumer: {kid: b64}}, "lookup": {kid: b64}?}."""
        self.service = service
        self._path: Path | None = None
        self._stamp = 0
        self._looked = 0.0
        self._set(keys)

    def _set(self, keys: dict[str, Any]) -> None:
        self._at_rest = {kid: AESGCM(_key(value)) for kid, value in keys["at_rest"].items()}
        self._blind = _key(keys["blind"])
        self._fingerprint = _key(keys["fingerprint"]) if keys.get("fingerprint") else self._blind
        self._event = {
            consumer: {kid: AESGCM(_key(value)) for kid, value in ring.items()} for consumer, ring in keys.get("event", {}).items()
        }
        self._lookup = {
            consumer: {kid: lookup_key(value) for kid, value in ring.items()} for consumer, ring in keys.get("event", {}).items()
        }
        kept = {kid: _key(value) for kid, value in keys.get("lookup", {}).items()}  # of event keys that were destroyed
        self._lookup[self.service] = kept | self._lookup.get(self.service, {})

    @classmethod
    def load(cls, path: Path, service: str) -> Self:
        """Read the keyring file of a service. Later changes of the file are followed while the process runs."""
        stamp = path.stat().st_mtime_ns
        ring = cls(service, json.loads(path.read_text(encoding="utf-8")))
        ring._path, ring._stamp, ring._looked = path, stamp, time.monotonic()
        return ring

    def _follow(self, *, at_once: bool = False) -> bool:
        """Read the file again when it has changed; looked at once a second at most, or at once. True when keys were read."""
        if self._path is None or (not at_once and time.monotonic() - self._looked < FOLLOW_SECONDS):
            return False
        self._looked = time.monotonic()
        stamp = self._path.stat().st_mtime_ns
        if stamp == self._stamp:
            return False
        self._set(json.loads(self._path.read_text(encoding="utf-8")))
        self._stamp = stamp
        return True

    @property
    def at_rest_ids(self) -> list[str]:
        """Ids of the keys that open what lies in this service's tables; the last one seals."""
        self._follow(at_once=True)
        return list(self._at_rest)

    @property
    def event_ids(self) -> list[str]:
        """Ids of the keys that open what was sealed for this service in events; the last one seals."""
        self._follow(at_once=True)
        return list(self._event.get(self.service, {}))

    @property
    def key_ids(self) -> list[str]:
        """Every key in the file by which something can be opened: `at_rest/<id>` and `event/<consumer>/<id>`."""
        self._follow(at_once=True)
        return [f"at_rest/{kid}" for kid in self._at_rest] + [
            f"event/{consumer}/{kid}" for consumer, ring in self._event.items() for kid in ring
        ]

    def seal(self, consumer: str, event_id: UUID, field: str, plaintext: str) -> str:
        """A token only `consumer` can open, bound to this event and field."""
        self._follow()
        kid, cipher = next(reversed(self._event[consumer].items()))
        binding = f"{consumer}:{event_id}:{field}"
        nonce = os.urandom(_NONCE)
        sealed = nonce + cipher.encrypt(nonce, plaintext.encode(), binding.encode())
        return f"v1:{kid}:{event_id}:{field}:{base64.b64encode(sealed).decode()}"

    def open(self, token: str) -> str:
        """Open a token sealed for this service. Raises :class:`SealBroken`."""
        try:
            version, kid, event_id, field, data = token.split(":", 4)
            if version != "v1":
                raise SealBroken(f"unknown token version {version}")
            raw = base64.b64decode(data)
            if kid not in self._event[self.service]:
                self._follow(at_once=True)
            cipher = self._event[self.service][kid]
            return bytes(cipher.decrypt(raw[:_NONCE], raw[_NONCE:], f"{self.service}:{event_id}:{field}".encode())).decode()
        except (ValueError, KeyError, InvalidTag) as error:
            raise SealBroken("the sealed value does not open") from error

    def renew(self, token: str) -> str:
        """The same token under the newest event key of this service. Raises :class:`SealBroken`."""
        plaintext = self.open(token)
        _version, _kid, event_id, field, _data = token.split(":", 4)
        return self.seal(self.service, UUID(event_id), field, plaintext)

    def encrypt(self, field: str, plaintext: str | bytes) -> bytes:
        """Encrypt for this service's own tables; bound to the field's name."""
        self._follow()
        kid, cipher = next(reversed(self._at_rest.items()))
        data = plaintext.encode() if isinstance(plaintext, str) else plaintext
        nonce = os.urandom(_NONCE)
        head = kid.encode()
        return bytes([len(head), *head, *nonce]) + bytes(cipher.encrypt(nonce, data, f"{self.service}:{field}".encode()))

    def decrypt_bytes(self, field: str, ciphertext: bytes) -> bytes:
        """Decrypt what :meth:`encrypt` wrote. Raises :class:`SealBroken`."""
        try:
            raw = bytes(ciphertext)
            end = 1 + raw[0]
            kid = raw[1:end].decode()
            if kid not in self._at_rest:
                self._follow(at_once=True)
            cipher = self._at_rest[kid]
            return bytes(cipher.decrypt(raw[end : end + _NONCE], raw[end + _NONCE :], f"{self.service}:{field}".encode()))
        except (IndexError, KeyError, UnicodeDecodeError, InvalidTag) as error:
            raise SealBroken(f"{field} does not open") from error

    def decrypt(self, field: str, ciphertext: bytes) -> str:
        """Decrypt text written by :meth:`encrypt`."""
        return self.decrypt_bytes(field, ciphertext).decode()

    def blind(self, field: str, plaintext: str) -> bytes:
        """Keyed blind index (HMAC-SHA256): equal text gives equal bytes, and nothing else can be learned without the key."""
        return hmac.new(self._blind, f"{field}\x1f{plaintext}".encode(), hashlib.sha256).digest()

    def lookup(self, consumer: str, field: str, plaintext: str) -> str:
        """A keyed index by which `consumer` finds a value it was never told; its key is derived from that consumer's event key."""
        self._follow()
        kid, key = next(reversed(self._lookup[consumer].items()))
        return f"{kid}:{_index(key, consumer, field, plaintext)}"

    def lookups(self, field: str, plaintext: str) -> list[str]:
        """What :meth:`lookup` made for this service, under each key that may still stand in our copies (also of a destroyed event key)."""
        self._follow()
        return [f"{kid}:{_index(key, self.service, field, plaintext)}" for kid, key in self._lookup.get(self.service, {}).items()]

    def fingerprint(self, *parts: str | None) -> str:
        """Keyed hash of several values, hex, to notice a change without storing what changed."""
        text = "\x1f".join(part or "" for part in parts)
        return hmac.new(self._fingerprint, text.encode(), hashlib.sha256).hexdigest()[:32]


def _index(key: bytes, consumer: str, field: str, plaintext: str) -> str:
    return hmac.new(key, f"{consumer}:{field}\x1f{plaintext}".encode(), hashlib.sha256).hexdigest()
