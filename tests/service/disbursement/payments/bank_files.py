"""What tests of files at a bank share: one file sent, the bank's answers taken, its books."""

from __future__ import annotations

from typing import Any

__all__ = ["PAYER", "all_done", "batch_of", "file_sent", "paid_in_books"]

PAYER = {"name": "Sở Nội vụ tỉnh", "account_number": "102030405060", "bank_name": "Ngân hàng Nông nghiệp", "budget_unit": "1053661"}


async def file_sent(bank: Any, count: int = 3) -> tuple[str, list[str]]:
    """(message id, references) of one file that went out."""
    await bank.approve([bank.line() for _ in range(count)])
    await bank.send()
    rows = await bank.rows("SELECT p.reference, b.reference AS batch FROM payment p JOIN payment_batch b USING (batch_id) ORDER BY 1")
    return rows[0]["batch"], [row["reference"] for row in rows]


async def all_done(bank: Any) -> None:
    await bank.partner_works()
    await bank.apply()
    await bank.inquire()


async def paid_in_books(bank: Any) -> list[int]:
    doubles = (await bank.partner_http.get("http://partner/control/doubles")).json()
    assert (doubles["references"], doubles["unbalanced"]) == ([], [])
    return sorted(row["amount"] for row in await bank.books() if row["state"] == "SETTLED")


async def batch_of(bank: Any) -> dict[str, Any]:
    found: dict[str, Any] = (await bank.rows("SELECT batch_id, state, sends FROM payment_batch"))[0]
    return found
