"""Approval by amount and count, in stages, by delegates; rejection with reasons; money sent; approval as a job; lists made again."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from common.actor import SYSTEM, Role
from common.ids import new_id
from common.jobs import Job, JobRunner
from disbursement.usecases import approving, verify_list
from disbursement.usecases.approving import ListApprover
from disbursement.usecases.verify_list import ListVerifier


async def submitted(province: Any, due: Any, people: int = 2, **more: Any) -> dict[str, Any]:
    """A submitted list of so many people with 500,000 đồng each."""
    for _ in range(people):
        await province.hear(*province.by_account(new_id(), due(500_000)))
    cycle = await province.open(**more)
    await province.compute(cycle)
    answer = await province.submit(cycle)
    assert answer.status_code == 200, answer.text
    return cycle  # type: ignore[no-any-return]


async def approve(province: Any, cycle: dict[str, Any], role: Role, subject: str) -> Any:
    return await province.approve(cycle, province.client_as(province.app, role, subject=subject))


async def test_a_large_list_needs_two_stages_by_two_people(province: Any, due: Any) -> None:
    await province.rule("approval-policies", over_amount=900_000, stages=["DEPARTMENT_OFFICER", "APPROVER"])
    cycle = await submitted(province, due)
    assert (await approve(province, cycle, Role.APPROVER, "chief")).status_code == 403  # the head of department comes first
    assert (await approve(province, cycle, Role.DEPARTMENT_OFFICER, "maker")).status_code == 403
    first = await approve(province, cycle, Role.DEPARTMENT_OFFICER, "head")
    assert (first.status_code, first.json()["state"], first.json()["stages"]) == (200, "SUBMITTED", 2)
    assert await province.rows("SELECT 1 FROM payment") == []
    done = await approve(province, cycle, Role.APPROVER, "chief")
    assert done.json()["state"] == "APPROVED"
    assert [(a["stage"], a["approved_by"]) for a in done.json()["approvals"]] == [(1, "head"), (2, "chief")]
    assert len(await province.rows("SELECT 1 FROM payment")) == 2


async def test_one_person_is_one_stage(province: Any, due: Any) -> None:
    await province.rule("approval-policies", over_lines=1, stages=["APPROVER", "APPROVER"])
    cycle = await submitted(province, due)
    assert (await approve(province, cycle, Role.APPROVER, "one")).json()["state"] == "SUBMITTED"
    again = await approve(province, cycle, Role.APPROVER, "one")
    assert (again.status_code, again.json()["type"].rsplit("/", 1)[-1]) == (403, "four-eyes")
    assert (await approve(province, cycle, Role.APPROVER, "two")).json()["state"] == "APPROVED"


async def test_a_small_list_needs_one_stage(province: Any, due: Any) -> None:
    await province.rule("approval-policies", over_amount=900_000, stages=["APPROVER", "APPROVER"])
    cycle = await submitted(province, due, 1)
    assert (await approve(province, cycle, Role.APPROVER, "one")).json()["state"] == "APPROVED"


async def test_a_rejected_list_begins_again(province: Any, due: Any) -> None:
    await province.rule("approval-policies", over_amount=900_000, stages=["APPROVER", "APPROVER"])
    cycle = await submitted(province, due)
    assert (await approve(province, cycle, Role.APPROVER, "one")).json()["state"] == "SUBMITTED"
    form = {"reason": "Sai số tiền hộ 3", "reasons": ["AMOUNT_WRONG", "PAPERS_MISSING"]}
    two = province.client_as(province.app, Role.APPROVER, subject="two")
    rejected = await province.post(two, f"/v1/cycles/{cycle['cycle_id']}/reject", form)
    assert (rejected.json()["state"], rejected.json()["reasons"]) == ("COMPUTED", ["AMOUNT_WRONG", "PAPERS_MISSING"])
    assert (await province.submit(cycle)).status_code == 200
    assert (await approve(province, cycle, Role.APPROVER, "two")).json()["state"] == "SUBMITTED"
    assert (await approve(province, cycle, Role.APPROVER, "three")).json()["state"] == "APPROVED"


def today_is(province: Any, day: str) -> None:
    """The installation lives in the month of the list; the machine's own clock is years later."""
    province.settings.business_date = date.fromisoformat(day)


async def delegated(province: Any, delegate: str, **dates: str) -> None:
    form = {
        "business_date": "2024-08-01",
        "valid_from": "2024-08-15",
        "valid_to": "2024-08-31",
        "delegate": delegate,
        "reason": "Nghỉ phép",
    }
    chief = province.client_as(province.app, Role.APPROVER, subject="chief")
    proposed = await province.post(chief, "/v1/rulings/delegations", form | dates)
    assert proposed.status_code == 201, proposed.text
    path = f"/v1/rulings/{proposed.json()['ruling_id']}/approve"
    assert (await province.post(chief, path)).status_code == 403
    assert (await province.post(province.checker, path)).status_code == 200


