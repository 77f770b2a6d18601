"""What people do about payments: UNKNOWN ones, words set aside, results by two, investigations, recalls, broken months."""

from __future__ import annotations

from typing import Any

import pytest

from common.auth import Role
from disbursement.usecases.run_cases import look_round

LETTER = {"number": "214/SLĐTBXH", "dated": "2024-09-10", "due_on": "2024-09-17"}
WITNESS = {"happened_on": "2024-09-05", "note": "the bank says so", "evidence": "CV 214/NHNo 10/9/2024"}


async def sent(world: Any, *lines: Any) -> None:
    await world.approve(list(lines))
    for partner in {line.partner for line in lines}:
        await world.send(partner)


async def unknown(world: Any, *lines: Any) -> None:
    await world.approve(list(lines))
    await world.script("error_500_after_accept", seconds=0)
    await world.send()


async def payment_id(world: Any, line: Any) -> str:
    return str(await world.value("SELECT payment_id FROM payment WHERE line_id = :id", id=line.line_id))


async def two_people_say(world: Any, maker: Any, checker: Any, line: Any, **said: Any) -> Any:
    proposed = await maker.post(f"/v1/payments/{await payment_id(world, line)}/manual-results", json={**WITNESS, **said})
    assert proposed.status_code == 201, proposed.text
    path = f"/v1/manual-results/{proposed.json()['manual_id']}/decision"
    return await checker.post(path, json={"confirm": True, "note": "seen the letter"})


async def test_a_payment_unknown_for_long_waits_for_a_person(world: Any, maker: Any, client_as: Any) -> None:
    fresh, old = world.line(), world.line()
    await unknown(world, fresh, old)
    assert (await maker.get("/v1/unknown-payments")).json()["items"] == []
    assert len((await maker.get("/v1/unknown-payments?for_person=false")).json()["items"]) == 2
    async with world.owner() as tx:
        await tx.execute("UPDATE partner_lane SET person_after_seconds = 0 WHERE partner = 'agribank'")
    page = (await maker.get("/v1/unknown-payments?partner=agribank&limit=1")).json()
    assert page["next_cursor"] is not None
    work = {item["kind"]: item for item in (await maker.get("/v1/work")).json()["items"]}
    waits = work["unknown_payments"]
    assert (waits["count"], waits["deadline_from"], waits["resolve"]["path"]) == (
        2, "HOUSE_RULE", "/v1/payments/{payment_id}/manual-results",
    )  # fmt: skip
    [item] = page["items"]
    assert (item["for_person"], item["reason"]["code"], item["batch_state"]) == (True, "PARTNER_ERROR", "UNCERTAIN")
    elsewhere = client_as(world.app, Role.DEPARTMENT_OFFICER, units=("91",))
    assert (await elsewhere.get("/v1/unknown-payments?for_person=false")).json()["items"] == []


@pytest.mark.parametrize(
    ("result", "status", "committed", "paid", "kind"),
    [("SETTLED", "SETTLED", 0, 500_000, "SETTLE"), ("FAILED", "FAILED", 0, 0, "FAIL"), ("RETURNED", "RETURNED", 0, 0, "RETURN")],
)
async def test_two_people_say_what_became_of_an_unknown_payment(
    world: Any, maker: Any, checker: Any, result: str, status: str, committed: int, paid: int, kind: str
) -> None:
    line = world.line()
    await unknown(world, line)
    done = await two_people_say(world, maker, checker, line, result=result)
    assert (done.status_code, done.json()["state"], done.json()["payment_status"]) == (200, "CONFIRMED", status)
    assert await world.rows("SELECT committed, paid FROM due_month_position") == [{"committed": committed, "paid": paid}]
    assert await world.value("SELECT count(*) FROM ledger_transfer WHERE kind = :kind", kind=kind) == 1
    assert await world.value("SELECT source FROM payment_history ORDER BY version DESC LIMIT 1") == "MANUAL"


