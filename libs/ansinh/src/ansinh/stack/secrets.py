"""Secrets of the embedded default: made once at random, kept in one folder only this user can read."""

from __future__ import annotations

import base64
import json
import os
import secrets
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from ansinh.stack.layout import SERVICES, Layout
from ansinh.stack.postgres import Passwords
from common.sealing import generate_key

__all__ = ["CONTRACTS", "PARTNERS", "Secrets", "make_keyrings", "webhook_secret"]

#: Who opens what is sealed in events: producer → consuming services it seals for. Each also opens what is sealed for itself.
_SEALS_FOR: Final = {
    "registry": ("identity-verify", "accounts", "disbursement"),
    "identity-verify": ("registry", "accounts", "disbursement"),
    "accounts": ("disbursement", "registry"),
    "disbursement": ("accounts",),
    "reporting": (),
}

#: Payment partners of the default month: what they are.
PARTNERS: Final = {
    "agribank": "BANK",
    "lpbank": "BANK",
    "namabank": "BANK",
    "viettelmoney": "MOBILE_MONEY",
    "vnptmoney": "MOBILE_MONEY",
    "momo": "WALLET",
    "vnpost": "POST",
}

#: Partners that speak a contract of their own (docs/partner/wallets.md); the others speak the default one.
CONTRACTS: Final = {"momo": "wallet_ipn", "viettelmoney": "mobile_money", "vnptmoney": "wallet_query"}

_READY_PASSWORD: Final = "ansinh-dev"  # noqa: S105 - the development issuer's ready users; it refuses to start in production


