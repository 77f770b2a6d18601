"""What a production process refuses to start with: secrets that are missing, well known or short, and addresses nobody means."""

from __future__ import annotations

import base64
import ipaddress
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic import SecretStr

from common.settings import MechanismSettings

__all__ = ["forbidden_address", "forbidden_host", "refusals"]

_SHORTEST: Final = 16
_DISTINCT: Final = 12  # of 32 random bytes fewer than this differ in none of 10^15
_KNOWN: Final = ("password", "postgres", "secret", "changeme", "ansinh-dev", "ansinh", "admin", "test", "123456", "matkhau")
_METADATA: Final = frozenset({"metadata.google.internal", "metadata", "instance-data"})


def _weak(text: str) -> str | None:
    if len(text) < _SHORTEST:
        return f"is shorter than {_SHORTEST} characters"
    if len(set(text)) < _DISTINCT // 2 or any(text.lower().replace(word, "") == "" for word in _KNOWN):
        return "is a well-known or repeated text"
    return None


def forbidden_address(url: str) -> str | None:
    """Why an address may not be called in production: no http(s), this machine itself, link-local (where clouds keep credentials)."""
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".").lower()
    if parts.scheme not in ("http", "https") or not host:
        return "is no http(s) address"
    if parts.username or parts.password:
        return "carries a password"
    if host in _METADATA or host == "localhost" or host.endswith(".localhost"):
        return "is this machine or its metadata service"
    return forbidden_host(host)


def forbidden_host(host: str) -> str | None:
    """The same of a number; None of a name, which is judged by what it leads to when it is called."""
    try:
        # `127.1` and `2130706433` are numbers to whoever connects, and names to `ipaddress`.
        address = ipaddress.ip_address(host.partition("%")[0]) if ":" in host else ipaddress.ip_address(socket.inet_aton(host))
    except (OSError, ValueError):
        return None
    mapped = getattr(address, "ipv4_mapped", None) or address
    if mapped.is_link_local or mapped.is_loopback or mapped.is_multicast or mapped.is_unspecified:
        return "is this machine, link-local or no host's address"
    return None


def _of_field(name: str, value: Any) -> Iterator[str]:
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    if not isinstance(text, str) or not text:
        return
    if name.endswith("database_url"):
        found = _weak(urlsplit(text).password or "")
        if found:
            yield f"{name}: the password {found}"
    elif name.endswith(("_token", "_secret", "_password")):
        found = _weak(text)
        if found:
            yield f"{name} {found}"
    elif name.endswith("_url") and not name.startswith(("oidc", "console")):
        found = forbidden_address(text)
        if found:
            yield f"{name} {found}"


def _missing(settings: MechanismSettings) -> Iterator[str]:
    """Whose tokens are believed must be said, and no outside system is called without a token."""
    for name in ("oidc_issuer", "oidc_jwks_url"):
        if name not in settings.model_fields_set:
            yield f"{name} is not given: the default is the development issuer's"
    if "oidc_jwks_url" in settings.model_fields_set and (found := forbidden_address(settings.oidc_jwks_url)):
        yield f"oidc_jwks_url {found}"
    for name in type(settings).model_fields:
        if name.endswith("_token") and getattr(settings, f"{name.removesuffix('_token')}_url", None):
            value = getattr(settings, name)
            if not (value.get_secret_value() if isinstance(value, SecretStr) else value):
                yield f"{name} is missing"


def _keys(content: Any, where: str) -> Iterator[str]:
    if isinstance(content, dict):
        for name, inner in content.items():
            yield from _keys(inner, f"{where}.{name}")
    elif isinstance(content, str) and len(set(base64.b64decode(content))) < _DISTINCT:
        yield f"{where} is no random key"


def _partners(path: Path) -> Iterator[str]:
    for name, partner in json.loads(path.read_text(encoding="utf-8")).get("partners", {}).items():
        if partner.get("url"):
            found = forbidden_address(partner["url"])
            if found:
                yield f"partners_file: {name}: url {found}"
        for secret in (partner.get("outbound_secret", ""), *partner.get("inbound_secrets", ())):
            if len(set(base64.b64decode(secret.removeprefix("whsec_")))) < _DISTINCT:
                yield f"partners_file: {name}: a secret is missing or no random one"
        if partner.get("outbound_secret") in partner.get("inbound_secrets", ()):
            yield f"partners_file: {name}: one secret for both directions"


def refusals(settings: MechanismSettings) -> list[str]:
    """Why these settings are refused, without their values; nothing outside of production."""
    if settings.environment != "production":
        return []
    # An address that nobody gave is a default for development, not used where production keeps to files.
    names = [name for name in type(settings).model_fields if not name.endswith("_url") or name in settings.model_fields_set]
    found = [line for name in names for line in _of_field(name, getattr(settings, name))]
    found += _missing(settings)
    if settings.keys_file.is_file():
        found += _keys(json.loads(settings.keys_file.read_text(encoding="utf-8")), "keys_file")
    partners = getattr(settings, "partners_file", None)
    if partners is not None and partners.is_file():
        found += _partners(partners)
    return found