async def test_one_person_alone_changes_nothing(world: Any, maker: Any, checker: Any, client_as: Any) -> None:
    line = world.line()
    await unknown(world, line)
    path = f"/v1/payments/{await payment_id(world, line)}/manual-results"
    assert (await maker.post(path, json={**WITNESS, "result": "SETTLED", "evidence": ""})).status_code == 422
    assert (await maker.post(path, json={**WITNESS, "result": "COLLECTED"})).json()["type"].endswith("result-not-possible")
    assert (await maker.post(path, json={**WITNESS, "result": "FAILED", "reason": "WHATEVER"})).status_code == 422
    proposed = await maker.post(path, json={**WITNESS, "result": "SETTLED"})
    assert (await maker.post(path, json={**WITNESS, "result": "FAILED"})).status_code == 409
    decision = f"/v1/manual-results/{proposed.json()['manual_id']}/decision"
    own = await maker.post(decision, json={"confirm": True, "note": "I say so twice"})
    assert (own.status_code, own.json()["type"].rsplit("/", 1)[-1]) == (409, "same-witness")
    far = client_as(world.app, Role.APPROVER, subject="far", units=("91",))
    assert (await far.post(decision, json={"confirm": True, "note": "not mine at all"})).status_code == 404
    assert await world.statuses() == {"UNKNOWN": 1}
    refused = await checker.post(decision, json={"confirm": False, "note": "the letter is about another"})
    assert refused.json()["state"] == "REFUSED"
    assert (await checker.post(decision, json={"confirm": True, "note": "changed my mind"})).status_code == 409
    assert await world.statuses() == {"UNKNOWN": 1}


async def test_what_the_partner_says_meanwhile_goes_first(world: Any, maker: Any, checker: Any) -> None:
    line = world.line()
    await unknown(world, line)
    proposed = await maker.post(f"/v1/payments/{await payment_id(world, line)}/manual-results", json={**WITNESS, "result": "FAILED"})
    await world.notice(await world.result("SETTLED", line))
    late = await checker.post(f"/v1/manual-results/{proposed.json()['manual_id']}/decision", json={"confirm": True, "note": "seen it"})
    assert (late.status_code, late.json()["payment_status"]) == (409, "SETTLED")
    assert await world.statuses() == {"SETTLED": 1}
    assert await world.value("SELECT state FROM manual_result") == "PROPOSED"


async def test_the_database_wants_two_people(world: Any, maker: Any) -> None:
    line = world.line()
    await unknown(world, line)
    await maker.post(f"/v1/payments/{await payment_id(world, line)}/manual-results", json={**WITNESS, "result": "SETTLED"})
    with pytest.raises(Exception, match="manual_by_two"):
        async with world.owner() as tx:
            await tx.execute("UPDATE manual_result SET state = 'CONFIRMED', decided_by = 'maker'")


async def test_a_word_set_aside_is_accepted_by_two_people_at_our_amount(world: Any, maker: Any, checker: Any) -> None:
    line = world.line()
    await sent(world, line)
    await world.notice(await world.result("SETTLED", line, amount=499_000))
    [item] = (await maker.get("/v1/quarantine")).json()["items"]
    assert item["next_step_vi"].startswith("Đối chiếu sao kê")
    proposed = await maker.post(f"/v1/quarantine/{item['quarantine_id']}/acceptance", json={**WITNESS, "result": "SETTLED"})
    assert proposed.status_code == 201
    assert await world.statuses() == {"SUBMITTED": 1}
    path = f"/v1/manual-results/{proposed.json()['manual_id']}/decision"
    assert (await checker.post(path, json={"confirm": True, "note": "statement of 6 September"})).status_code == 200
    assert await world.statuses() == {"SETTLED": 1}
    assert await world.value("SELECT paid FROM due_month_position") == 500_000
    [ended] = (await maker.get("/v1/quarantine?state=RESOLVED")).json()["items"]
    assert (ended["outcome"], ended["resolved_by"]) == ("ACCEPTED", "checker")


