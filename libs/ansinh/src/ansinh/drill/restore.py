"""A month in which the databases are put back to a moment while money is on its way; the months' own desk goes on as if nothing were."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import psycopg
from rich.console import Console

from ansinh.chaos import books
from ansinh.chaos.stack import TargetStack
from ansinh.demo.client import Api, ApiProblem, wait_for
from ansinh.demo.stack_info import StackInfo
from ansinh.drill.moments import AllFive, OneOnly

__all__ = ["PARTNERS", "Rehearsal"]

Say = Callable[[str], None]
PARTNERS: Final = ("agribank", "lpbank", "namabank", "viettelmoney", "vnptmoney", "momo", "vnpost")
_BATCH: Final = 10
_PER_MINUTE: Final = 60
_STILL_SECONDS: Final = 120.0
#: Shares of the payments that are final when the moment is kept, and when it is gone back to.
_MOMENT, _DISASTER = 0.15, 0.5


@dataclass
class Rehearsal:
    """What is done and seen. `scope`: `all` databases, or `disbursement`."""

    stack: TargetStack
    info: StackInfo
    scope: str
    say: Say
    found: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    _share: float = 0.0
    _moved: asyncio.Event = field(default_factory=asyncio.Event)

    async def month(self, sample: Path) -> dict[str, Any]:
        """The main job with the disaster in it; its result for scripts. Raises DemoFailed and whatever the rehearsal raises."""
        from ansinh.demo.run import run

        await asyncio.to_thread(self._slow_lanes)
        with (self.stack.layout.logs / "month.log").open("a", encoding="utf-8") as out:
            month = asyncio.create_task(run(self.info, sample, self.say, self._progress, Console(file=out, width=200)))
            disaster = asyncio.create_task(self._disaster())
            try:
                await asyncio.wait((month, disaster), return_when=asyncio.FIRST_EXCEPTION)
                if not month.done():  # the disaster failed
                    disaster.result()
                if not disaster.done():
                    self.problems.append("the month was over before the disaster")
                return month.result()
            finally:
                for task in (month, disaster):
                    task.cancel()
                await asyncio.gather(month, disaster, return_exceptions=True)

    def _slow_lanes(self) -> None:
        """Small batches, one a second to each partner: there is a before, a meanwhile and an afterwards."""
        with psycopg.connect(self.stack.dsns["disbursement"]) as connection:
            for partner in PARTNERS:
                connection.execute(
                    "INSERT INTO partner_lane (partner, batch_payments, first_batch_payments, requests_per_minute) VALUES (%s, %s, %s, %s)"
                    " ON CONFLICT (partner) DO UPDATE SET batch_payments = excluded.batch_payments,"
                    " first_batch_payments = excluded.first_batch_payments, requests_per_minute = excluded.requests_per_minute",
                    (partner, _BATCH, _BATCH, _PER_MINUTE),
                )

    def _progress(self, stage: str, done: int, total: int) -> None:
        if stage == "pay" and total:
            self._share = done / total
            self._moved.set()

    async def _until(self, share: float) -> None:
        while self._share < share:
            self._moved.clear()
            await self._moved.wait()

    def _count(self, condition: str = "true") -> int:
        with psycopg.connect(self.stack.dsns["disbursement"]) as connection:
            row = connection.execute(f"SELECT count(*) FROM payment WHERE {condition}").fetchone()
        return int(row[0]) if row else 0

    async def _disaster(self) -> None:
        moment = AllFive(self.stack) if self.scope == "all" else OneOnly(self.stack)
        await self._until(_MOMENT)
        await moment.take()
        self.say(f"moment kept ({self.scope}); paying goes on")
        await self._until(_DISASTER)
        before = await asyncio.to_thread(self._count, "status <> 'APPROVED'")
        self.say(f"disaster: {before} payments have left; the databases go back to the moment")
        gone = time.monotonic()
        await moment.put_back()
        after = await asyncio.to_thread(self._count, "status <> 'APPROVED'")
        self.say(f"back at the moment: the database knows of {after} payments that have left")
        self.found |= {"left_at_disaster": before, "left_at_moment": after}
        if after >= before:
            self.problems.append("nothing had left between the moment and the disaster: the rehearsal shows nothing")
        async with Api(self.info) as api:
            await self._paused(api)
            await self._read_back(api)
            await self._resume(api)
        self.found["seconds_paused"] = round(time.monotonic() - gone, 1)

    async def _restores(self, api: Api) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await api.get("disbursement", "/v1/restores", self.info.maker))["items"]
        return found

    async def _paused(self, api: Api) -> None:
        """The platform sees by itself that it was put back, and sends nothing."""

        async def probe() -> str | None:
            seen = await self._restores(api)
            return None if seen and seen[0]["read_at"] else "no restore noted yet"

        await wait_for("the pause", probe, seconds=_STILL_SECONDS, pause=0.2)
        [restore] = await self._restores(api)
        self.say(f"sending is paused: {restore['lost_events']} of our own events read back from the log")
        self.found |= {"restore_id": restore["restore_id"], "pause_id": restore["pause_id"], "lost_events": restore["lost_events"]}
        try:
            await api.post("disbursement", f"/v1/pauses/{restore['pause_id']}/resume", self.info.maker, {"note": "before reading back"})
            self.problems.append("sending could be resumed before everything was read back")
        except ApiProblem as problem:
            if "not-read-back" not in problem.kind:
                raise

    async def _read_back(self, api: Api) -> None:
        async def asked() -> str | None:
            [restore] = await self._restores(api)
            left = {key: value for key, value in restore["missing"].items() if not key.startswith("statement:")}
            return f"{restore['answered']} of {restore['questions']} answered, {left}" if left else None

        await wait_for("partners' answers", asked, seconds=_STILL_SECONDS, pause=0.3)
        [restore] = await self._restores(api)
        self.found |= {"questions": restore["questions"], "lost_payments": restore["lost_payments"]}
        self.say(f"partners were asked about {restore['questions']} payments; {restore['lost_payments']} are known to the log only")
        for key in restore["missing"]:
            await self._statement(api, key.removeprefix("statement:"))

    async def _statement(self, api: Api, partner: str) -> None:
        async with httpx.AsyncClient(timeout=60.0, trust_env=False) as http:
            answer = await http.post(f"{self.info.partner}/control/statement", json={"partner": partner, "form": "CAMT053"})
        content = answer.raise_for_status().content
        month = await api.get("disbursement", "/v1/restores", self.info.maker)
        about = {"partner": partner, "business_date": month["items"][0]["found_at"][:10]}
        sent = await api.upload("disbursement", "/v1/statements", self.info.maker, f"{partner}.xml", content, about)

        async def probe() -> str | None:
            seen = await api.get("disbursement", f"/v1/statements/{sent['statement_id']}", self.info.maker)
            if seen["state"] == "REFUSED":
                raise RuntimeError(f"the statement of {partner} was refused: {seen['refusal']}")
            return None if seen["state"] == "RECONCILED" else str(seen["state"])

        await wait_for(f"statement of {partner}", probe, seconds=_STILL_SECONDS, pause=0.2)
        self.say(f"statement of {partner} read back")

    async def _resume(self, api: Api) -> None:
        """One person proposes, the same one may not confirm, another does."""
        path = f"/v1/pauses/{self.found['pause_id']}/resume"
        await api.post("disbursement", path, self.info.maker, {"note": "own events, inquiries and statements were read back"})
        decision = {"confirm": True, "note": "seen and agreed: nothing is missing"}
        try:
            await api.post("disbursement", f"{path}/decision", self.info.maker, decision)
            self.problems.append("one person alone could resume")
        except ApiProblem as problem:
            if "same-resumer" not in problem.kind:
                raise
        await api.post("disbursement", f"{path}/decision", self.info.checker, {**decision, "note": "seen and agreed by the second person"})
        self.found["resumed_by"] = [self.info.maker, self.info.checker]
        self.say("two people have resumed; the month goes on")

    async def verdict(self, result: dict[str, Any]) -> dict[str, Any]:
        """The partners' books, the three books, people and events after the month."""
        stack = self.stack
        sorted_texts = books.sort_differences(result["differences"])
        doubled = sorted_texts["twice"] + await asyncio.to_thread(books.doubled, stack.layout.url("partner"), stack.dsns["disbursement"])
        lost = await asyncio.to_thread(books.lost_events, stack.dsns)
        findings = [*self.problems, *doubled, *sorted_texts["books"], *sorted_texts["people"], *sorted_texts["disbelieved"], *lost]
        return {
            "scope": self.scope, "people": int(result.get("people", 0)), **self.found, "doubled": len(doubled), "lost": len(lost),
            "unexplained": len(sorted_texts["people"]), "books_equal": not sorted_texts["books"], "findings": findings,
        }  # fmt: skip