async def test_a_delegate_approves_within_the_dates_and_in_whose_place_is_written(province: Any, due: Any) -> None:
    today_is(province, "2024-08-20")
    cycle = await submitted(province, due)
    assert (await approve(province, cycle, Role.DEPARTMENT_OFFICER, "deputy")).status_code == 403
    await delegated(province, "deputy")
    await delegated(province, "maker")
    assert (await approve(province, cycle, Role.DEPARTMENT_OFFICER, "maker")).status_code == 403  # made the list
    done = await approve(province, cycle, Role.DEPARTMENT_OFFICER, "deputy")
    assert (done.status_code, done.json()["approvals"][0]["on_behalf_of"]) == (200, "chief")


@pytest.mark.parametrize("dates", [{"valid_from": "2024-08-21"}, {"valid_to": "2024-08-19"}])
async def test_a_delegation_ends_with_its_dates(province: Any, due: Any, dates: dict[str, str]) -> None:
    today_is(province, "2024-08-20")
    cycle = await submitted(province, due)
    await delegated(province, "deputy", **dates)
    assert (await approve(province, cycle, Role.DEPARTMENT_OFFICER, "deputy")).status_code == 403


async def test_a_delegate_and_whom_they_stand_in_for_are_one_person(province: Any, due: Any) -> None:
    today_is(province, "2024-08-20")
    await province.rule("approval-policies", stages=["APPROVER", "APPROVER"])
    cycle = await submitted(province, due)
    await delegated(province, "deputy")
    assert (await approve(province, cycle, Role.DEPARTMENT_OFFICER, "deputy")).json()["state"] == "SUBMITTED"
    assert (await approve(province, cycle, Role.APPROVER, "chief")).status_code == 403


async def said_on(province: Any, cycle: dict[str, Any], client: Any, day: str, word: str = "approve", **more: Any) -> Any:
    form = {"list_hash": (await province.see(cycle))["list_hash"]} if word == "approve" else {"reason": "Sai số tiền hộ 3"}
    return await province.post(client, f"/v1/cycles/{cycle['cycle_id']}/{word}", form | {"business_date": day, **more})


@pytest.mark.parametrize(("real", "stated"), [("2024-09-02", "2024-08-25"), ("2024-08-14", "2024-08-25"), ("2024-08-25", "2024-09-02")])
async def test_a_stated_day_revives_no_delegation(province: Any, due: Any, real: str, stated: str) -> None:
    cycle = await submitted(province, due)
    await delegated(province, "deputy")  # 15 to 31 August
    deputy = province.client_as(province.app, Role.DEPARTMENT_OFFICER, subject="deputy")
    today_is(province, real)
    for word in ("approve", "reject"):
        assert (await said_on(province, cycle, deputy, stated, word)).status_code == 403
    today_is(province, "2024-08-25")
    assert (await said_on(province, cycle, deputy, "2024-08-31")).json()["state"] == "APPROVED"


@pytest.mark.parametrize(("real", "stated"), [("2024-09-02", "2024-08-25"), ("2024-08-25", "2024-09-02"), ("2024-09-02", "2024-09-05")])
async def test_a_stated_day_escapes_no_policy(province: Any, due: Any, real: str, stated: str) -> None:
    """Two stages from September on: neither who states August in September nor who states September in August gets by with one."""
    cycle = await submitted(province, due)
    await province.rule("approval-policies", stages=["APPROVER", "APPROVER"], valid_from="2024-09-01")
    await province.rule("settings", code="PREFUNDING_CHECK", value="REFUSE", valid_from="2024-09-01")
    today_is(province, real)
    first = await said_on(province, cycle, province.client_as(province.app, Role.APPROVER, subject="one"), stated)
    assert (first.json()["state"], first.json()["stages"]) == ("SUBMITTED", 2)
    second = await said_on(province, cycle, province.client_as(province.app, Role.APPROVER, subject="two"), stated)
    assert second.json()["type"].endswith("prefunding-short")


