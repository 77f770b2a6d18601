"""One cycle of a loaded province, stage by stage: list, sending, results. Figures are read from the database's own clock."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg

from ansinh.bench.province import Load, accounts, load, open_accounts
from ansinh.bench.stages import Figure
from ansinh.demo.client import Api, ApiProblem, wait_for
from ansinh.demo_command import DemoStack

__all__ = ["Cycle", "CycleFailed"]

_MONTH: Final = "2024-09"
_DAY: Final = "2024-08-20"
_PROGRAMME: Final = "CAMPAIGN"
_STILL: Final = 300.0
_PAUSE: Final = 0.2
_LONG_PAUSE: Final = 2.0  # looks over every payment of a province; the figure itself comes from the database's clock
_CONFLICT: Final = 409
_WORKER: Final = ("disbursement-worker",)
_BOTH: Final = ("disbursement-api", "disbursement-worker")


class CycleFailed(RuntimeError):
    """A load did not end as it must; the text says what was found."""


@dataclass
class Cycle:
    """A funding source with its own people, so that loads do not meet each other."""

    stack: DemoStack
    api: Api
    dsn: str
    partners: Mapping[str, str]
    people: int
    source: str
    cycle_id: str = ""
    created_at: float = 0.0
    spent: dict[str, float] = field(default_factory=dict)

    @property
    def _users(self) -> tuple[str, str]:
        info = self.stack.info()
        return info.maker, info.checker

    async def _post(self, path: str, user: str, body: dict[str, Any] | None = None, *, later: bool = False) -> Any:
        return await self.api.post("disbursement", path, user, body, later=later)

    async def prepare(self) -> None:
        """People, their accounts in the partners' world, take-over, budget. Nothing of it is measured."""
        maker, checker = self._users
        await asyncio.to_thread(open_accounts, self.stack.layout, self.partners)
        tokens = accounts(self.stack.layout, self.partners)
        unit = self.stack.province
        wanted = Load(self.people, _MONTH, _DAY, _PROGRAMME, self.source, unit, self.source[-2:], tokens, self.partners)
        await asyncio.to_thread(load, self.dsn, wanted)
        base = {"unit_code": unit, "programme": _PROGRAMME, "business_date": _DAY}
        await wait_for("take-over of the province", lambda: self._take_over(base | {"first_month": _MONTH}), seconds=_STILL, pause=_PAUSE)
        budget = base | {"funding_source": self.source, "year": 2024, "amount": self.people * 10_000_000}
        proposed = await self._post("/v1/budgets", maker, budget)
        await self._post(f"/v1/rulings/{proposed['ruling_id']}/approve", checker)

    async def _take_over(self, body: dict[str, Any]) -> str | None:
        """Of the month's unit; None when it is done, also by the load before this one."""
        maker, checker = self._users
        try:
            made = await self._post("/v1/take-overs", maker, body)
        except ApiProblem as problem:
            if problem.kind == "unknown-unit":  # a fresh stack is still hearing of its units
                return "the unit is not known yet"
            if problem.status != _CONFLICT:
                raise
        else:
            await self._post(f"/v1/take-overs/{made['take_over_id']}/approve", checker)
        return None

    async def list(self) -> Figure:
        """From the request for a cut-off to payments: markers, computed, submitted by one person, approved by another."""
        maker, checker = self._users
        began = time.monotonic()
        body = {"month": _MONTH, "programme": _PROGRAMME, "funding_source": self.source, "unit_code": self.stack.province}
        self.cycle_id = (await self._post("/v1/cycles", maker, body | {"business_date": _DAY}))["cycle_id"]
        await wait_for("cut-off markers", self._markers, seconds=_STILL, pause=_PAUSE)
        await self._agree()
        self._lap("cut_off_seconds", began)
        path = f"/v1/cycles/{self.cycle_id}"
        await self._job((await self._post(f"{path}/compute", maker))["job_id"])
        view = await self.api.get("disbursement", path, maker)
        self._lap("compute_seconds", began)
        if view["lines"] != self.people:
            raise CycleFailed(f"{view['lines']} lines of {self.people} people, {view['held']} held")
        await self._post(f"{path}/submit", maker, {"list_hash": view["list_hash"]})
        self._lap("submit_seconds", began)
        await self._job((await self._post(f"{path}/approve", checker, {"list_hash": view["list_hash"]}, later=True))["job_id"])
        self._lap("approve_seconds", began)
        what = "lines: cut-off asked for → markers → computed → submitted → approved, payments made"
        return Figure(self.people, time.monotonic() - began, what, _BOTH, self.spent)

    def _lap(self, name: str, began: float) -> None:
        self.spent[name] = time.monotonic() - began - sum(self.spent.values())

    async def _markers(self) -> str | None:
        inputs = (await self.api.get("disbursement", f"/v1/cycles/{self.cycle_id}", self._users[0]))["inputs"]
        return None if inputs["arrived"] == inputs["expected"] else f"{inputs['arrived']} of {inputs['expected']}"

    async def _agree(self) -> None:
        """The registers know nobody of a load, so their counts are put to what our own copy counted as each marker came."""
        await asyncio.to_thread(
            self._execute,
            "UPDATE cut_off_marker SET their_counts = our_counts WHERE cut_off_id ="
            " (SELECT cut_off_id FROM payment_cycle WHERE cycle_id = %s)",
            self.cycle_id,
        )

    async def _job(self, job_id: str) -> None:
        async def probe() -> str | None:
            job = await self.api.get("disbursement", f"/v1/jobs/{job_id}", self._users[0])
            if job["state"] == "FAILED":
                raise CycleFailed(f"job {job_id}: {job.get('error')}")
            return None if job["state"] == "DONE" else f"{job['state']} {job['done']}"

        await wait_for("job", probe, seconds=900.0, pause=_PAUSE)

    async def accept(self) -> Figure:
        """Payments created (the approval's commit) → accepted by partners that answer at once; their results wait."""

        async def probe() -> str | None:
            row = await asyncio.to_thread(self._row, _OPEN_BATCHES, self.cycle_id)
            return None if row[0] == 0 else f"{row[0]} batches to send"

        await wait_for("sending", probe, seconds=_STILL, pause=_PAUSE)
        n, seconds, batches = await asyncio.to_thread(self._row, _ACCEPTED, self.cycle_id)
        if n != self.people:
            raise CycleFailed(f"{n} payments accepted of {self.people}")
        return Figure(n, float(seconds), "payments: created → accepted by instant partners", _WORKER, {"batches": float(batches)})

    async def results(self) -> Figure:
        """The partners settle and tell in notices of up to 1,000 results: from the first received to the last applied."""
        await self.hold(held=False)

        async def probe() -> str | None:
            row = await asyncio.to_thread(self._row, _OPEN_PAYMENTS, self.cycle_id)
            return None if row[0] == 0 else f"{row[0]} payments without a result"

        await wait_for("results", probe, seconds=_STILL, pause=_LONG_PAUSE)
        n, seconds = await asyncio.to_thread(self._row, _APPLIED, self.cycle_id)
        if n != self.people:
            raise CycleFailed(f"{n} payments settled or collected of {self.people}")
        return Figure(n, float(seconds), "results in signed notices of up to 1,000: received → applied, in ledger and outbox", _BOTH)

    async def hold(self, *, held: bool) -> None:
        """Let the partners' results wait, or come."""
        answer = await self.api.to_simulator("/control/hold", {"held": held})
        if answer["held"] is not held:
            raise CycleFailed("the partner simulator does not hold")

    def _execute(self, sql: str, *parameters: object) -> None:
        with psycopg.connect(self.dsn, connect_timeout=5) as connection:
            connection.execute(sql, parameters)

    def _row(self, sql: str, *parameters: object) -> Any:
        with psycopg.connect(self.dsn, connect_timeout=5) as connection:
            return connection.execute(sql, parameters).fetchone()


