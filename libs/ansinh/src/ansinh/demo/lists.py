"""First half of the month: lists go in, a second person approves, people are verified, accounts are linked."""

from __future__ import annotations

import asyncio
import csv
import io
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from ansinh.demo.bars import Stage
from ansinh.demo.client import Api, ApiProblem, DeadlineMissed, wait_for
from ansinh.demo.stack_info import StackInfo
from ansinh.sample import Manifest

__all__ = ["SERVICES", "ListsDesk", "bounded", "linking", "verification", "wait_quiet"]

SERVICES = ("registry", "identity-verify", "accounts", "disbursement", "reporting")
T = TypeVar("T")
_REFUSED = "REFUSED"  # verdict column of the error report; WARNING rows are taken
_AT_ONCE = 4
_APPROVE_AT_ONCE = 1_000
_STILL_SECONDS = 180.0
_CONFLICT = 409


async def bounded(items: Iterable[T], work: Callable[[T], Awaitable[None]], limit: int = _AT_ONCE) -> None:
    """Works through the items in order, so many at a time."""
    queue = iter(list(items))

    async def lane() -> None:
        for item in queue:
            await work(item)

    async with asyncio.TaskGroup() as group:
        for _ in range(limit):
            group.create_task(lane())


async def wait_quiet(api: Api, stack: StackInfo, stage: Stage, services: tuple[str, ...] = SERVICES) -> None:
    """Until the services have nothing left to do, seen twice in a row so that nothing is under way between them."""
    rounds = 0

    async def probe() -> str | None:
        nonlocal rounds
        answers = await asyncio.gather(*(api.get(s, "/v1/quiet", stack.operator) for s in services))
        busy = {s: {k: v for k, v in a["waiting"].items() if v} for s, a in zip(services, answers, strict=True) if not a["quiet"]}
        rounds = 0 if busy else rounds + 1
        left = ", ".join(f"{s}: {' '.join(f'{k}={v}' for k, v in w.items())}" for s, w in busy.items())
        stage.say(left[:70] or "checking again")
        return None if rounds >= 2 else (left or "seen quiet once")

    await wait_for("waiting for quiet", probe, seconds=_STILL_SECONDS)