async def test_a_word_about_nothing_of_ours_can_only_be_dismissed(world: Any, maker: Any) -> None:
    line = world.line()
    await sent(world, line)
    await world.notice(await world.result("SETTLED", line, reference="NOBODYKNOWSTHIS"))
    [item] = (await maker.get("/v1/quarantine")).json()["items"]
    path = f"/v1/quarantine/{item['quarantine_id']}"
    refused = await maker.post(f"{path}/acceptance", json={**WITNESS, "result": "SETTLED"})
    assert (refused.status_code, refused.json()["type"].rsplit("/", 1)[-1]) == (409, "word-not-ours")
    assert (await maker.post(f"{path}/dismiss", json={"note": "the bank took it back"})).json()["outcome"] == "DISMISSED"
    assert (await maker.post(f"{path}/dismiss", json={"note": "the bank took it back"})).status_code == 404
    assert await world.value("SELECT note FROM quarantine") == "the bank took it back"


async def case_of(world: Any, maker: Any, line: Any, kind: str) -> str:
    opened = await maker.post(
        f"/v1/payments/{await payment_id(world, line)}/cases",
        json={"kind": kind, "reason": "the person did not get it", "business_date": "2024-09-09"},
    )
    assert opened.status_code == 201, opened.text
    case_id: str = opened.json()["case_id"]
    return case_id


