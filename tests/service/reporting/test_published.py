"""Figures that provinces published come out of `measure`, to the digit (domain data `published_figures.csv`)."""

from __future__ import annotations

from datetime import date

import pytest
from reporting_builders import Reporting

from common.actor import SYSTEM
from reporting.domain.indicators import ALL
from reporting.domain.rates import rate_text
from reporting.storage import sums
from reporting.usecases.indicators import measure
from reporting.usecases.measured import Ask, Measured

# Read models of a month, set-based: people of a programme, of whom the first so many registered and were paid by account.
_PEOPLE = """
WITH p AS (SELECT CAST(md5(:unit || :programme || n) AS uuid) AS who, n FROM generate_series(1, :people) AS n),
known AS (INSERT INTO beneficiary_month SELECT who, :month, 1, :unit, ARRAY[:programme], 'ACTIVE', FALSE, FALSE FROM p),
checked AS (INSERT INTO verification_month SELECT who, who, :month, 1, CASE WHEN n > :people - :no_number THEN
            CASE WHEN n % 2 = 0 THEN 'NO_ID' ELSE 'NOT_FOUND' END ELSE 'VERIFIED' END FROM p),
chosen AS (INSERT INTO payout_method_month SELECT who, :month, 1, who, 'ACCOUNT', who FROM p WHERE n <= :registered)
INSERT INTO account_month SELECT who, :month, 1, who, 'ACTIVE', NULL FROM p WHERE n <= :opened
"""
_PAID = """
INSERT INTO payment (payment_id, version, cycle_id, beneficiary_id, payee_id, payee_kind, status, attempt, reference, amount, month, months,
                     programme, funding_source, channel, partner, unit_code, unit_path, business_date, occurred_at)
SELECT gen_random_uuid(), 2, CAST(md5(:programme || :month) AS uuid), who, who, 'SELF',
       CASE WHEN n <= :paid THEN 'SETTLED' ELSE 'COLLECTED' END, 1, 'R' || n,
       CASE WHEN n = 1 THEN CAST(:dong AS bigint) - CAST(:paid - 1 AS bigint) * 500000 ELSE 500000 END, CAST(:month AS date),
       ARRAY[left(:month, 7)], :programme, 'LOCAL_BUDGET',
       CASE WHEN n <= :paid THEN (ARRAY['BANK', 'WALLET', 'MOBILE_MONEY'])[1 + n % 3] ELSE 'CASH_POST' END, 'x', '0', :unit,
       '2024-08-20', now()
FROM (SELECT CAST(md5(:unit || :programme || n) AS uuid) AS who, n FROM generate_series(1, :people) AS n) AS p
"""


async def people(reporting: Reporting, unit: str, month: str, programme: str, count: int, **counts: int) -> None:
    async with reporting.db.transaction(SYSTEM("test")) as tx:
        given = {"opened": 0, "registered": 0, "no_number": 0} | counts
        await tx.execute(_PEOPLE, unit=unit, month=date.fromisoformat(f"{month}-01"), programme=programme, people=count, **given)


async def answer(reporting: Reporting, unit: str, month: str, decimals: int = 1) -> Measured:
    async with reporting.db.transaction(SYSTEM("test")) as tx:
        await sums.make_all(tx, "")
    first = date.fromisoformat(f"{month}-01")
    ask = Ask(first=first, last=first, unit_path=unit, as_of=first.replace(day=28), decimals=decimals)
    return await measure(reporting.db, SYSTEM("test"), ask)


@pytest.mark.slow
async def test_binh_thuan_september_2024(reporting: Reporting) -> None:
    """BT-01 to BT-11: people by account, rates, the sum of nine months, people without a number."""
    for month in range(1, 10):
        all_paid = month == 9  # before September one person each month stands for the money of all
        for programme, count, paid, dong in (("MERIT", 9_137, 3_728, 4_000_000_000), ("SOCIAL_ASSISTANCE", 45_486, 12_667, 7_786_266_000)):
            async with reporting.db.transaction(SYSTEM("test")) as tx:
                await tx.execute(
                    _PAID, unit="60/593/22924", month=f"2024-{month:02}-01", programme=programme, dong=dong,
                    people=count if all_paid else 1, paid=paid if all_paid else 1,
                )  # fmt: skip
    await people(reporting, "60/593/22924", "2024-08", "SOCIAL_ASSISTANCE", 45_486, no_number=307)
    month = await answer(reporting, "60", "2024-09")
    merit, assistance, everybody = month.row("MERIT"), month.row("SOCIAL_ASSISTANCE"), month.row(ALL)
    told = [
        (row.values["by_account_people"], row.values["due_people"], row.rates["by_account_rate"]) for row in (merit, assistance, everybody)
    ]
    assert told == [(3_728, 9_137, "40.8"), (12_667, 45_486, "27.8"), (16_395, 54_623, "30.0")]
    assert everybody.values["by_account_dong_year"] == 106_076_394_000
    assert everybody.values["by_account_dong"] == 11_786_266_000
    assert everybody.values["by_account_people_year"] == 16_395
    assert assistance.values["no_number_or_not_in_database_people"] == 307


@pytest.mark.slow
async def test_kien_giang_march_2024(reporting: Reporting) -> None:
    """KG-01 to KG-03: accounts opened; opened is neither registered nor paid."""
    await people(reporting, "91/900/30000", "2024-03", "MERIT", 13_400, opened=3_223, registered=3_000)
    await people(reporting, "91/900/30000", "2024-03", "SOCIAL_ASSISTANCE", 52_600, opened=5_967, registered=5_500)
    month = await answer(reporting, "91", "2024-03")
    assert [month.row(group).values["opened_people"] for group in ("MERIT", "SOCIAL_ASSISTANCE", ALL)] == [3_223, 5_967, 9_190]
    assert (month.row(ALL).values["registered_people"], month.row(ALL).values["by_account_people"]) == (8_500, 0)


async def test_huong_khe_january_2024(reporting: Reporting) -> None:
    """HK-01 to HK-04: registered of monthly beneficiaries, the rest in cash."""
    await people(reporting, "42/444/18496", "2024-01", "MERIT", 2_172, registered=240)
    await people(reporting, "42/444/18496", "2024-01", "SOCIAL_ASSISTANCE", 8_000, registered=665)
    row = (await answer(reporting, "42/444", "2024-01", decimals=2)).row(ALL)
    assert (row.values["beneficiaries"], row.values["registered_people"], row.rates["registered_rate"]) == (10_172, 905, "8.90")
    assert row.values["not_registered_people"] == 9_267
    assert rate_text(905, 10_172) == "8.9"
