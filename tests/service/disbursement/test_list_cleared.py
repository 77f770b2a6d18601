"""Every hold: what to do and who must do it in two languages; once the reason is gone, the next list pays without hand work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from common.contracts.disbursement_v1 import HoldReason
from common.contracts.identity_verify_v1 import Verdict
from common.ids import new_id
from disbursement.domain.holds import HOLDS

State = Callable[[Any, Any, UUID], Any]


def _person(**changed: Any) -> State:
    return lambda province, _due, who: province.beneficiary(who, **changed)


def _verdict(verdict: Verdict) -> State:
    return lambda province, _due, who: province.verified(who, verdict)


def _duplicate(value: bool) -> State:
    return lambda province, _due, who: province.beneficiary(who).model_copy(update={"unresolved_duplicate": value})


def _fraud(value: bool) -> State:
    return lambda province, _due, who: province.method(who, "CASH_POST").model_copy(update={"fraud_suspected": value})


def _dues(*, missing: bool) -> State:
    return lambda province, due, who: province.dues(who, due(500_000, missing=missing))


CASES: dict[HoldReason, tuple[State, State]] = {
    HoldReason.DECEASED: (_person(status="DECEASED"), _person(status="ACTIVE")),
    HoldReason.STOPPED: (_person(status="MISSING"), _person(status="ACTIVE")),
    HoldReason.SUSPECTED_IDENTITY: (_verdict(Verdict.SUSPECTED_IDENTITY), _verdict(Verdict.VERIFIED)),
    HoldReason.NOT_VERIFIED: (_verdict(Verdict.UNANSWERED), _verdict(Verdict.VERIFIED)),
    HoldReason.DUPLICATE: (_duplicate(True), _duplicate(False)),
    HoldReason.FRAUD_SUSPECTED: (_fraud(True), _fraud(False)),
    HoldReason.RATE_MISSING: (_dues(missing=True), _dues(missing=False)),
}


async def finish(province: Any, cycle: dict[str, Any]) -> dict[str, Any]:
    assert (await province.submit(cycle)).status_code == 200
    approved = await province.approve(cycle)
    assert approved.status_code == 200, approved.text
    return approved.json()  # type: ignore[no-any-return]


@pytest.mark.parametrize("reason", CASES)
async def test_a_cleared_reason_puts_the_person_on_the_supplementary_list(province: Any, due: Any, reason: HoldReason) -> None:
    who, (raised, cleared) = new_id(), CASES[reason]
    await province.hear(*province.by_account(who, due(500_000)))
    await province.hear(raised(province, due, who))
    cycle = await province.open()
    await province.compute(cycle)
    hold = (await province.holds(cycle))[str(who)]
    text = HOLDS[reason]
    assert (hold["reason"], hold["actor"], hold["action_vi"], hold["action_en"]) == (reason, text.actor, text.act_vi, text.act_en)
    await finish(province, cycle)
    await province.hear(cleared(province, due, who))
    second = await province.open(supplementary=True)
    await province.compute(second)
    assert (await province.lines(second))[str(who)]["amount"] == 500_000
    await finish(province, second)
    assert (await province.rows("SELECT released_at IS NOT NULL AS gone FROM hold")) == [{"gone": True}]


async def test_an_account_changed_after_the_list_is_paid_by_the_next(province: Any, due: Any) -> None:
    who, other, newer = new_id(), new_id(), new_id()
    await province.hear(*province.by_account(who, due(500_000)), *province.by_account(other, due(500_000)))
    cycle = await province.open()
    await province.compute(cycle)
    assert (await province.submit(cycle)).status_code == 200
    await province.hear(province.account(who, newer), province.method(who, "ACCOUNT", account_id=newer))
    assert (await province.approve(cycle)).json()["withdrawn"] == 1
    assert (await province.holds(cycle))[str(who)]["reason"] == "ACCOUNT_CHANGED"
    second = await province.open(supplementary=True)
    await province.compute(second)
    assert set(await province.lines(second)) == {str(who)}


async def test_parked_data_hold_until_they_are_replayed(province: Any, due: Any) -> None:
    who = new_id()
    await province.hear(*province.by_account(who, due(500_000)))
    await province.rows(
        'INSERT INTO parked_event (consumer, topic, partition, "offset", key, event_id, type, headers, body, error)'
        " VALUES ('disbursement', 'registry.beneficiary.v1', 0, 0, :who, gen_random_uuid(), 'X', '{}', '\\x00', 'x') RETURNING 1", who=who
    )  # fmt: skip
    cycle = await province.open()
    await province.compute(cycle)
    assert (await province.holds(cycle))[str(who)]["reason"] == "DATA_PARKED"
    await finish(province, cycle)
    await province.rows("UPDATE parked_event SET replayed_at = now() RETURNING 1")
    second = await province.open(supplementary=True)
    await province.compute(second)
    assert set(await province.lines(second)) == {str(who)}


def test_every_hold_reason_says_what_to_do_and_who_in_two_languages() -> None:
    assert set(HOLDS) == set(HoldReason)
    for text in HOLDS.values():
        assert all(part.strip() for part in (text.vi, text.en, text.act_vi, text.act_en, text.actor))
