"""First half of the month: lists go in, a second person approves, people are verified, accounts are linked."""

from __future__ import annotations

import asyncio
import csv
import io
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
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
_LOOK = timedelta(seconds=0.5)  # what a consumer knows of the log is as old as its last answer from the broker


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
    """Until the services have nothing left to do, and every consumer has looked at the log again since that was first seen.

    So nothing is under way between them, also when a consumer has just died and what it noted last is old.
    """
    since: dict[str, datetime] = {}

    async def probe() -> str | None:
        answers = await asyncio.gather(*(api.get(s, "/v1/quiet", stack.operator) for s in services))
        busy = {s: {k: v for k, v in a["waiting"].items() if v} for s, a in zip(services, answers, strict=True) if not a["quiet"]}
        if busy:
            since.clear()
        elif not since:
            since.update({s: datetime.fromisoformat(a["asked_at"]) + _LOOK for s, a in zip(services, answers, strict=True)})
        old = [
            s for s, a in zip(services, answers, strict=True)
            if s in since and (a["noted_at"] is None or datetime.fromisoformat(a["noted_at"]) <= since[s])
        ]  # fmt: skip
        left = ", ".join(f"{s}: {' '.join(f'{k}={v}' for k, v in w.items())}" for s, w in busy.items())
        stage.say(left[:70] or "checking again")
        return left or (f"{', '.join(old)} to look again" if old else None)

    await wait_for("waiting for quiet", probe, seconds=_STILL_SECONDS)


class ListsDesk:
    """Sends a sample's files to one service as the offices would. After `send`, `imports` maps each file to its import id."""

    def __init__(self, api: Api, stack: StackInfo, folder: Path, manifest: Manifest, service: str) -> None:
        self._api, self._stack, self._folder, self._manifest, self._service = api, stack, folder, manifest, service
        self.imports: dict[str, str] = {}
        self._views: dict[str, dict[str, Any]] = {}

    async def send(self, stage: Stage, files: list[dict[str, Any]]) -> None:
        """Uploads files, several at a time, in their order."""
        sent = 0

        async def one(file: dict[str, Any]) -> None:
            nonlocal sent
            path = self._folder / file["path"]
            fields = {"unit_code": file["unit_code"], "business_date": self._manifest.business_date, "dry_run": "false"}
            if self._service == "registry":
                fields["programme"] = file["kind"]
            self.imports[file["path"]] = (await self._upload(path, fields))["import_id"]
            sent += 1
            stage.update(sent, len(files), f"{sent:,} of {len(files):,} files sent")

        await bounded(files, one)

    async def _upload(self, path: Path, fields: dict[str, str]) -> Any:
        """One file; a service that has not yet heard of the unit is asked again, since units travel as events."""
        answer: dict[str, Any] = {}

        async def attempt() -> str | None:
            try:
                answer.update(await self._api.upload(self._service, "/v1/imports", self._stack.maker, path.name, path.read_bytes(), fields))
            except ApiProblem as problem:
                if "unit" not in problem.kind:
                    raise
                return str(problem)
            return None

        await wait_for(f"{self._service} takes {path.name}", attempt, seconds=60.0)
        return answer

    async def checked(self, stage: Stage) -> None:
        """Until every list has been checked row by row. Raises `DeadlineMissed` when a whole list was refused."""
        await self._until(stage, ("CHECKED", "APPROVED", "APPLIED"), "lists checked")

    async def approve(self, stage: Stage) -> None:
        """A second person approves all lists that wait for it; until they are applied."""
        waiting = sorted(i for i, view in self._views.items() if view["state"] == "CHECKED")
        for at in range(0, len(waiting), _APPROVE_AT_ONCE):
            body = {"import_ids": waiting[at : at + _APPROVE_AT_ONCE]}
            try:
                answer = await self._api.post(self._service, "/v1/imports/approve", self._stack.checker, body)
            except ApiProblem as problem:
                if problem.status != _CONFLICT:
                    raise
                break  # the first answer was lost on its way and this was the repeat: what follows waits for the result all the same
            await self._job(stage, answer["job_id"])
        await self._until(stage, ("APPLIED",), "lists applied")

    async def _job(self, stage: Stage, job_id: str) -> None:
        async def probe() -> str | None:
            job = await self._api.get(self._service, f"/v1/jobs/{job_id}", self._stack.checker)
            stage.update(job["done"], job["total"], f"{job['done']:,} of {job['total']:,} applied")
            if job["state"] == "FAILED":
                raise DeadlineMissed(f"{self._service}: job {job_id} failed: {job.get('error')}")
            return None if job["state"] == "DONE" else f"{job['state']} {job['done']} of {job['total']}"

        await wait_for("applying the lists", probe, seconds=_STILL_SECONDS)

    async def _until(self, stage: Stage, states: tuple[str, ...], text: str) -> None:
        ours = set(self.imports.values())

        async def probe() -> str | None:
            pages = self._api.pages(self._service, "/v1/imports", self._stack.checker, limit=200)
            self._views = {view["import_id"]: view async for view in pages if view["import_id"] in ours}
            refused = [view for view in self._views.values() if view["state"] == "REFUSED"]
            if refused:
                first = refused[0]
                raise DeadlineMissed(f"{self._service} refused {len(refused)} whole lists: {first['file_name']}: {first['refusal']}")
            done = sum(view["state"] in states for view in self._views.values())
            stage.update(done, len(ours), f"{text}: {done:,} of {len(ours):,}")
            return None if done == len(ours) else f"{text}: {done} of {len(ours)}"

        await wait_for(text, probe, seconds=_STILL_SECONDS)

    def counts(self) -> Counter[str]:
        """Rows of all lists as the service counted them: rows_total, rows_good, rows_refused."""
        found: Counter[str] = Counter()
        for view in self._views.values():
            found.update({name: int(view[name] or 0) for name in ("rows_total", "rows_good", "rows_refused")})
        return found

    async def refused_rows(self) -> dict[str, set[int]]:
        """Row numbers in the error reports of the lists that have any, by file."""
        found: dict[str, set[int]] = {}

        async def one(file: tuple[str, str]) -> None:
            path, import_id = file
            if not self._views[import_id]["rows_refused"]:
                return
            text = await self._api.text(self._service, f"/v1/imports/{import_id}/errors", self._stack.maker)
            found[path] = {int(cells[0]) for cells in csv.reader(io.StringIO(text)) if cells[0].isdigit() and _REFUSED in cells}

        await bounded(self.imports.items(), one)
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
