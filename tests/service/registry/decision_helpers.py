"""Decisions, moves and events as an office enters them."""

from __future__ import annotations

from typing import Any

from common.actor import Role

DAY = "2024-08-20"
HEAD = {"number": "45/QĐ", "decision_date": "2024-08-12", "signer": "Trần Văn Nam", "business_date": DAY}


class Office:
    """One office: a maker at the commune, a checker above, and short words for what they do."""

    def __init__(self, world: Any) -> None:
        self.world = world
        self._sent = 0

    async def post(self, path: str, body: dict[str, Any], client: Any = None) -> Any:
        """A POST with a key of its own."""
        self._sent += 1
        return await (client or self.world.maker).post(path, json=body, headers={"Idempotency-Key": f"office-{self._sent:08d}"})

    async def allowance(self, code: str, index: int = 0) -> str:
        """The allowance of somebody, by dossier code."""
        detail = (await self.world.checker.get(f"/v1/beneficiaries/{await self.world.id_of(code)}")).json()
        return str(detail["entitlements"][index]["entitlement_id"])

    async def propose(self, kind: str, reason: str, *allowances: str, **more: Any) -> Any:
        """A proposal about allowances."""
        items = [{"entitlement_id": item} for item in allowances]
        return await self.post("/v1/decisions", HEAD | {"kind": kind, "reason": reason, "items": items} | more)

    async def decide(self, kind: str, reason: str, *allowances: str, **more: Any) -> dict[str, Any]:
        """A proposal, approved by the checker."""
        made = await self.propose(kind, reason, *allowances, **more)
        assert made.status_code == 201, made.text
        day = more.get("business_date", DAY)
        done = await self.answer("approve", made.json()["bulk_id"], business_date=day)
        assert done.status_code == 200, done.text
        return dict(made.json())

    async def answer(self, action: str, bulk_id: str, client: Any = None, **more: Any) -> Any:
        """The answer to a bulk."""
        body = {"business_date": DAY, "bulk_id": bulk_id} | more
        return await (client or self.world.checker).post(f"/v1/decisions/{action}", json=body)

    async def months(self, code: str, *months: str) -> dict[str, int]:
        """What is due in months."""
        return {month: (await self.world.due(code, month))["total"] for month in months}

    async def event(self, kind: str, event_date: str, *codes: str, confirm: bool = True, **more: Any) -> Any:
        """A life event, confirmed unless told otherwise."""
        ids = [await self.world.id_of(code) for code in codes]
        head = {"number": "46/QĐ", "decision_date": "2024-08-15", "signer": "Lê Văn Minh"}
        body = {"kind": kind, "event_date": event_date, "beneficiary_ids": ids, "evidence": "Văn bản 31", "business_date": DAY}
        made = await self.post("/v1/life-events", body | {"decision": head} | more)
        if not confirm or made.status_code != 201 or kind == "DEATH":
            return made
        answer = {"event_ids": made.json()["event_ids"], "business_date": more.get("business_date", DAY)}
        done = await self.world.checker.post("/v1/life-events/confirm", json=answer)
        assert done.status_code == 200, done.text
        return made

    async def all_months(self, code: str, months: list[str]) -> dict[str, int]:
        """What is due in many months, by one question."""
        person = await self.world.id_of(code)
        found = (await self.world.checker.get(f"/v1/beneficiaries/{person}/dues")).json()["intervals"]
        return {
            month: sum(item["amount"] for item in found if item["from_month"] <= month <= (item["to_month"] or "9999-12"))
            for month in months
        }

    def client(self, subject: str, unit: str = "60", role: Role = Role.DEPARTMENT_OFFICER) -> Any:
        """Somebody else."""
        return self.world.client_as(self.world.app, role, units=(unit,), subject=subject)
