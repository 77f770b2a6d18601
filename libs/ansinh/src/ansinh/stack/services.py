"""The processes of the product as children: which command, which settings, which answer means ready."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx

from ansinh.bootstrap import ROOT
from ansinh.stack.layout import SERVICES, Layout, Service
from ansinh.stack.postgres import Postgres
from ansinh.stack.process import Spec
from ansinh.stack.secrets import Secrets

__all__ = ["answers", "base_environment", "migrations", "outside", "service_environment", "services"]

_PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR", "SSL_CERT_FILE", "ANSINH_FAILPOINTS")
_API_POOL, _WORKER_POOL = 8, 10


def answers(url: str) -> Callable[[], Awaitable[bool]]:
    """Whether an address answers 200: what ready means for most processes."""

    async def ready() -> bool:
        try:
            async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
                return (await client.get(url)).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    return ready


def _python(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-P", *arguments)


def base_environment() -> dict[str, str]:
    """What every process of the stack gets from this terminal, and what keeps it plain."""
    env = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return env | {"PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1", "ANSINH_ENVIRONMENT": "development", "MALLOC_ARENA_MAX": "2"}


def service_environment(
    layout: Layout, postgres: Postgres, secrets: Secrets, service: Service, *, idempotence: bool = False
) -> dict[str, str]:
    """The settings of one service on the embedded default, as its environment. What the terminal sets under the same name wins.

    `idempotence`: whether the broker takes idempotent producers; the embedded one does not.
    """
    values = {
        "ENVIRONMENT": "development",
        "DATABASE_URL": postgres.url(service),
        "OWNER_DATABASE_URL": postgres.url(service, owner=True),
        "KAFKA_BOOTSTRAP": layout.kafka,
        "KAFKA_IDEMPOTENCE": json.dumps(idempotence),
        "KAFKA_SESSION_TIMEOUT_MS": "6000",
        "KAFKA_HEARTBEAT_MS": "1000",
        "OIDC_ISSUER": layout.url("issuer"),
        "OIDC_JWKS_URL": f"{layout.url('issuer')}/jwks.json",
        "KEYS_FILE": str(secrets.keyrings()[service.name]),
        "HTTP_PORT": str(layout.api_port(service)),
        "WORKER_PORT": str(layout.worker_port(service)),
        "CORS_ORIGINS": json.dumps([layout.url("reporting")]),
    }
    if service.name == "identity-verify":
        values |= {"POPULATION_URL": layout.url("population"), "POPULATION_TOKEN": secrets.population()[1]}
    if service.name in ("accounts", "disbursement"):
        values["PARTNERS_FILE"] = str(secrets.partners())
    if service.name == "disbursement":
        values["SMS_URL"], values["SMS_TOKEN"] = secrets.sms()
    if service.name == "reporting":
        values["CONSOLE_SERVICES"] = json.dumps({each.name: layout.url(each.name) for each in SERVICES})
        values["CONSOLE_DOCS_FOLDER"] = str(ROOT / "docs")
        values["CONSOLE_TRAINING"] = json.dumps(layout.training.exists())
    env = {service.prefix + key: value for key, value in values.items()}
    return base_environment() | env | {key: value for key, value in os.environ.items() if key.startswith(service.prefix)}


def migrations(layout: Layout, postgres: Postgres, secrets: Secrets) -> list[tuple[str, tuple[str, ...], dict[str, str]]]:
    """Name, command and environment of each service's migration, to be run to their end before anything of the service."""
    return [
        (
            f"{service.name}-migrate",
            _python("-m", f"{service.package}.main", "migrate"),
            service_environment(layout, postgres, secrets, service),
        )
        for service in SERVICES
    ]


def services(layout: Layout, postgres: Postgres, secrets: Secrets, *, idempotence: bool = False) -> list[Spec]:
    """API and worker of each service: two processes, the worker at lower priority."""
    specs = []
    for service in SERVICES:
        env = service_environment(layout, postgres, secrets, service, idempotence=idempotence)
        for kind, port, path, pool in (
            ("api", layout.api_port(service), "/health/ready", _API_POOL),
            ("worker", layout.worker_port(service), "/health/live", _WORKER_POOL),
        ):
            specs.append(
                Spec(
                    name=f"{service.name}-{kind}",
                    command=_python("-m", f"{service.package}.main", kind),
                    ready=answers(f"http://127.0.0.1:{port}{path}"),
                    env={f"{service.prefix}DATABASE_POOL_SIZE": str(pool), **env},
                    ports=(port,),
                    group=kind,
                )
            )
    return specs


def outside(layout: Layout, secrets: Secrets) -> list[Spec]:
    """What stands for the world outside: population database, partners, token issuer."""
    specs = []
    for name, config in (("issuer", secrets.issuer()), ("population", secrets.population()[0]), ("partner", secrets.partners())):
        url = layout.url(name)
        specs.append(
            Spec(
                name=name,
                command=_python("-m", f"simulators.{name}", "--config", str(Path(config))),
                ready=answers(f"{url}/health/live"),
                env=base_environment(),
                ports=(int(url.rpartition(":")[2]),),
                group="outside",
                stop_seconds=10,
            )
        )
    return specs
