"""Random months: rises, deaths, overlapping and supplementary lists, rejections. Nothing is ever promised twice."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from common.ids import new_id

Due = Callable[..., Any]

# Each row that comes back is a position that does not agree with its allocations, or promises more than was due when it grew.
WRONG = """
SELECT p.beneficiary_id, p.month, p.committed, p.paid, p.due_at_commit, a.committed AS promised
FROM due_month_position p
LEFT JOIN (SELECT beneficiary_id, programme, funding_source, benefit_line, month,
                  sum(amount) FILTER (WHERE state = 'COMMITTED') AS committed, sum(amount) FILTER (WHERE state = 'PAID') AS paid
           FROM allocation GROUP BY 1, 2, 3, 4, 5) a USING (beneficiary_id, programme, funding_source, benefit_line, month)
WHERE p.committed <> coalesce(a.committed, 0) OR p.paid <> coalesce(a.paid, 0) OR p.committed + p.paid > p.due_at_commit
"""
# A line that may be paid has all of its amount committed; a list's figures are those of its lines and holds.
LINES = """
SELECT l.line_id FROM list_line l JOIN payment_list h USING (list_id)
LEFT JOIN (SELECT line_id, sum(amount) FILTER (WHERE state = 'COMMITTED') AS committed,
                  sum(amount) FILTER (WHERE state <> 'RELEASED') AS kept
           FROM allocation GROUP BY 1) a USING (line_id)
WHERE (h.state IN ('SUBMITTED', 'APPROVED') AND l.state = 'LISTED' AND a.committed IS DISTINCT FROM l.amount)
   OR (l.state = 'HELD' AND a.kept IS NOT NULL)
"""


async def act(province: Any, cycle: dict[str, Any], step: str) -> None:
    """One step on a cycle; a refusal is an answer like any other."""
    seen = await province.see(cycle)
    if step == "compute" and seen["state"] in ("OPEN", "COMPUTED"):
        await province.compute(cycle)
    elif step == "submit":
        assert (await province.submit(cycle)).status_code in (200, 409)
    elif step == "approve" and seen["list_hash"]:
        assert (await province.approve(cycle)).status_code in (200, 409)
    elif step == "reject":
        answer = await province.post(province.checker, f"/v1/cycles/{cycle['cycle_id']}/reject", {"reason": "thử lại"})
        assert answer.status_code in (200, 409)


@pytest.mark.parametrize("seed", range(3))
async def test_random_months(province: Any, due: Due, seed: int) -> None:
    rng = random.Random(seed)
    people = [new_id() for _ in range(6)]
    for who in people:
        await province.hear(*province.by_account(who, due(rng.choice([360, 500, 720]))))
    opened: list[dict[str, Any]] = []
    taken: set[tuple[str, str]] = set()
    for _ in range(45):
        cycle = rng.choice(opened) if opened else None
        step = rng.choice(["dues", "dues", "end", "open", "open", "compute", "submit", "approve", "reject"])
        if cycle is not None and rng.random() < 0.6:  # what would come next, so that lists get to their end
            step = {"OPEN": "compute", "COMPUTED": "submit", "SUBMITTED": "approve"}.get((await province.see(cycle))["state"], "open")
        if step == "dues":
            await province.hear(province.dues(rng.choice(people), due(rng.choice([360, 500, 720, 900]))))
        elif step == "end":
            await province.hear(
                province.dues(rng.choice(people), due(rng.choice([360, 500]), end=rng.choice(["2024-08", "2024-09", "2024-10"])))
            )
        elif step == "open":
            where = (rng.choice(["2024-09", "2024-10"]), rng.choice(["60", "593", "22924"]))
            opened.append(await province.open(*where, supplementary=where in taken))
            taken.add(where)
        elif cycle is not None:
            await act(province, cycle, step)
        assert await province.rows(WRONG) == [], (seed, step)
        assert await province.rows(LINES) == [], (seed, step)
    paid = "SELECT sum(amount) AS paid FROM payment"
    kept = "SELECT sum(committed + paid) AS kept FROM due_month_position"
    waiting = "SELECT coalesce(sum(total_amount), 0) AS waiting FROM payment_list WHERE state = 'SUBMITTED'"
    booked = (await province.rows(paid))[0]["paid"] or 0
    assert booked + (await province.rows(waiting))[0]["waiting"] == ((await province.rows(kept))[0]["kept"] or 0)
    assert booked > 0, "the story never came to a payment: choose another seed"