_OPEN_BATCHES: Final = "SELECT count(*) FROM payment_batch WHERE cycle_id = %s AND state IN ('READY', 'SENDING', 'RESEND', 'UNCERTAIN')"
_ACCEPTED: Final = """
SELECT (SELECT count(*) FROM payment p WHERE p.cycle_id = c.cycle_id
          AND p.status IN ('SUBMITTED', 'SETTLED', 'COLLECTED')),
       extract(epoch FROM (SELECT max(answered_at) FROM payment_batch b WHERE b.cycle_id = c.cycle_id) - j.finished_at),
       (SELECT count(*) FROM payment_batch b WHERE b.cycle_id = c.cycle_id)
FROM payment_cycle c JOIN job j ON j.kind = 'approve-list' AND j.detail ->> 'cycle_id' = CAST(c.cycle_id AS text)
WHERE c.cycle_id = %s
"""
_OPEN_PAYMENTS: Final = "SELECT count(*) FROM payment WHERE cycle_id = %s AND status IN ('APPROVED', 'SUBMITTING', 'SUBMITTED', 'UNKNOWN')"
_APPLIED: Final = """
SELECT (SELECT count(*) FROM payment WHERE cycle_id = c.cycle_id AND status IN ('SETTLED', 'COLLECTED')),
       coalesce(extract(epoch FROM max(n.applied_at) - min(n.received_at)), 0)
FROM payment_cycle c
JOIN LATERAL (SELECT max(answered_at) AS sent FROM payment_batch b WHERE b.cycle_id = c.cycle_id) b ON true
LEFT JOIN partner_notice n ON n.received_at >= b.sent AND n.state = 'APPLIED'
WHERE c.cycle_id = %s GROUP BY c.cycle_id
"""
