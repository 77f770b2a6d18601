"""More than a provider lets an account receive is seen before anything is sent: paid in cash, or held where another list was quicker."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

from common.auth import SYSTEM
from common.ids import new_id
from common.jobs import JobRunner
from disbursement.channels.loading import account_limits
from disbursement.channels.partners import Partner
from disbursement.storage import batches, payment_moves
from disbursement.usecases.verify_list import JOB_KIND as VERIFY
from disbursement.usecases.verify_list import ListVerifier

SECRET = "whsec_" + "b3V0Ym91bmQgc2VjcmV0IG9mIHRlc3RzIGhlcmU="
MILLION = 1_000_000
CASH = ("CASH_POST", "ACCOUNT_LIMIT_EXCEEDED")


def row(**fields: Any) -> dict[str, Any]:
    return {"kind": "BANK", "url": "http://x", "outbound_secret": SECRET, "inbound_secrets": [SECRET], **fields}


def test_a_row_says_the_limits_else_its_module_does() -> None:
    rows = {
        "bank": row(),
        "money": row(channel="mobile_money"),
        "other": row(channel="mobile_money", limits={"day": 5 * MILLION}),
    }
    found = orjson.loads(account_limits({name: Partner.model_validate({"name": name, **fields}) for name, fields in rows.items()}))
    assert found == [
        {"partner": "money", "payment": None, "day": None, "month": 100 * MILLION},
        {"partner": "other", "payment": None, "day": 5 * MILLION, "month": None},
    ]


async def test_who_is_over_a_limit_is_paid_in_cash_and_nobody_else(province: Any, due: Callable[..., Any], tmp_path: Path) -> None:
    file = tmp_path / "partners.json"
    file.write_bytes(orjson.dumps({"partners": {"agribank": row(limits={"payment": 3 * MILLION, "month": 5 * MILLION})}}))
    province.settings = province.settings.model_copy(update={"partners_file": file})
    big, small, keeper, shared = new_id(), new_id(), new_id(), new_id()
    wards = sorted(new_id() for _ in range(3))
    await province.hear(*province.by_account(big, due(3 * MILLION + 1)), *province.by_account(small, due(3 * MILLION)))
    await province.hear(province.account(keeper, shared))
    for ward in wards:
        await province.hear(
            province.beneficiary(ward), province.dues(ward, due(2 * MILLION)), province.verified(ward),
            province.representative(ward, keeper), province.verified(ward, subject=keeper),
            province.method(ward, "ACCOUNT", account_id=shared, payee=keeper, kind="AUTHORISED"),
        )  # fmt: skip
    cycle = await province.compute(await province.open())
    lines = await province.lines(cycle)
    paid = {who: (lines[str(who)]["channel"], lines[str(who)]["cash_reason"]) for who in (big, small, *wards)}
    assert paid == {big: CASH, small: ("BANK", None), wards[0]: ("BANK", None), wards[1]: ("BANK", None), wards[2]: CASH}
    assert await province.holds(cycle) == {}
    assert (await province.submit(cycle)).status_code == 200
    assert (await province.approve(cycle)).status_code == 200

    # What the account is to get from an approved list counts in the same month.
    await province.hear(province.dues(wards[0], due(2 * MILLION), due(2 * MILLION, "2024-08", "2024-08", arrears=True)))
    later = await province.compute(await province.open(supplementary=True))
    [line] = (await province.lines(later)).values()
    assert (line["amount"], line["channel"], line["cash_reason"]) == (2 * MILLION, *CASH)


async def test_the_limits_of_the_accounts_directory_count_and_the_stricter_holds(
    province: Any, due: Callable[..., Any], tmp_path: Path
) -> None:
    file = tmp_path / "partners.json"
    file.write_bytes(orjson.dumps({"partners": {"agribank": row(limits={"payment": 4 * MILLION})}}))
    province.settings = province.settings.model_copy(update={"partners_file": file})
    over_file, over_directory, fits = new_id(), new_id(), new_id()
    await province.hear(province.limits(payment=9 * MILLION, month=3 * MILLION))
    for who, amount in ((over_file, 4 * MILLION + 1), (over_directory, 3 * MILLION + 1), (fits, 3 * MILLION)):
        await province.hear(*province.by_account(who, due(amount)))
    cycle = await province.compute(await province.open())
    lines = await province.lines(cycle)
    ways = {who: (lines[str(who)]["channel"], lines[str(who)]["cash_reason"]) for who in (over_file, over_directory, fits)}
    assert ways == {over_file: CASH, over_directory: CASH, fits: ("BANK", None)}

    # The inputs are kept: a limit that is lifted later changes nothing of the list that was made with it.
    await province.hear(province.limits())
    made = await province.post(province.maker, f"/v1/cycles/{cycle['cycle_id']}/verify-list")
    assert made.status_code == 202, made.text
    await JobRunner(province.db, {VERIFY: ListVerifier(province.db).run}, owner="t").run_one()
    found = (await province.maker.get(f"/v1/jobs/{made.json()['job_id']}")).json()
    assert (found["state"], found["result"]["recomputed_hash"]) == ("DONE", cycle["list_hash"])
    again = await province.lines(await province.compute(cycle))
    assert again[str(over_directory)]["channel"] == "BANK"


async def two_lists_for_one_account(province: Any, due: Callable[..., Any]) -> tuple[Any, dict[str, Any], dict[str, Any]]:
    """Two lists of 2 million each into one account that may receive 3, both submitted before either is approved."""
    who = new_id()
    await province.hear(province.limits(month=3 * MILLION), *province.by_account(who, due(2 * MILLION, "2024-09")))
    first = await province.compute(await province.open())
    assert (await province.submit(first)).status_code == 200
    await province.hear(province.dues(who, due(2 * MILLION, "2024-09"), due(2 * MILLION, "2024-08", "2024-08", arrears=True)))
    second = await province.compute(await province.open(supplementary=True))
    assert (await province.submit(second)).status_code == 200
    assert (await province.lines(second))[str(who)]["channel"] == "BANK"
    return who, first, second


async def test_two_lists_computed_before_either_is_approved_see_the_limit_at_approval(province: Any, due: Callable[..., Any]) -> None:
    who, first, second = await two_lists_for_one_account(province, due)
    other = new_id()
    await province.hear(*province.by_account(other, due(MILLION)))
    assert (await province.post(province.checker, f"/v1/cycles/{second['cycle_id']}/reject", {"reason": "thêm người"})).status_code == 200
    second = await province.compute(second)
    assert (await province.submit(second)).status_code == 200
    assert (await province.approve(first)).status_code == 200
    assert (await province.approve(second)).status_code == 200
    held = (await province.holds(second))[str(who)]
    assert (held["reason"], held["stage"], held["actor"]) == ("ACCOUNT_LIMIT_EXCEEDED", "APPROVAL", "DEPARTMENT_OFFICER")
    paid = await province.rows("SELECT beneficiary_id, sum(amount)::bigint AS amount FROM payment GROUP BY 1 ORDER BY 2")
    assert [(row["beneficiary_id"], row["amount"]) for row in paid] == [(other, MILLION), (who, 2 * MILLION)]

    # Nobody is starved: the next list pays the rest in cash, without anybody's hand.
    third = await province.compute(await province.open(supplementary=True))
    line = (await province.lines(third))[str(who)]
    assert (line["amount"], line["channel"], line["cash_reason"]) == (2 * MILLION, *CASH)


async def test_two_lists_approved_in_the_same_moment_see_the_limit_when_they_are_sent(province: Any, due: Callable[..., Any]) -> None:
    who, first, second = await two_lists_for_one_account(province, due)
    await province.hear(province.limits())  # as if each were approved without seeing the other
    assert [(await province.approve(cycle)).status_code for cycle in (first, second)] == [200, 200]
    await province.hear(province.limits(month=3 * MILLION))
    batches_of = {row["cycle_id"]: row for row in await province.rows("SELECT batch_id, cycle_id FROM payment_batch")}
    moved = {}
    for name, cycle in (("second", second), ("first", first)):
        async with province.db.transaction(SYSTEM("test")) as tx:
            await payment_moves.prepare(tx)
            batch_id = batches_of[UUID(cycle["cycle_id"])]["batch_id"]
            moved[name] = await batches.gate(tx, batch_id, business_date=date(2024, 8, 20), grace_days=0, limits="[]")
            reasons = [row["reason"] for row in await tx.rows("SELECT reason FROM payment_move")]
            assert reasons == (["ACCOUNT_LIMIT_EXCEEDED"] if name == "second" else [])
    assert (moved, who is not None) == ({"second": 1, "first": 0}, True)
