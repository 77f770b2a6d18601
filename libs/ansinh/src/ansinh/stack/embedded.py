"""The whole embedded default: what starts after what, what a dead broker means, and how it all ends."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from ansinh.stack import broker, services
from ansinh.stack.control import Lock, holder, write_state
from ansinh.stack.drain import drain, replay
from ansinh.stack.layout import SERVICES, Layout
from ansinh.stack.postgres import Postgres
from ansinh.stack.process import PortBusy, ProcessFailed, Spec, port_is_free
from ansinh.stack.secrets import Secrets
from ansinh.stack.supervisor import Stage, Supervisor
from common.topic_admin import create_topics

__all__ = ["AlreadyRunning", "Embedded"]

_DRAIN_SECONDS = 60.0
#: A worker whose broker is gone waits for it until its requests time out. What has no need of the broker ends within this time,
#: and the rest is safe to cut short: it is the same as a crash.
_PAUSE_SECONDS = 4.0
#: The end of a killed process is told to its parent within this time of its connections breaking.
_END_SEEN_SECONDS = 1.0


class AlreadyRunning(Exception):
    """Another supervisor holds this home."""


class Embedded:
    """PostgreSQL, broker, simulators and services of one home."""

    def __init__(
        self, layout: Layout, say: Callable[[str], None], units: tuple[str, str, str] | None = None, *, apache_kafka: bool = False
    ) -> None:
        """`units`: province, district and commune of the ready users. `apache_kafka`: instead of the embedded broker."""
        layout.prepare()
        #: Whether a restarted broker has everything it had: then its death concerns nobody else.
        self.broker_keeps_its_log = apache_kafka
        self.layout = layout
        self._say = say
        self._lock = Lock(layout)
        self.secrets = Secrets(layout, units) if units else Secrets(layout)
        self.postgres = Postgres(layout, self.secrets.passwords())
        on_death: dict[str, Callable[[], Awaitable[None]]] = {} if self.broker_keeps_its_log else {"broker": self._broker_died}
        self.supervisor = Supervisor(layout.logs, say, self._write_state, on_death)
        self._log_keeper: asyncio.Task[None] | None = None
        self._status = "STARTING"
        self._databases_exist = False
        self._broker_since = datetime.now(UTC)

    @property
    def dsns(self) -> dict[str, str]:
        """Owner's address of each service's database (libpq form), by service name."""
        return {service.name: self.postgres.owner_dsn(service) for service in SERVICES}

    async def up(self) -> None:
        """Start everything, in order. Raises :class:`AlreadyRunning`, PortBusy or :class:`ProcessFailed`; then nothing is left running."""
        if not self._lock.take():
            raise AlreadyRunning(f"already running here (process {holder(self.layout)}); ./ansinh down stops it")
        started = time.monotonic()
        unclean: datetime | None = None
        try:
            unclean = self._mark_started()
            if unclean:
                self._say("the last run did not end cleanly: events not known to have arrived will be published again")
                await self._ports_to_be_free()
            if note := await asyncio.to_thread(self.postgres.prepare):
                self._say(note)
            await self.supervisor.start(self._stages(replay_since=unclean))
        except BaseException as error:
            if isinstance(error, PortBusy) and not unclean:  # nothing ran: there is nothing to publish again
                (self.layout.run / "undrained").unlink(missing_ok=True)
            self._status = "FAILED"
            self._write_state()
            self._lock.release()
            raise
        self._log_keeper = asyncio.create_task(self.supervisor.keep_logs_short())
        self._status = "READY"
        self._write_state()
        self._say(f"everything is ready in {time.monotonic() - started:.0f} s")

    def _broker_spec(self) -> Spec:
        if self.broker_keeps_its_log:
            return broker.apache_kafka_spec(self.layout, services.base_environment())
        return broker.spec(self.layout)

    def _stages(self, replay_since: datetime | None) -> list[Stage]:
        outside = services.outside(self.layout, self.secrets)
        ours = services.services(self.layout, self.postgres, self.secrets, idempotence=self.broker_keeps_its_log)

        async def before_services() -> None:
            await create_topics(self.layout.kafka)
            await self._migrate()
            if replay_since:
                await self._replay(replay_since)

        return [
            Stage("database and broker", [self.postgres.spec(), self._broker_spec()], self.postgres.create_databases),
            Stage("world outside (issuer, population database, partners)", outside, before_services),
            Stage("services", ours),
        ]

    async def _migrate(self) -> None:
        started = time.monotonic()

        async def one(name: str, command: tuple[str, ...], env: dict[str, str]) -> None:
            process = await asyncio.create_subprocess_exec(
                *command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
            output, _ = await process.communicate()
            (self.layout.logs / f"{name}.log").write_bytes(output)
            if process.returncode:
                last = "\n".join(f"    {line}" for line in output.decode(errors="replace").splitlines()[-12:])
                raise ProcessFailed(f"{name} failed ({process.returncode})\n{last}")

        async with asyncio.TaskGroup() as group:
            for name, command, env in services.migrations(self.layout, self.postgres, self.secrets):
                group.create_task(one(name, command, env))
        self._databases_exist = True
        self._say(f"databases are at their newest schema in {time.monotonic() - started:.1f} s")

    async def _replay(self, since: datetime | None) -> None:
        marked = await asyncio.to_thread(replay, self.dsns, since)
        told = ", ".join(f"{name} {count}" for name, count in marked.items() if count) or "none"
        self._say(f"events to publish again: {told}")

    async def _broker_died(self) -> None:
        """Its log is gone: workers stop, the broker starts with its topics, the window is published again, workers start."""
        workers = [name for name, child in self.supervisor.children.items() if child.spec.group == "worker"]
        self._say("the broker lost its log; workers wait while it is started and refilled from the outboxes")
        await self.supervisor.pause(workers, _PAUSE_SECONDS)
        broker_again = self.supervisor.children["broker"]
        await broker_again.start()
        refilled, ended = asyncio.create_task(self._refill(workers)), asyncio.create_task(broker_again.wait())
        try:
            await asyncio.wait((refilled, ended), return_when=asyncio.FIRST_COMPLETED)
            error = refilled.exception() if refilled.done() else None
            if error:
                # Whatever hinders it (the database away, say), it is tried again like any failed start. A broker that dies
                # breaks its connections a moment before its end is seen: that end is the reason, not the broken connection.
                await asyncio.wait((ended,), timeout=_END_SEEN_SECONDS)
                if not ended.done():
                    raise ProcessFailed(f"it could not be refilled: {error}") from error
            if error or not refilled.done():
                raise ProcessFailed("it ended again while it was refilled") from error
        finally:
            for task in (refilled, ended):
                task.cancel()
            await asyncio.gather(refilled, ended, return_exceptions=True)

    async def _refill(self, workers: list[str]) -> None:
        await create_topics(self.layout.kafka)
        await self._replay(self._broker_since)
        await self.supervisor.resume(workers)

    def _mark_started(self) -> datetime | None:
        """Leave a mark that only a drained stop removes; the time of an older mark, if one is there (events since then may be lost)."""
        mark = self.layout.run / "undrained"
        if mark.exists():
            self._broker_since = datetime.fromisoformat(mark.read_text(encoding="ascii").strip())
            return self._broker_since
        mark.write_text(self._broker_since.isoformat(), encoding="ascii")
        return None

    async def _ports_to_be_free(self, seconds: float = 15.0) -> None:
        """After a killed supervisor its children are on their way out; give them the time."""
        outside = [self.layout.base + number for number in (11, 12, 13)]
        ours = [port for service in SERVICES for port in (self.layout.api_port(service), self.layout.worker_port(service))]
        brokers = [self.layout.kafka_port, *([self.layout.kafka_port + 1] if self.broker_keeps_its_log else [])]
        ports = [self.layout.postgres_port, *brokers, *outside, *ours]
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not all(port_is_free(port) for port in ports):
            await asyncio.sleep(0.2)

    async def down(self, *, drain_first: bool = True) -> bool:
        """Drain (bounded), then stop everything in reverse order; whether it was drained."""
        self._status = "STOPPING"
        self._write_state()
        drained = False
        if self._log_keeper:
            self._log_keeper.cancel()
        try:
            if drain_first and self._databases_exist:
                drained = await drain(self.dsns, self._say, _DRAIN_SECONDS)
        except Exception as error:  # noqa: BLE001 - whatever hinders the drain must not hinder the stop
            self._say(f"not drained: {error}")
        finally:
            await self.supervisor.stop()
            if drained:
                (self.layout.run / "undrained").unlink(missing_ok=True)
            self._status = "STOPPED"
            self._write_state()
            self._lock.release()
            self._say("stopped" if drained or not drain_first else "stopped; not drained, the next start publishes the open events again")
        return drained

    def _write_state(self) -> None:
        write_state(
            self.layout,
            {
                "status": self._status,
                "processes": [
                    {"name": name, "state": child.state, "pid": child.pid, "restarts": child.restarts, "ports": list(child.spec.ports)}
                    for name, child in self.supervisor.children.items()
                ],
            },
        )
