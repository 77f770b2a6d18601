"""Second half of the month: take-over, budget, cycle, cut-off, list, two people, partners."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ansinh.demo.bars import Stage
from ansinh.demo.client import Api, ApiProblem, wait_for
from ansinh.demo.stack_info import StackInfo
from ansinh.sample import Manifest

__all__ = ["CycleDesk", "CycleRun"]

_FUNDING = {"MERIT": "CENTRAL_BUDGET", "SOCIAL_ASSISTANCE": "LOCAL_BUDGET"}
_BUDGET_PER_PERSON = 60_000_000  # đồng a year: more than anybody's table gives
_STILL_SECONDS = 180.0
_CONFLICT = 409


@dataclass(slots=True)
class CycleRun:
    """One cycle as the demo takes it through its states."""

    programme: str
    funding: str
    cycle_id: str
    state: str
    view: dict[str, Any] = field(default_factory=dict)
    payments: int = 0
    final: int = 0


class CycleDesk:
    """The department's maker and the approver, for both programmes of the sample's unit."""

    def __init__(self, api: Api, stack: StackInfo, manifest: Manifest) -> None:
        self._api, self._stack, self._manifest = api, stack, manifest
        self._unit = manifest.district_code or manifest.province_code
        self.runs: list[CycleRun] = []

    async def _post(self, path: str, user: str, body: dict[str, Any] | None = None) -> Any:
        return await self._api.post("disbursement", path, user, body)

    async def take_over(self) -> None:
        """The month from which the platform pays, proposed by one person and approved by another; also where a run left off."""
        for programme in _FUNDING:
            body = {"unit_code": self._unit, "programme": programme, "first_month": self._manifest.month,
                    "business_date": self._manifest.business_date}  # fmt: skip
            try:
                found = await self._post("/v1/take-overs", self._stack.maker, body)
            except ApiProblem as problem:
                if problem.status != _CONFLICT:
                    raise
                found = await self._find("/v1/take-overs", unit_code=self._unit, programme=programme)
            if found["state"] == "PROPOSED":
                current = await self._find("/v1/take-overs", take_over_id=found["take_over_id"])
                if current["state"] == "PROPOSED":
                    await self._post(f"/v1/take-overs/{found['take_over_id']}/approve", self._stack.checker)

    async def _find(self, path: str, **wanted: Any) -> dict[str, Any]:
        async for item in self._api.pages("disbursement", path, self._stack.maker, limit=200):
            if all(item[k] == v for k, v in wanted.items()):
                return dict(item)
        msg = f"{path} has nothing with {wanted}"
        raise LookupError(msg)

    async def budgets(self) -> None:
        """A year's budget for each programme from its own source, proposed by one person and approved by another."""
        for programme, funding in _FUNDING.items():
            body = {
                "programme": programme, "funding_source": funding, "unit_code": self._unit, "year": int(self._manifest.month[:4]),
                "amount": self._manifest.people * _BUDGET_PER_PERSON, "business_date": self._manifest.business_date,
            }  # fmt: skip
            proposed = await self._post("/v1/budgets", self._stack.maker, body)
            await self._post(f"/v1/rulings/{proposed['ruling_id']}/approve", self._stack.checker)

    async def open(self) -> None:
        """Opens both cycles, which asks for the cut-off; takes up the ones that a broken run opened."""
        for programme, funding in _FUNDING.items():
            body = {
                "month": self._manifest.month, "programme": programme, "funding_source": funding, "unit_code": self._unit,
                "business_date": self._manifest.business_date,
            }  # fmt: skip
            try:
                view = await self._post("/v1/cycles", self._stack.maker, body)
            except ApiProblem as problem:
                if problem.status != _CONFLICT:
                    raise
                wanted = {k: v for k, v in body.items() if k != "business_date"}
                view = await self._find("/v1/cycles", **wanted)
            run = CycleRun(programme, funding, view["cycle_id"], view["state"])
            await self._look(run)
            self.runs.append(run)

    async def _look(self, run: CycleRun) -> dict[str, Any]:
        run.view = await self._api.get("disbursement", f"/v1/cycles/{run.cycle_id}", self._stack.maker)
        run.state = run.view["state"]
        return run.view

    async def compute(self, stage: Stage) -> None:
        """Computes both lists once every cut-off marker is there; the answer is 409 inputs-incomplete until then."""
        for run in self.runs:
            if run.state != "OPEN":
                continue
            job: dict[str, Any] = {}

            async def ask(run: CycleRun = run, job: dict[str, Any] = job) -> str | None:
                key = f"compute-{run.view['cut_off_id']}"  # free again after a refusal
                try:
                    job.update(await self._api.post("disbursement", f"/v1/cycles/{run.cycle_id}/compute", self._stack.maker, key=key))
                except ApiProblem as problem:
                    if problem.status != _CONFLICT or "inputs-incomplete" not in problem.kind:
                        raise
                    inputs = (await self._look(run)).get("inputs") or {}
                    stage.update(inputs.get("arrived", 0), inputs.get("expected", 0), f"{run.programme}: {inputs.get('arrived')} of "
                                 f"{inputs.get('expected')} cut-off markers")  # fmt: skip
                    return str({k: inputs.get(k) for k in ("missing", "differing", "parked")})
                return None

            await wait_for(f"cut-off of {run.programme}", ask, seconds=_STILL_SECONDS, pause=0.3)
            await self._job(stage, job["job_id"], run.programme)
            await self._look(run)

    async def _job(self, stage: Stage, job_id: str, what: str) -> None:
        async def probe() -> str | None:
            job = await self._api.get("disbursement", f"/v1/jobs/{job_id}", self._stack.maker)
            stage.say(f"{what}: {job['state'].lower()}")
            if job["state"] == "FAILED":
                msg = f"computing the list of {what} failed: {job.get('error')}"
                raise RuntimeError(msg)
            return None if job["state"] == "DONE" else f"{job['state']} {job['done']}"

        await wait_for(f"list of {what}", probe, seconds=_STILL_SECONDS, pause=0.2)

    async def holds(self) -> dict[str, int]:
        """Everybody held at computation, by reason."""
        reasons: dict[str, int] = {}
        for run in self.runs:
            async for hold in self._api.pages("disbursement", f"/v1/cycles/{run.cycle_id}/holds", self._stack.checker, limit=200):
                reasons[hold["reason"]] = reasons.get(hold["reason"], 0) + 1
        return reasons

    async def sign(self, stage: Stage) -> None:
        """The maker submits exactly the list computed; the approver, another person, approves exactly that list."""
        for run in self.runs:
            if run.state == "COMPUTED":
                if not run.view["lines"] and not run.view["held"]:
                    continue  # nobody is owed anything; a list on which everybody is held is signed like any other
                stage.say(f"{run.programme}: submitting {run.view['lines']:,} payments")
                await self._post(f"/v1/cycles/{run.cycle_id}/submit", self._stack.maker, {"list_hash": run.view["list_hash"]})
                await self._look(run)
            if run.state == "SUBMITTED":
                stage.say(f"{run.programme}: approving {run.view['lines']:,} payments")
                await self._post(f"/v1/cycles/{run.cycle_id}/approve", self._stack.checker, {"list_hash": run.view["list_hash"]})
                await self._look(run)

    async def settle(self, stage: Stage) -> None:
        """Until every payment of both cycles has a final state."""

        async def probe() -> str | None:
            texts = []
            for run in self.runs:
                progress = await self._api.get("disbursement", f"/v1/cycles/{run.cycle_id}/progress", self._stack.maker)
                run.payments, run.final = int(progress["payments"]), int(progress["final"])
                texts.append(f"{run.programme} {run.final:,} of {run.payments:,}")
            final, total = sum(r.final for r in self.runs), sum(r.payments for r in self.runs)
            stage.update(final, total, f"{final:,} of {total:,} final")
            waiting = [r for r in self.runs if r.final < r.payments or (r.payments == 0 and r.view.get("lines"))]
            return None if not waiting else "; ".join(texts)

        await wait_for("payments", probe, seconds=_STILL_SECONDS)

    async def close(self) -> list[str]:
        """Closes both cycles; what refuses to close, in words."""
        refused = []
        for run in self.runs:
            if (await self._look(run))["state"] in ("CLOSED", "COMPUTED"):
                continue
            try:
                await self._post(f"/v1/cycles/{run.cycle_id}/close", self._stack.maker)
            except ApiProblem as problem:
                refused.append(f"cycle {run.programme} does not close: {problem}")
        return refused
