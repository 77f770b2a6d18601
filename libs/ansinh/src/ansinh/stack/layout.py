"""Where the embedded default keeps its things, and which ports it uses."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ansinh.bootstrap import ROOT

__all__ = ["SERVICES", "Layout", "Service"]


@dataclass(frozen=True)
class Service:
    """One of the five services: its name everywhere, and what follows from the name."""

    name: str
    number: int

    @property
    def package(self) -> str:
        """Import package, database and role prefix."""
        return self.name.replace("-", "_")

    @property
    def prefix(self) -> str:
        """Prefix of its environment settings."""
        return f"{self.package.upper()}_"


SERVICES: Final = (
    Service("registry", 1),
    Service("identity-verify", 2),
    Service("accounts", 3),
    Service("disbursement", 4),
    Service("reporting", 5),
)


@dataclass(frozen=True)
class Layout:
    """Folders under one home, and ports from one base (`ANSINH_HOME`, `ANSINH_PORT_BASE`)."""

    home: Path
    base: int

    @classmethod
    def from_environment(cls) -> Layout:
        """The layout this terminal means."""
        home = Path(os.environ.get("ANSINH_HOME") or ROOT / ".ansinh").absolute()
        base = os.environ.get("ANSINH_PORT_BASE") or "18000"
        if not (base.isascii() and base.isdigit() and 1024 <= int(base) <= 65000):
            raise ValueError(f"ANSINH_PORT_BASE must be a number from 1024 to 65000, not {base!r}: ports are used from there on")
        return cls(home, int(base))

    def prepare(self) -> None:
        """Make the folders. Secrets are for this user's eyes; the home itself must let the database's own user pass through."""
        self.home.mkdir(parents=True, exist_ok=True)
        for name in ("logs", "run", "sample", "sim"):
            (self.home / name).mkdir(exist_ok=True)
        (self.home / "secrets").mkdir(exist_ok=True, mode=0o700)

    @property
    def logs(self) -> Path:
        """One log file per process."""
        return self.home / "logs"

    @property
    def run(self) -> Path:
        """Lock, state and marker of the supervisor."""
        return self.home / "run"

    @property
    def secrets(self) -> Path:
        """Passwords, keyrings, the issuer's users, the partners' secrets."""
        return self.home / "secrets"

    @property
    def world(self) -> Path:
        """The outside world as the simulators know it."""
        return self.home / "sim" / "world.sqlite"

    @property
    def training(self) -> Path:
        """Lies here when everything in this home is sample data: the pages then say so."""
        return self.home / "training"

    @property
    def postgres_port(self) -> int:
        """PostgreSQL."""
        return self.base + 432

    @property
    def kafka_port(self) -> int:
        """The Kafka-protocol broker."""
        return self.base + 92

    @property
    def kafka(self) -> str:
        """Bootstrap address of the broker."""
        return f"127.0.0.1:{self.kafka_port}"

    def api_port(self, service: Service) -> int:
        """HTTP port of a service."""
        return self.base + service.number

    def worker_port(self, service: Service) -> int:
        """Health and metrics port of a service's worker."""
        return self.base + 100 + service.number

    def url(self, name: str) -> str:
        """Address of a service, or of population, partner or issuer."""
        outside = {"population": 11, "partner": 12, "issuer": 13}
        number = outside.get(name) or next(service.number for service in SERVICES if service.name == name)
        return f"http://127.0.0.1:{self.base + number}"
