"""The month of death goes to an heir the registry appointed; nobody else is paid for the dead, and never a month after death."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from common.contracts import registry_v1
from common.contracts.identity_verify_v1 import Verdict
from common.ids import new_id

DAY = date(2024, 8, 20)
UNIT = {"unit_code": "22924", "unit_path": "60/593/22924"}


def heir(who: UUID, rep: UUID, *, version: int = 1, programmes: list[str] | None = None, basis: str = "HEIR", **more: Any) -> Any:
    """A representative appointed after the death."""
    body: dict[str, Any] = {
        "version": version, "business_date": DAY, "beneficiary_id": who, "representative_id": rep, "kind": "AUTHORISED",
        "full_name": "Trần Văn Con", "birth_date": "1980", "sex": "M", "national_number": {}, "identity_fingerprint": "r",
        "valid_from": date(2024, 8, 12), "valid_to": date(2025, 8, 11), "certificate_number": "1/UQ", "programmes": programmes or [],
        "basis": basis,
    }  # fmt: skip
    return registry_v1.RepresentativeAppointed(**(body | UNIT | more))


async def dead_person(province: Any, due: Any, *, last_due: str | None = "2024-08") -> UUID:
    """Somebody with an account who died on 10 August 2024; July and August are not paid yet."""
    who: UUID = new_id()
    await province.hear(*province.by_account(who, due(500_000, "2024-07", last_due, arrears=True)))
    state = province.beneficiary(who, status="DECEASED").model_copy(update={"death_date": date(2024, 8, 10)})
    await province.hear(state, province.verified(who, Verdict.DECEASED))
    return who


async def listed(province: Any, **more: Any) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    cycle = await province.open(**more)
    await province.compute(cycle)
    return cycle, await province.lines(cycle), await province.holds(cycle)


async def test_without_an_heir_the_dead_are_held_and_the_hold_says_what_to_do(province: Any, due: Any) -> None:
    who = await dead_person(province, due)
    _, lines, holds = await listed(province)
    assert not lines
    assert (holds[str(who)]["reason"], holds[str(who)]["amount"]) == ("DECEASED", 1_000_000)
    assert "người thừa kế" in holds[str(who)]["action_vi"]
    assert "heir" in holds[str(who)]["action_en"]


async def test_the_heir_is_paid_the_month_of_death_and_earlier_ones_in_cash_on_the_next_list(province: Any, due: Any) -> None:
    who, son = await dead_person(province, due), new_id()
    cycle, _, _ = await listed(province)
    assert (await province.submit(cycle)).status_code == 200
    assert (await province.approve(cycle)).status_code == 200
    await province.hear(heir(who, son))
    later, lines, holds = await listed(province, supplementary=True)
    assert not holds
    line = lines[str(who)]
    assert (line["payee_id"], line["payee_name"], line["channel"]) == (str(son), "Trần Văn Con", "CASH_POST")
    assert (line["months"], line["amount"], line["cash_reason"]) == (["2024-07", "2024-08"], 1_000_000, "HEIR_WITHOUT_ACCOUNT")
    assert (await province.submit(later)).status_code == 200
    approved = await province.approve(later)
    assert (approved.status_code, approved.json()["withdrawn"]) == (200, 0)
    assert (await province.rows("SELECT released_at IS NOT NULL AS released FROM hold"))[0]["released"]


async def test_an_heir_with_an_account_of_their_own_is_paid_there_never_into_the_dead_persons(province: Any, due: Any) -> None:
    who, son, account = await dead_person(province, due), new_id(), new_id()
    await province.hear(
        heir(who, son), province.account(son, account), province.method(who, "ACCOUNT", account_id=account, payee=son, kind="AUTHORISED")
    )
    cycle, lines, _ = await listed(province)
    assert (lines[str(who)]["channel"], lines[str(who)]["payee_id"]) == ("BANK", str(son))
    assert (await province.submit(cycle)).status_code == 200
    assert (await province.approve(cycle)).json()["withdrawn"] == 0
    assert [r["account_id"] for r in await province.rows("SELECT account_id FROM list_line")] == [account]


@pytest.mark.parametrize(
    "refused",
    [
        {"basis": "STANDING"},
        {"programmes": ["MERIT"]},
        {"valid_from": date(2024, 8, 21)},
        {"valid_to": date(2024, 8, 19)},
        {"revoked_on": date(2024, 8, 20)},
    ],
)
async def test_who_may_not_collect_for_the_dead(province: Any, due: Any, refused: dict[str, Any]) -> None:
    who = await dead_person(province, due)
    await province.hear(heir(who, new_id(), **refused))
    _, lines, holds = await listed(province)
    assert not lines
    assert holds[str(who)]["reason"] == "DECEASED"


async def test_a_suspected_heir_is_not_paid_and_another_heir_is(province: Any, due: Any) -> None:
    who, first, second = await dead_person(province, due), new_id(), new_id()
    await province.hear(heir(who, first), province.verified(who, Verdict.SUSPECTED_IDENTITY, subject=first))
    cycle, lines, _ = await listed(province)
    assert not lines
    await province.hear(heir(who, second))
    await province.mark(await _again(province, cycle))
    await province.compute(cycle)
    assert (await province.lines(cycle))[str(who)]["payee_id"] == str(second)


async def _again(province: Any, cycle: dict[str, Any]) -> dict[str, Any]:
    answer = await province.post(province.maker, f"/v1/cycles/{cycle['cycle_id']}/cut-off")
    assert answer.status_code == 202, answer.text
    return answer.json()  # type: ignore[no-any-return]


async def test_a_month_after_death_is_never_paid_whatever_the_dues_say(province: Any, due: Any) -> None:
    who = await dead_person(province, due, last_due=None)
    await province.hear(heir(who, new_id()))
    _, lines, _ = await listed(province)
    assert lines[str(who)]["months"] == ["2024-07", "2024-08"]


async def test_who_dies_after_the_list_was_computed_is_withdrawn_at_approval(province: Any, due: Any) -> None:
    who, other = new_id(), new_id()
    await province.hear(*province.by_account(who, due(500_000)), *province.by_account(other, due(500_000)))
    cycle, _, _ = await listed(province)
    assert (await province.submit(cycle)).status_code == 200
    state = province.beneficiary(who, status="DECEASED").model_copy(update={"death_date": date(2024, 8, 10)})
    await province.hear(state, heir(who, new_id()))
    approved = await province.approve(cycle)
    assert (approved.status_code, approved.json()["withdrawn"]) == (200, 1)
    assert (await province.holds(cycle))[str(who)]["reason"] == "DECEASED"


async def test_a_living_persons_representative_collects_only_the_programmes_given(province: Any, due: Any) -> None:
    one, two, daughter = new_id(), new_id(), new_id()
    for who, programmes in ((one, ["MERIT"]), (two, ["SOCIAL_ASSISTANCE"])):
        await province.hear(
            province.beneficiary(who), province.dues(who, due(500_000)), province.verified(who),
            heir(who, daughter, basis="STANDING", programmes=programmes),
            province.method(who, "CASH_POST", payee=daughter, kind="AUTHORISED"),
        )  # fmt: skip
    _, lines, _ = await listed(province)
    assert (lines[str(one)]["payee_id"], lines[str(one)]["cash_reason"]) == (str(one), "REPRESENTATIVE_NOT_VALID")
    assert lines[str(two)]["payee_id"] == str(daughter)


async def test_what_was_not_paid_of_a_suspended_allowance_waits_for_the_decision_to_resume(province: Any, due: Any) -> None:
    who, allowance = new_id(), new_id()

    def said(kind: Any, version: int, status: str) -> Any:
        return kind(
            version=version, business_date=DAY, beneficiary_id=who, entitlement_id=allowance, programme="SOCIAL_ASSISTANCE",
            funding_source="LOCAL_BUDGET", benefit_line="A01", decision_number="1/QD", decision_date=DAY, from_month="2024-01",
            to_month=None,
            status=status, **UNIT,
        )  # fmt: skip

    await province.hear(*province.by_account(who, due(500_000, "2024-07", "2024-08", arrears=True)))
    await province.hear(said(registry_v1.EntitlementSuspended, 2, "SUSPENDED"))
    cycle, lines, holds = await listed(province)
    assert (not lines, holds[str(who)]["reason"], holds[str(who)]["amount"]) == (True, "SUSPENDED", 1_000_000)
    assert (await province.submit(cycle)).status_code == 200
    assert (await province.approve(cycle)).status_code == 200
    await province.hear(said(registry_v1.EntitlementResumed, 3, "GRANTED"))
    _, lines, holds = await listed(province, supplementary=True)
    assert (lines[str(who)]["amount"], not holds) == (1_000_000, True)


async def test_another_allowance_of_the_same_person_goes_on_while_one_is_suspended(province: Any, due: Any) -> None:
    who = new_id()
    second = registry_v1.DuesLine(
        programme="SOCIAL_ASSISTANCE", funding_source="LOCAL_BUDGET", benefit_line="A02", intervals=[due(300_000)]
    )
    await province.hear(
        province.beneficiary(who), province.verified(who),
        province.dues(who, due(500_000, "2024-08", "2024-08", arrears=True), more=[second]),
        registry_v1.EntitlementSuspended(
            version=2, business_date=DAY, beneficiary_id=who, entitlement_id=new_id(), programme="SOCIAL_ASSISTANCE",
            funding_source="LOCAL_BUDGET", benefit_line="A01", decision_number="1/QD", decision_date=DAY, from_month="2024-01",
            to_month=None,
            status="SUSPENDED", **UNIT,
        ),
    )  # fmt: skip
    _, lines, holds = await listed(province)
    assert (lines[str(who)]["amount"], lines[str(who)]["months"], not holds) == (300_000, ["2024-09"], True)
    [waits] = lines[str(who)]["waiting"]
    assert (waits["month"], waits["benefit_line"], waits["amount"], waits["reason"]) == ("2024-08", "A01", 500_000, "SUSPENDED")
    assert waits["action_vi"] == "Quyết định tiếp tục hoặc chấm dứt trợ cấp"