async def test_an_investigation_with_letter_deadline_answer_and_end(world: Any, maker: Any, checker: Any) -> None:
    line = world.line()
    await unknown(world, line)
    case_id = await case_of(world, maker, line, "INVESTIGATION")
    path = f"/v1/payment-cases/{case_id}"
    again = await maker.post(
        f"/v1/payments/{await payment_id(world, line)}/cases",
        json={"kind": "INVESTIGATION", "reason": "a second time", "business_date": "2024-09-09"},
    )
    assert (again.status_code, again.json()["type"].rsplit("/", 1)[-1]) == (409, "case-exists")
    assert (await maker.post(f"{path}/answer", json={"number": "1", "answered_on": "2024-09-11", "answer": "too early"})).status_code == 409
    assert (await maker.post(f"{path}/letter", json={**LETTER, "due_on": "2024-09-01"})).status_code == 422
    assert (await maker.post(f"{path}/letter", json=LETTER)).json()["state"] == "SENT"
    page = (await maker.get(f"{path}/letter")).text
    for text in ("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "214/SLĐTBXH", "Năm trăm nghìn đồng", "17/09/2024", "Đề nghị tra soát"):
        assert text in page
    assert "190000" not in page
    overdue = "/v1/payment-cases?overdue_on="
    assert (await maker.get(overdue + "2024-09-17")).json()["items"] == []
    assert [item["case_id"] for item in (await maker.get(overdue + "2024-09-18")).json()["items"]] == [case_id]
    reminded = await maker.post(f"{path}/reminders", json={"due_on": "2024-09-24", "note": "called the branch"})
    assert reminded.json()["reminders"] == 1
    assert (await maker.get(overdue + "2024-09-18")).json()["items"] == []
    answered = await maker.post(f"{path}/answer", json={"number": "311/NHNo", "answered_on": "2024-09-20", "answer": "rejected by NAPAS"})
    assert answered.json()["state"] == "ANSWERED"
    early = await maker.post(f"{path}/close", json={"outcome": "NOT_PAID", "note": "as the bank says"})
    assert (early.status_code, early.json()["type"].rsplit("/", 1)[-1]) == (409, "outcome-needs-result")
    done = await two_people_say(world, maker, checker, line, result="FAILED", reason="PARTNER_REFUSED", case_id=case_id)
    assert done.status_code == 200
    case = (await maker.get(path)).json()
    assert (case["state"], case["outcome"], case["payment_status"], case["closed_by"]) == ("CLOSED", "NOT_PAID", "FAILED", "checker")
    assert [step["action"] for step in case["steps"]] == ["OPEN", "SEND", "REMIND", "ANSWER", "CLOSE"]


@pytest.mark.parametrize("by_people", [True, False])
async def test_a_recall_ends_when_the_money_came_back(world: Any, maker: Any, checker: Any, by_people: bool) -> None:
    line = world.line()
    await sent(world, line)
    early = await maker.post(
        f"/v1/payments/{await payment_id(world, line)}/cases",
        json={"kind": "RECALL", "reason": "paid to the wrong person", "business_date": "2024-09-09"},
    )
    assert (early.status_code, early.json()["payment_status"]) == (409, "SUBMITTED")
    await world.partner_works()
    await world.apply()
    case_id = await case_of(world, maker, line, "RECALL")
    await maker.post(f"/v1/payment-cases/{case_id}/letter", json=LETTER)
    assert "thu hồi" in (await maker.get(f"/v1/payment-cases/{case_id}/letter")).text
    if by_people:
        await two_people_say(world, maker, checker, line, result="RETURNED", case_id=case_id)
    else:
        await world.notice(await world.result("RETURNED", line))
        await look_round(world.db)
    case = (await maker.get(f"/v1/payment-cases/{case_id}")).json()
    assert (case["state"], case["outcome"], case["closed_by"]) == ("CLOSED", "RETURNED", "checker" if by_people else "cases")
    assert await world.statuses() == {"RETURNED": 1}


@pytest.mark.parametrize(("kind", "outcome", "status"), [
    ("RECALL", "NO_FUNDS", 200), ("RECALL", "REFUSED", 200), ("RECALL", "PAID", 409), ("RECALL", "RETURNED", 409),
    ("INVESTIGATION", "CREDITED_ELSEWHERE", 200), ("INVESTIGATION", "PAID", 200), ("INVESTIGATION", "NOT_PAID", 409),
])  # fmt: skip
async def test_outcomes_say_only_what_our_books_say(world: Any, maker: Any, kind: str, outcome: str, status: int) -> None:
    line = world.line()
    await sent(world, line)
    await world.partner_works()
    await world.apply()
    case_id = await case_of(world, maker, line, kind)
    assert (await look_round(world.db)) is False
    answer = await maker.post(f"/v1/payment-cases/{case_id}/close", json={"outcome": outcome, "note": "as they wrote"})
    assert answer.status_code == status
    assert await world.statuses() == {"SETTLED": 1}


async def test_a_case_answered_by_a_notice_ends_by_itself(world: Any, maker: Any) -> None:
    answered, silent = world.line(), world.line()
    await unknown(world, answered, silent)
    first, second = await case_of(world, maker, answered, "INVESTIGATION"), await case_of(world, maker, silent, "INVESTIGATION")
    await world.notice(await world.result("SETTLED", answered))
    await look_round(world.db)
    assert (await maker.get(f"/v1/payment-cases/{first}")).json()["outcome"] == "PAID"
    assert (await maker.get(f"/v1/payment-cases/{second}")).json()["state"] == "OPEN"
    cancelled = await maker.post(f"/v1/payment-cases/{second}/cancel", json={"note": "opened by mistake"})
    assert cancelled.json()["state"] == "CANCELLED"


SPOIL = "UPDATE allocation SET amount = amount - 1 WHERE line_id = :id"
EMPTY = "UPDATE due_month_position SET committed = 0 WHERE beneficiary_id = :who"


@pytest.mark.parametrize("spoil", [SPOIL, EMPTY])
async def test_months_that_do_not_add_up_stop_nobody_else_and_are_applied_once_repaired(world: Any, maker: Any, spoil: str) -> None:
    good, bad = world.line(), world.line()
    await sent(world, good, bad)
    about = {"id": bad.line_id} if ":id" in spoil else {"who": bad.beneficiary_id}
    async with world.owner() as tx:
        await tx.execute(spoil, **about)
    await world.partner_works()
    await world.apply()
    assert await world.statuses() == {"SETTLED": 1, "SUBMITTED": 1}
    assert await world.rows("SELECT state, results FROM partner_notice") == [{"state": "APPLIED", "results": 2}]
    [item] = (await maker.get("/v1/quarantine")).json()["items"]
    assert (item["reason"], item["said"]["status"]) == ("EFFECT_MISMATCH", "SETTLED")
    assert await world.value("SELECT paid FROM due_month_position WHERE beneficiary_id = :who", who=good.beneficiary_id) == 500_000
    async with world.owner() as tx:
        repair = spoil.replace("amount - 1", "amount + 1").replace("committed = 0", "committed = 500000")
        await tx.execute(repair, **about)
    await world.inquire()
    assert await world.statuses() == {"SETTLED": 2}


async def test_a_refusal_of_a_payment_with_broken_months_is_unknown_not_lost(world: Any) -> None:
    line = world.line()
    await world.approve([line])
    async with world.owner() as tx:
        await tx.execute(SPOIL, id=line.line_id)
    await world.script("reject", code="ACCOUNT_CLOSED")
    await world.send()
    assert await world.rows("SELECT status, reason, inquire_at IS NOT NULL AS asked FROM payment") == [
        {"status": "UNKNOWN", "reason": "EFFECT_MISMATCH", "asked": True}
    ]


async def test_what_must_not_be_sent_and_cannot_be_withdrawn_is_not_sent(world: Any) -> None:
    goes, stays = world.line(), world.line()
    await world.approve([goes, stays])
    async with world.owner() as tx:
        await tx.execute(SPOIL, id=stays.line_id)
        await tx.execute("UPDATE beneficiary SET status = 'DECEASED' WHERE beneficiary_id = :who", who=stays.beneficiary_id)
    await world.send()
    assert await world.statuses() == {"SUBMITTED": 1, "APPROVED": 1}
    assert len(await world.books()) == 1
    async with world.owner() as tx:
        await tx.execute(SPOIL.replace("- 1", "+ 1"), id=stays.line_id)
        await tx.execute("UPDATE payment_batch SET next_at = now() WHERE state = 'READY'")
    await world.send()
    assert await world.statuses() == {"SUBMITTED": 1, "CANCELLED": 1}
    assert len(await world.books()) == 1


async def test_a_notice_that_breaks_our_books_waits_alone(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from disbursement.storage import payment_moves

    good, bad = world.line(), world.line()
    await sent(world, good, bad)
    apply = payment_moves._apply

    async def refuse(tx: Any) -> Any:
        if await tx.value("SELECT 1 FROM payment_move m JOIN payment p USING (payment_id) WHERE p.line_id = :id", id=bad.line_id):
            raise payment_moves.EffectMismatch("nobody knows whose")
        return await apply(tx)

    monkeypatch.setattr(payment_moves, "_apply", refuse)
    await world.deliver({"type": "payment.results", "results": [await world.result("SETTLED", bad)]})
    await world.deliver({"type": "payment.results", "results": [await world.result("SETTLED", good)]})
    await world.apply()
    assert await world.statuses() == {"SETTLED": 1, "SUBMITTED": 1}
    assert await world.rows("SELECT state, failures FROM partner_notice ORDER BY received_at") == [
        {"state": "RECEIVED", "failures": 1}, {"state": "APPLIED", "failures": 0},
    ]  # fmt: skip


async def test_reasons_tell_who_does_what_next(world: Any, client_as: Any) -> None:
    found = {item["code"]: item for item in (await client_as(world.app, Role.COMMUNE_OFFICER).get("/v1/payment-reasons")).json()}
    assert found["ACCOUNT_CLOSED"]["account_becomes"] == "CLOSED"
    assert found["NOT_COLLECTED"]["account_becomes"] is None
    assert found["ACCOUNT_CLOSED"]["next_step_vi"].endswith("Sau đó chi lại.")
