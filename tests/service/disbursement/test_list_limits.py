"""More than a provider lets an account receive is seen before anything is sent: the line is paid in cash, with the reason on it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from common.ids import new_id
from disbursement.channels.loading import account_limits
from disbursement.channels.partners import Partner

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