async def test_money_not_sent_is_warned_of_or_refused_by_setting(province: Any, due: Any) -> None:
    cycle = await submitted(province, due)
    await province.rule("settings", code="PREFUNDING_CHECK", value="REFUSE")
    refused = await province.approve(cycle)
    assert refused.json()["type"].endswith("prefunding-short")
    assert refused.json()["partners"] == [{"partner": "agribank", "needed": 1_000_000, "sent": 0}]
    movement = {"kind": "PREFUND", "cycle_id": cycle["cycle_id"], "partner": "agribank", "amount": 900_000, "document_number": "UNC 1",
                "document_date": "2024-08-22"}  # fmt: skip
    for amount, number in ((900_000, "UNC 1"), (100_000, "UNC 2")):
        made = await province.post(province.maker, "/v1/money-movements", movement | {"amount": amount, "document_number": number})
        assert made.status_code == 201, made.text
        path = f"/v1/money-movements/{made.json()['movement_id']}/decision"
        assert (await province.post(province.checker, path, {"approve": True, "business_date": "2024-08-22"})).status_code == 200
    assert (await province.approve(cycle)).json()["warnings"] == []


async def test_by_default_money_not_sent_is_a_warning(province: Any, due: Any) -> None:
    cycle = await submitted(province, due)
    assert (await province.approve(cycle)).json()["warnings"] == [
        {"code": "PREFUNDING_SHORT", "partner": "agribank", "needed": 1_000_000, "sent": 0}
    ]


async def run_job(province: Any, kind: str, handler: Any, answer: Any, seen_by: Any = None) -> dict[str, Any]:
    assert answer.status_code == 202, answer.text
    await JobRunner(province.db, {kind: handler}, owner="t").run_one()
    job = (await (seen_by or province.maker).get(f"/v1/jobs/{answer.json()['job_id']}")).json()
    assert job["state"] == "DONE", job
    return job  # type: ignore[no-any-return]


async def test_a_large_list_is_approved_as_a_job_refusing_at_once_what_cannot_be(province: Any, due: Any) -> None:
    cycle = await submitted(province, due)
    path, head = f"/v1/cycles/{cycle['cycle_id']}/approve", (await province.see(cycle))["list_hash"]
    wrong = await province.checker.post(
        path, json={"list_hash": "0" * 64}, headers={"Idempotency-Key": "wrong-hash", "Prefer": "respond-async"}
    )
    assert wrong.status_code == 409
    answer = await province.checker.post(
        path, json={"list_hash": head}, headers={"Idempotency-Key": "approve-job", "Prefer": "respond-async"}
    )
    job = await run_job(province, approving.JOB_KIND, ListApprover(province.db, province.settings).run, answer)
    assert (job["result"]["state"], job["done"], job["total"]) == ("APPROVED", 5, 5)
    audited = await province.rows("SELECT subject FROM audit_log WHERE action = 'list.approve'")
    assert [row["subject"] for row in audited] == ["checker"]
    [row] = await province.rows("SELECT * FROM job WHERE kind = 'approve-list'")
    repeat = Job(row["id"], row["kind"], row["detail"], row["requested_by"], row["business_date"], 2)
    again = await ListApprover(province.db, province.settings).run(repeat)
    assert again["state"] == "APPROVED"  # the worker died after its commit: nothing is done twice
    assert len(await province.rows("SELECT 1 FROM payment")) == 2


async def approved_later(province: Any, cycle: dict[str, Any], client: Any, request_id: str) -> Any:
    """The answer to somebody who asks for an approval as a job."""
    head = (await province.see(cycle))["list_hash"]
    headers = {"Idempotency-Key": request_id, "Prefer": "respond-async", "X-Request-ID": request_id}
    return await client.post(f"/v1/cycles/{cycle['cycle_id']}/approve", json={"list_hash": head}, headers=headers)


async def test_an_approval_as_a_job_is_audited_with_its_request_and_done_for_whoever_is_everywhere(province: Any, due: Any) -> None:
    await province.rule("approval-policies", over_lines=1, stages=["APPROVER", "APPROVER"])
    cycle = await submitted(province, due)
    run = ListApprover(province.db, province.settings).run
    for who, request in (("one", "request-one"), ("two", "request-two")):
        client = province.client_as(province.app, Role.APPROVER, units=("*",), subject=who)
        job = await run_job(province, approving.JOB_KIND, run, await approved_later(province, cycle, client, request), client)
    assert job["result"]["state"] == "APPROVED"
    audited = await province.rows("SELECT action, subject, request_id FROM audit_log WHERE action LIKE 'list.approve%' ORDER BY id")
    assert [tuple(row.values()) for row in audited] == [
        ("list.approve_stage", "one", "request-one"), ("list.approve", "two", "request-two"),
    ]  # fmt: skip


async def test_an_approval_queued_by_the_release_before_is_still_done(province: Any, due: Any) -> None:
    cycle = await submitted(province, due)
    answer = await approved_later(province, cycle, province.checker, "old-approval")
    async with province.db.transaction(SYSTEM("test")) as tx:
        await tx.execute(
            "UPDATE job SET detail = jsonb_set(detail, '{actor}', (detail -> 'actor') - CAST(:later AS text[]))"
            " WHERE kind = 'approve-list'",
            later=["partner", "client_id", "request_id", "everywhere"],
        )
    job = await run_job(province, approving.JOB_KIND, ListApprover(province.db, province.settings).run, answer)
    assert job["result"]["state"] == "APPROVED"


