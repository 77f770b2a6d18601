"""The signing key: made once, kept in a file only the owner can read, so tokens stay good over a restart."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

__all__ = ["SigningKey"]


@dataclass(frozen=True)
class SigningKey:
    """One RS256 key with its public half as a JWK."""

    private: rsa.RSAPrivateKey
    jwk: dict[str, str]

    @property
    def kid(self) -> str:
        """RFC 7638 thumbprint."""
        return self.jwk["kid"]

    @classmethod
    def load_or_create(cls, path: Path) -> SigningKey:
        """Read the PEM at `path`, or make it there (mode 0600). ValueError when the file holds no RSA key."""
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(path, rsa.generate_private_key(public_exponent=65537, key_size=2048))
        private = serialization.load_pem_private_key(path.read_bytes(), password=None)
        if not isinstance(private, rsa.RSAPrivateKey):
            raise ValueError(f"{path} holds no RSA key")
        return cls(private, _jwk(private.public_key()))


def _write(path: Path, key: rsa.RSAPrivateKey) -> None:
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    draft = path.with_suffix(f".{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
    draft.replace(path)


def _jwk(public: rsa.RSAPublicKey) -> dict[str, str]:
    numbers = public.public_numbers()
    members = {"e": _number(numbers.e), "kty": "RSA", "n": _number(numbers.n)}
    thumbprint = hashlib.sha256(json.dumps(members, sort_keys=True, separators=(",", ":")).encode()).digest()
    return {**members, "kid": _encode(thumbprint), "use": "sig", "alg": "RS256"}


def _number(value: int) -> str:
    return _encode(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
