"""Merges of earlier versions, which left something behind, are named; merges of today leave nothing."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from registry_test_helpers import row

from common import invariants
from registry.storage.invariants import INVARIANTS
from registry.usecases.duplicates import Scanner

DAY = "2024-08-20"
SAME = {"full_name": "Trần Thị Bưởi", "birth_date": "02/03/1940"}
CHILD = {"full_name": "Trần Văn Bé", "birth_date": "02/03/2021"}


async def named(world: Any) -> list[str]:
    [own] = [item for item in INVARIANTS if item.name == "merges_leave_nothing_behind"]
    async with world.db.read() as tx:
        count, ids = await invariants.check(tx, own)
    assert count == len(ids)
    return ids


async def merge(world: Any, office: Any, survivor: str, other: str) -> str:
    """Merge two files from September; the pair."""
    a, b = await world.id_of(survivor), await world.id_of(other)
    items = (await world.checker.get("/v1/duplicates", params={"beneficiary_id": a})).json()["items"]
    [candidate] = [item["candidate_id"] for item in items if {item["a"]["beneficiary_id"], item["b"].get("beneficiary_id")} == {a, b}]
    body = {"kind": "MERGE", "note": "cùng một người", "business_date": DAY, "survivor_id": a, "effective_month": "2024-09"}
    assert (await world.maker.post(f"/v1/duplicates/{candidate}/proposal", json=body)).status_code == 201
    done = await world.checker.post(f"/v1/duplicates/{candidate}/decision", json={"approve": True})
    assert done.status_code == 200, done.text
    return f"{a}/{b}"


@pytest.fixture
async def pairs(world: Any, office: Any) -> list[str]:
    """Two merges of today: of a person whose own allowance had ended and for whom a carer is paid, and of a child."""
    await world.take([
        row("A-1", "060140000001", **SAME), row("A-2", "060221000003", category="SA1_LT4", **CHILD),
        row("C-1", "060170000017", full_name="Lê Thị Chăm", birth_date="01/01/1970"),
    ])  # fmt: skip
    for code in ("A-1", "A-2"):
        await office.decide("END", "NOT_ENTITLED", await office.allowance(code), event_date="2024-02-05")
    again = {"decision_number": "77/QĐ", "from_month": "03/2024"}
    await world.take([row("B-1", **again, **SAME), row("B-2", category="SA1_LT4", **again, **CHILD)])
    care = [{"beneficiary_id": await world.id_of("C-1"), "category": "CS_HH_XS", "dependant_id": await world.id_of("B-1")}]
    await office.decide("GRANT", "NEW", items=care, effective_month="2024-08")
    scanner = Scanner(world.db)
    while await scanner.run_once():
        pass
    return [await merge(world, office, f"A-{n}", f"B-{n}") for n in (1, 2)]


_GONE_ON = "person_id = :survivor AND decision_number = '77/QĐ'"
_PAUSES = f"DELETE FROM entitlement_pause WHERE entitlement_id IN (SELECT entitlement_id FROM entitlement WHERE {_GONE_ON})"
_CARER = "UPDATE entitlement SET dependant_id = :other WHERE dependant_id = :survivor"
_DEATH = "UPDATE person SET status = 'DECEASED', death_date = '2024-08-01' WHERE person_id = :other"
BROKEN: dict[str, tuple[int, list[str]]] = {
    "a carer is paid for the merged person": (0, [_CARER]),
    "the death stayed with the merged file": (0, [_DEATH]),
    "what was going on ended": (0, [_PAUSES, f"DELETE FROM entitlement WHERE {_GONE_ON}"]),
    "the first month is lost": (1, [f"UPDATE entitlement SET from_month = '2024-09-01' WHERE {_GONE_ON}"]),
}


async def test_what_a_merge_of_an_earlier_version_left_behind_is_named(world: Any, office: Any, pairs: list[str]) -> None:
    assert await named(world) == [], "a merge of today"
    for what, (n, statements) in BROKEN.items():
        pair = dict(zip(("survivor", "other"), map(UUID, pairs[n].split("/")), strict=True))
        async with world.db.transaction() as tx:
            await tx.execute("SAVEPOINT before")
            for statement in statements:
                await tx.execute(statement, **{name: pair[name] for name in pair if f":{name}" in statement})
            _, ids = await invariants.check(tx, next(item for item in INVARIANTS if item.name == "merges_leave_nothing_behind"))
            await tx.execute("ROLLBACK TO SAVEPOINT before")
        assert ids == [pairs[n]], what
    # As people repair what a carer is paid: a decision ends it, another grants it for the file that goes on.
    carer = await office.allowance("C-1", 1)
    async with world.db.transaction() as tx:
        await tx.execute(_CARER, survivor=UUID(pairs[0].split("/")[0]), other=UUID(pairs[0].split("/")[1]))
    assert await named(world) == [pairs[0]]
    await office.decide("END", "NOT_ENTITLED", carer, event_date="2024-09-05", business_date="2024-09-10", decision_date="2024-09-09")
    care = [{"beneficiary_id": await world.id_of("C-1"), "category": "CS_HH_XS", "dependant_id": await world.id_of("A-1")}]
    await office.decide("GRANT", "NEW", items=care, effective_month="2024-10", business_date="2024-09-10", decision_date="2024-09-09")
    assert await named(world) == []