async def verified(province: Any, cycle: dict[str, Any]) -> dict[str, Any]:
    answer = await province.post(province.checker, f"/v1/cycles/{cycle['cycle_id']}/verify-list")
    job = await run_job(province, verify_list.JOB_KIND, ListVerifier(province.db).run, answer)
    return job["result"]  # type: ignore[no-any-return]


async def test_the_list_is_made_again_from_its_cut_off_whatever_happened_since(province: Any, due: Any) -> None:
    cycle = await submitted(province, due, 5)
    held, cash = new_id(), new_id()
    await province.hear(province.dues(held, due(400_000)), province.beneficiary(held, status="DECEASED"), province.verified(held))
    await province.hear(
        province.beneficiary(cash),
        province.dues(cash, due(300_000), due(200_000, "2023-10", "2023-12", arrears=True)),
        province.verified(cash),
    )
    second = await province.open(supplementary=True)
    await province.compute(second)
    assert (await province.submit(second)).status_code == 200
    assert (await province.approve(second)).status_code == 200
    before = await verified(province, second)
    assert (before["agrees"], before["beyond_due"], before["rules_same"]) == (True, 0, True)
    assert before["recomputed_hash"] == before["stored_hash"] == before["list_hash"]
    await province.hear(province.dues(cash), province.beneficiary(cash, status="DECEASED"), province.beneficiary(held))
    assert (await verified(province, second))["agrees"]
    assert (await verified(province, cycle))["agrees"]


async def test_an_altered_input_or_line_is_found(province: Any, due: Any, database: Any) -> None:
    cycle = await submitted(province, due)
    await province.rows("UPDATE list_line SET amount = amount + 1 RETURNING 1")
    found = await verified(province, cycle)
    assert (found["agrees"], found["inputs_intact"]) == (False, True)
    assert found["recomputed_hash"] == found["list_hash"] != found["stored_hash"]
    await province.rows("UPDATE list_line SET amount = amount - 1 RETURNING 1")
    await province.rows("UPDATE list_input SET body = replace(body, '500000', '500001') RETURNING 1")
    found = await verified(province, cycle)
    assert (found["agrees"], found["inputs_intact"], found["recomputed_hash"] == found["list_hash"]) == (False, False, False)


async def test_a_list_whose_inputs_were_not_kept_says_so(province: Any, due: Any) -> None:
    cycle = await submitted(province, due)
    await province.rows("UPDATE payment_list SET inputs_hash = NULL RETURNING 1")
    found = await verified(province, cycle)
    assert (found["agrees"], found["inputs_kept"], found["recomputed_hash"]) == (False, False, None)


async def test_my_work_shows_a_list_to_the_role_of_its_stage_and_not_to_its_maker(province: Any, due: Any) -> None:
    await province.rule("approval-policies", over_amount=900_000, stages=["DEPARTMENT_OFFICER", "APPROVER"])
    await province.rule("approval-policies", over_amount=5_000_000, stages=["APPROVER", "APPROVER", "APPROVER"])  # not reached

    async def waits_for(role: Role, subject: str, day: str = "2024-08-24") -> dict[str, Any]:
        answer = await province.client_as(province.app, role, subject=subject).get("/v1/work", params={"business_date": day})
        found = {item["kind"]: item for item in answer.json()["items"]}
        return found.get("lists_to_approve", {})  # type: ignore[no-any-return]

    cycle = await submitted(province, due)
    assert await waits_for(Role.DEPARTMENT_OFFICER, "maker") == {}
    assert await waits_for(Role.APPROVER, "chief") == {}
    item = await waits_for(Role.DEPARTMENT_OFFICER, "head")
    assert (item["count"], item["deadline_from"], item["resolve"]["path"]) == (1, "RECORD", "/v1/cycles/{cycle_id}/approve")
    month = cycle["month"][:7]
    assert item["deadline"][8:] == "24"
    assert item["deadline"][:7] < month
    assert (await waits_for(Role.DEPARTMENT_OFFICER, "head", "2030-01-01"))["overdue"] == 1
    await approve(province, cycle, Role.DEPARTMENT_OFFICER, "head")
    assert await waits_for(Role.DEPARTMENT_OFFICER, "head") == {}
    assert (await waits_for(Role.APPROVER, "chief"))["count"] == 1
    await approve(province, cycle, Role.APPROVER, "chief")
    assert await waits_for(Role.APPROVER, "chief") == {}