class ListsDesk:
    """Sends a sample's files as the offices would. After `register`, `imports` maps each file to its import id."""

    def __init__(self, api: Api, stack: StackInfo, folder: Path, manifest: Manifest) -> None:
        self._api, self._stack, self._folder, self._manifest = api, stack, folder, manifest
        self.imports: dict[str, str] = {}
        self.states: dict[str, dict[str, Any]] = {}
        self.already = 0

    async def send(self, stage: Stage, service: str, files: list[dict[str, Any]]) -> list[str]:
        """Uploads files, several at a time; the job ids in the order sent."""
        jobs: dict[str, str] = {}
        sent = 0

        async def one(file: dict[str, Any]) -> None:
            nonlocal sent
            path = self._folder / file["path"]
            fields = {"unit_code": file["unit_code"], "business_date": self._manifest.business_date, "dry_run": "false"}
            if service == "registry":
                fields["programme"] = file["kind"]
            answer = await self._upload(service, path, fields)
            self.imports[file["path"]] = answer["import_id"]
            self.already += bool(answer.get("already_imported"))
            if answer.get("job_id"):
                jobs[file["path"]] = answer["job_id"]
            sent += 1
            stage.update(sent, len(files), f"{sent:,} of {len(files):,} files")

        await bounded(files, one)
        return [jobs[f["path"]] for f in files if f["path"] in jobs]

    async def _upload(self, service: str, path: Path, fields: dict[str, str]) -> Any:
        """One file; a service that has not yet heard of the unit is asked again, since units travel as events."""
        answer: dict[str, Any] = {}

        async def attempt() -> str | None:
            try:
                answer.update(await self._api.upload(service, "/v1/imports", self._stack.maker, path.name, path.read_bytes(), fields))
            except ApiProblem as problem:
                if "unit" not in problem.kind:
                    raise
                return str(problem)
            return None

        await wait_for(f"{service} takes {path.name}", attempt, seconds=60.0)
        return answer

    async def wait_jobs(self, stage: Stage, service: str, jobs: list[str], text: str) -> list[dict[str, Any]]:
        """Until every job is done; the finished jobs. Raises `DeadlineMissed` naming the first that failed."""
        finished: list[dict[str, Any]] = []
        for job_id in jobs:
            found: dict[str, Any] = {}

            async def probe(job_id: str = job_id, found: dict[str, Any] = found) -> str | None:
                found.update(await self._api.get(service, f"/v1/jobs/{job_id}", self._stack.maker))
                done, total = (found["done"], found["total"]) if len(jobs) == 1 else (len(finished), len(jobs))
                stage.update(done, total, f"{text}: {done:,} of {total:,}")
                return (
                    None
                    if found["state"] in ("DONE", "FAILED")
                    else f"job {job_id} is {found['state']} at {found['done']} of {found['total']}"
                )

            await wait_for(text, probe, seconds=_STILL_SECONDS, pause=0.15)
            if found["state"] == "FAILED":
                raise DeadlineMissed(f"{service}: job {job_id} failed: {found.get('error')}")
            finished.append(found)
        return finished

    async def approve(self, stage: Stage, service: str, files: list[dict[str, Any]]) -> None:
        """A second person approves all imports that wait for it, and the wait until they are applied."""
        ids = [self.imports[file["path"]] for file in files]
        for at in range(0, len(ids), _APPROVE_AT_ONCE):
            await self._approve_some(stage, service, ids[at : at + _APPROVE_AT_ONCE])

    async def _approve_some(self, stage: Stage, service: str, ids: list[str]) -> None:
        states = await self._states(service, ids) if self.already else dict.fromkeys(ids, "CHECKED")
        waiting = [i for i in ids if states[i] == "CHECKED"]
        if waiting:
            try:
                answer = await self._api.post(service, "/v1/imports/approve", self._stack.checker, {"import_ids": waiting})
                await self._wait_applied(stage, service, answer["job_id"])
            except ApiProblem as problem:
                if problem.status != _CONFLICT:
                    raise  # else the first answer was lost on its way and this was the repeat
        refused: list[str] = []

        async def applied() -> str | None:
            now = await self._states(service, ids)
            refused[:] = [i for i, state in now.items() if state == "REFUSED"]
            open_ids = [i for i, state in now.items() if state not in ("APPLIED", "REFUSED")]
            return f"{len(open_ids)} imports are not applied" if open_ids else None

        await wait_for("applying the lists", applied, seconds=_STILL_SECONDS)
        if refused:
            raise DeadlineMissed(f"{service} refused {len(refused)} whole lists, the first is import {refused[0]}")

    async def _states(self, service: str, ids: list[str]) -> dict[str, str]:
        states: dict[str, str] = {}

        async def one(import_id: str) -> None:
            states[import_id] = (await self._api.get(service, f"/v1/imports/{import_id}", self._stack.checker))["state"]

        await bounded(ids, one)
        return states

    async def _wait_applied(self, stage: Stage, service: str, job_id: str) -> None:
        """Until one job of the approver is done, showing rows."""

        async def probe() -> str | None:
            job = await self._api.get(service, f"/v1/jobs/{job_id}", self._stack.checker)
            stage.update(job["done"], job["total"], f"{job['done']:,} of {job['total']:,} rows applied")
            if job["state"] == "FAILED":
                raise DeadlineMissed(f"{service}: job {job_id} failed: {job.get('error')}")
            return None if job["state"] == "DONE" else f"{job['state']} {job['done']} of {job['total']}"

        await wait_for("applying the lists", probe, seconds=_STILL_SECONDS)

    async def look(self, service: str, files: list[dict[str, Any]]) -> Counter[str]:
        """Row counts of all imports as the service tells them; their states are kept in `states`."""
        counts: Counter[str] = Counter()

        async def one(file: dict[str, Any]) -> None:
            state = await self._api.get(service, f"/v1/imports/{self.imports[file['path']]}", self._stack.maker)
            self.states[file["path"]] = state
            for name in ("rows_total", "rows_good", "rows_refused", "rows_applied"):
                counts[name] += int(state.get(name) or 0)

        await bounded(files, one)
        return counts

    async def refused_rows(self, service: str, files: list[dict[str, Any]]) -> dict[str, set[int]]:
        """Row numbers in the error reports of the files that have any."""
        found: dict[str, set[int]] = {}

        async def one(file: dict[str, Any]) -> None:
            if int(self.states[file["path"]].get("rows_refused") or 0) == 0:
                return
            text = await self._api.text(service, f"/v1/imports/{self.imports[file['path']]}/errors", self._stack.maker)
            rows = {int(cells[0]) for cells in csv.reader(io.StringIO(text)) if cells[0].isdigit() and _REFUSED in cells}
            found[file["path"]] = rows

        await bounded(files, one)
        return found


async def verification(api: Api, stack: StackInfo, stage: Stage, expected: int) -> dict[str, int]:
    """Until everybody has an answer from the population database; verdicts by name."""
    last: dict[str, Any] = {}

    async def probe() -> str | None:
        last.update(await api.get("identity-verify", "/v1/progress", stack.operator))
        answered, pending = int(last["answered"]), int(last["pending"])
        stage.update(answered, max(expected, answered + pending), f"{answered:,} answered, {pending:,} waiting")
        return None if pending == 0 and answered >= expected else f"{answered} answered, {pending} waiting"

    await wait_for("verification", probe, seconds=_STILL_SECONDS)
    return {str(k): int(v) for k, v in last["by_verdict"].items()}


async def linking(api: Api, stack: StackInfo, stage: Stage) -> dict[str, Any]:
    """Until accounts has nothing to ask any more; its progress."""
    last: dict[str, Any] = {}

    async def probe() -> str | None:
        try:
            last.update(await api.get("accounts", "/v1/progress", stack.operator))
        except ApiProblem as problem:
            raise DeadlineMissed(str(problem)) from problem
        pending = int(last["pending"]) + int(last["rows_waiting"])
        answered = sum(int(v) for v in last["by_status"].values())
        stage.update(max(0, answered - pending), max(answered, 1), f"{answered:,} accounts, {pending:,} waiting")
        return None if pending == 0 else f"{pending} accounts waiting"

    await wait_for("account linking", probe, seconds=_STILL_SECONDS)
    return last