class Secrets:
    """Reads what is there, makes what is missing, never changes a secret that exists."""

    def __init__(self, layout: Layout, units: tuple[str, str, str] = ("60", "60/593", "60/593/22924")) -> None:
        """`units`: paths of the province, a district and a commune that the ready users work for.

        `ANSINH_PARTNER_CONTRACTS=default` in the environment makes new partners all speak the default contract (the bench's loads do).
        """
        self._layout = layout
        self._contracts = {} if os.environ.get("ANSINH_PARTNER_CONTRACTS") == "default" else CONTRACTS
        self._units = units

    def _read(self, name: str) -> dict[str, Any]:
        path = self._layout.secrets / name
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        return found

    def _write(self, name: str, content: dict[str, Any]) -> Path:
        path = self._layout.secrets / name
        partial = path.with_suffix(".new")
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
            json.dump(content, handle, indent=2, ensure_ascii=False)
        partial.replace(path)
        return path

    def passwords(self) -> Passwords:
        """The database's passwords."""
        if found := self._read("postgres.json"):
            return Passwords(**found)
        made = Passwords.generate()
        self._write("postgres.json", asdict(made))
        return made

    def keyrings(self) -> dict[str, Path]:
        """One keyring file per service, with the keys it needs and no others; name → file."""
        paths = {service.name: self._layout.secrets / f"keys-{service.name}.json" for service in SERVICES}
        if all(path.exists() for path in paths.values()):
            return paths
        if any(path.exists() for path in paths.values()):
            missing = [path.name for path in paths.values() if not path.exists()]
            raise FileNotFoundError(
                f"keyrings are incomplete in {self._layout.secrets} ({', '.join(missing)}): restore them from the backup"
            )
        for name, keys in make_keyrings().items():
            self._write(f"keys-{name}.json", keys)
        return paths

    def population(self) -> tuple[Path, str]:
        """The population simulator's file, and the token it asks for."""
        token = self._read("population.json").get("token") or secrets.token_urlsafe(32)
        sim = self._layout.home / "sim"
        content = {
            "port": self._layout.base + 11,
            "world": str(self._layout.world),
            "state": str(sim / "population-books.sqlite"),
            "token": token,
        }
        return self._write("population.json", content), token

    def partners(self) -> Path:
        """The partners' file: read by the partner simulator, by disbursement (both secrets) and by accounts (addresses)."""
        known = self._read("partners.json").get("partners", {})
        partners: dict[str, Any] = {}
        for name, kind in PARTNERS.items():
            old = known.get(name, {})
            partners[name] = {
                "kind": kind,
                "url": f"{self._layout.url('partner')}/{name}",
                "outbound_secret": old.get("outbound_secret") or webhook_secret(),
                "inbound_secrets": old.get("inbound_secrets") or [webhook_secret()],
                "instant": True,
            }
            # A row that exists keeps its contract: payments may be under way in it.
            if channel := old.get("channel") if old else self._contracts.get(name):
                partners[name] |= {"channel": channel, "merchant": "ansinh"}
        content = {
            "host": "127.0.0.1",
            "port": self._layout.base + 12,
            "world": str(self._layout.world),
            "books": str(self._layout.home / "sim" / "partner-books.sqlite"),
            "callback_url": self._layout.url("disbursement"),
            "partners": partners,
            "sms_token": self._read("partners.json").get("sms_token") or secrets.token_urlsafe(32),
        }
        return self._write("partners.json", content)

    def sms(self) -> tuple[str, str]:
        """Address and token of the SMS gateway, which lives in the partner simulator's process."""
        if "sms_token" not in self._read("partners.json"):
            self.partners()
        return f"{self._layout.url('partner')}/sms", str(self._read("partners.json")["sms_token"])

    def issuer(self) -> Path:
        """The development issuer's file: ready users and systems with their roles and units."""
        province, district, commune = self._units
        known = self._read("issuer.json")
        users = {
            name: {
                "password": known.get("users", {}).get(name, {}).get("password", _READY_PASSWORD),
                "name": shown,
                "roles": roles,
                # Kept when somebody has changed them: after a reform of the units the ready users work for other paths.
                "units": known.get("users", {}).get(name, {}).get("units") or [unit],
            }
            for name, shown, roles, unit in (
                ("commune.officer", "Cán bộ xã", ["COMMUNE_OFFICER"], commune),
                ("district.officer", "Cán bộ huyện", ["DISTRICT_OFFICER"], district),
                ("department.officer", "Cán bộ Sở (lập danh sách)", ["DEPARTMENT_OFFICER"], province),
                ("department.officer2", "Cán bộ Sở (người thứ hai)", ["DEPARTMENT_OFFICER"], province),
                ("approver", "Người phê duyệt", ["APPROVER"], province),
                ("approver2", "Người phê duyệt thứ hai", ["APPROVER"], province),
                ("auditor", "Kiểm toán nội bộ", ["AUDITOR"], province),
                ("inspector", "Thanh tra viên", ["AUDITOR"], province),
                ("commune.police", "Công an xã", ["COMMUNE_POLICE"], commune),
                ("operator", "Vận hành hệ thống", ["OPERATOR"], province),
            )
        }
        clients: dict[str, Any] = {}
        systems: list[tuple[str, dict[str, Any]]] = [
            ("integrator", {"name": "Hệ thống tích hợp", "roles": ["INTEGRATOR"], "units": [province]})
        ]
        systems += [(f"partner-{name}", {"name": name, "roles": ["PARTNER"], "units": [], "partner": name}) for name in PARTNERS]
        for name, subject in systems:
            before = known.get("clients", {}).get(name, {})
            clients[name] = {"secret": before.get("secret") or secrets.token_urlsafe(24), **subject}
            clients[name]["units"] = before.get("units") or subject["units"]
        content = {
            "host": "127.0.0.1",
            "port": self._layout.base + 13,
            "issuer": self._layout.url("issuer"),
            "audience": "ansinh",
            "keys_file": str(self._layout.secrets / "issuer-key.pem"),
            "cors_origins": [self._layout.url("reporting")],
            "ready_password": _READY_PASSWORD,
            "users": users,
            "clients": clients,
            "public_clients": {"console": {"redirect_uris": [f"{self._layout.url('reporting')}/console/signed-in"]}},
        }
        return self._write("issuer.json", content)


def webhook_secret() -> str:
    """A Standard Webhooks secret: 32 random bytes."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def make_keyrings() -> dict[str, dict[str, Any]]:
    """New keyrings by service: own keys, the event keys of those it seals for, and its own event key to open with."""
    event = {service.name: generate_key() for service in SERVICES}
    return {
        name: {
            "at_rest": {"k1": generate_key()},
            "blind": generate_key(),
            "fingerprint": generate_key(),
            "event": {consumer: {"k1": event[consumer]} for consumer in (*consumers, name)},
        }
        for name, consumers in _SEALS_FOR.items()
    }
