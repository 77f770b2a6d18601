"""Batches that travel as files, judged by the bank's books: taken once, refused in part, acknowledged late or never."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest
from bank_files import all_done, batch_of, file_sent, paid_in_books
from lxml import etree

from common import clock
from common.auth import SYSTEM, Role
from common.webhooks import sign
from disbursement.channels.protocol import PartnerResult
from disbursement.domain.payment import ResultStatus
from disbursement.storage import budget_codes
from disbursement.usecases.record_results import Told, record_results

FORMS = {"pain": {"channel": "iso20022"}, "xlsx": {"channel": "bank_file"}, "csv": {"channel": "bank_file", "file_form": "CSV"}}
PURPOSE = "Nộp tệp cho ngân hàng"
PAIN_ANSWER = "urn:iso:std:iso:20022:tech:xsd:pain.002.001.03"


def answer(message_id: str, group: str, *items: tuple[str, str, str], code: str = "") -> bytes:
    """A pain.002: (reference, status, reason code) of payments, after the group's status."""
    reason = "<StsRsnInf><Rsn><Cd>{}</Cd></Rsn></StsRsnInf>"
    lines = "".join(
        f"<TxInfAndSts><OrgnlEndToEndId>{ref}</OrgnlEndToEndId><TxSts>{status}</TxSts>{reason.format(why) if why else ''}</TxInfAndSts>"
        for ref, status, why in items
    )
    block = f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>{message_id}</OrgnlPmtInfId>{lines}</OrgnlPmtInfAndSts>" if lines else ""
    whole = f"<GrpSts>{group}</GrpSts>" if group else ""
    return (
        f'<Document xmlns="{PAIN_ANSWER}"><CstmrPmtStsRpt><GrpHdr><MsgId>S1</MsgId><CreDtTm>2024-09-05T02:14:07Z</CreDtTm></GrpHdr>'
        f"<OrgnlGrpInfAndSts><OrgnlMsgId>{message_id}</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>{whole}"
        f"{reason.format(code) if code else ''}</OrgnlGrpInfAndSts>{block}</CstmrPmtStsRpt></Document>"
    ).encode()


@pytest.mark.parametrize("bank", [pytest.param(fields, id=name) for name, fields in FORMS.items()], indirect=True)
async def test_a_file_is_unknown_until_the_bank_says_so_and_is_paid_once(bank: Any) -> None:
    _, references = await file_sent(bank)
    assert await bank.statuses() == {"UNKNOWN": 3}
    assert {row["reason"] for row in await bank.rows("SELECT reason FROM payment")} == {"AWAITING_ACKNOWLEDGEMENT"}
    assert [row["reference"] for row in sorted(await bank.books(), key=lambda row: row["reference"])] == references
    assert not await bank.inquire()
    assert (await batch_of(bank))["state"] == "UNCERTAIN"
    await bank.simulator.deliver()
    await bank.apply()
    assert await bank.statuses() == {"SUBMITTED": 3}
    await all_done(bank)
    assert await bank.statuses() == {"SETTLED": 3}
    assert await paid_in_books(bank) == [500_000] * 3
    assert (await batch_of(bank))["state"] == "SENT"
    assert await bank.value("SELECT state FROM payment_cycle") == "SETTLING"


@pytest.mark.parametrize("bank", [pytest.param(fields, id=name) for name, fields in FORMS.items()], indirect=True)
async def test_a_partial_rejection_rejects_only_those(bank: Any) -> None:
    await bank.approve([bank.line(), bank.line(amount=600_000_000), bank.line()])
    await bank.send()
    await all_done(bank)
    assert await bank.statuses() == {"SETTLED": 2, "FAILED": 1}
    assert await bank.value("SELECT reason FROM payment WHERE status = 'FAILED'") == "LIMIT_EXCEEDED"
    assert await paid_in_books(bank) == [500_000] * 2
    assert await bank.value("SELECT count(*) FROM quarantine") == 0


async def test_rejections_named_in_a_part_leave_the_others_unknown_and_a_whole_word_speaks_of_the_rest(bank: Any) -> None:
    message, refs = await file_sent(bank, 4)
    await bank.deliver(answer(message, "PART", (refs[0], "RJCT", "AC04")))
    await bank.apply()
    assert await bank.statuses() == {"FAILED": 1, "UNKNOWN": 3}
    assert await bank.value("SELECT reason FROM payment WHERE status = 'FAILED'") == "ACCOUNT_CLOSED"
    await bank.deliver(answer(message, "ACSP", (refs[1], "ACSC", "")))
    await bank.apply()
    assert await bank.statuses() == {"FAILED": 1, "SETTLED": 1, "SUBMITTED": 2}
    assert await bank.value("SELECT count(*) FROM quarantine") == 0


async def test_a_code_nobody_knows_is_unknown_and_a_person_looks(bank: Any) -> None:
    message, refs = await file_sent(bank, 3)
    await bank.deliver(answer(message, "PART", (refs[0], "RJCT", "ZZ99"), (refs[1], "RJCT", "AM05"), (refs[2], "ACCP", "")))
    await bank.apply()
    assert await bank.statuses() == {"UNKNOWN": 2, "SUBMITTED": 1}
    assert {row["reason"] for row in await bank.rows("SELECT reason FROM quarantine")} == {"UNRECOGNISED_CODE"}


async def test_words_about_strange_messages_payments_and_sums_are_set_aside(bank: Any) -> None:
    message, refs = await file_sent(bank, 2)
    await bank.deliver(answer("B" + "0" * 32, "RJCT", code="AC04"))
    await bank.deliver(answer(message, "PART", ("F" * 32 + "001", "RJCT", "AC04")))
    await bank.deliver(answer("B" + "0" * 32, "PART", (refs[0], "ACSC", "")))
    wrong = answer(message, "RJCT").replace(b"<GrpSts>", b"<OrgnlCtrlSum>999</OrgnlCtrlSum><GrpSts>")
    await bank.deliver(wrong)
    await bank.apply()
    assert await bank.statuses() == {"UNKNOWN": 2}
    found = sorted(row["reason"] for row in await bank.rows("SELECT reason FROM quarantine"))
    assert found == ["AMOUNT_DIFFERS", "AMOUNT_DIFFERS", "REFERENCE_UNKNOWN", "REFERENCE_UNKNOWN"]


async def test_a_lost_acknowledgement_is_no_reason_to_send_again_and_a_person_uploads_the_same_bytes(bank: Any, operator: Any) -> None:
    await bank.script("no_notices")
    await file_sent(bank, 2)
    await bank.partner_works()
    for _ in range(3):
        await bank.inquire()
        await bank.take_over()
        await bank.send()
    batch = await batch_of(bank)
    assert (batch["state"], batch["sends"]) == ("UNCERTAIN", 1)
    path = f"/v1/batches/{batch['batch_id']}/upload"
    again = await operator.post(path, json={"reason": "Ngân hàng báo chưa nhận"}, headers={"Idempotency-Key": "again-number-1"})
    assert again.status_code == 200, again.text
    await bank.send()
    detail = (await operator.get(f"/v1/batches/{batch['batch_id']}")).json()
    assert [(step["kind"], step["actor"]) for step in detail["steps"]][1] == ("UPLOAD_ASKED", "nguyen.van.hanh")
    assert len({step["sha256"] for step in detail["steps"]}) == 1
    assert (detail["sends"], await bank.statuses()) == (2, {"UNKNOWN": 2})
    assert await paid_in_books(bank) == [500_000] * 2


async def test_a_second_copy_refused_as_a_whole_says_nothing_of_the_first(bank: Any, operator: Any) -> None:
    await bank.script("no_notices")
    message, _ = await file_sent(bank, 2)
    batch = await batch_of(bank)
    body = {"reason": "Ngân hàng báo chưa nhận"}
    await operator.post(f"/v1/batches/{batch['batch_id']}/upload", json=body, headers={"Idempotency-Key": "again-number-1"})
    await bank.send()
    await bank.deliver(answer(message, "RJCT", code="MS03"))
    await bank.apply()
    assert await bank.statuses() == {"UNKNOWN": 2}
    assert await bank.value("SELECT reason FROM quarantine") == "REJECTED_AFTER_RESEND"


@pytest.mark.parametrize("group", ["RJCT", "PART", ""])
async def test_a_second_copy_refused_by_name_says_nothing_of_the_first_either(bank: Any, operator: Any, group: str) -> None:
    """The bank pays the first copy; believing it of the second would make the months payable again."""
    await bank.script("no_notices")
    message, refs = await file_sent(bank, 2)
    path = f"/v1/batches/{(await batch_of(bank))['batch_id']}/upload"
    await operator.post(path, json={"reason": "Ngân hàng báo chưa nhận"}, headers={"Idempotency-Key": "again-number-1"})
    await bank.send()
    await bank.deliver(answer(message, group, *((ref, "RJCT", "MS03") for ref in refs)))
    await bank.apply()
    assert await bank.statuses() == {"UNKNOWN": 2}
    assert await bank.value("SELECT sum(committed) FROM due_month_position") == 1_000_000
    aside = await bank.rows("SELECT reason, reference, payment_id IS NOT NULL AS ours FROM quarantine WHERE reference <> :m", m=message)
    assert [(row["reason"], row["reference"], row["ours"]) for row in sorted(aside, key=lambda row: row["reference"])] == [
        ("REJECTED_AFTER_RESEND", ref, True) for ref in refs
    ]
    await bank.simulator.settle()
    assert await paid_in_books(bank) == [500_000] * 2


@pytest.mark.parametrize("named", [True, False])
async def test_after_a_restore_nobody_knows_how_often_a_file_was_handed_over(bank: Any, named: bool) -> None:
    """The first hand-over is among what the database lost."""
    message, refs = await file_sent(bank, 2)
    async with bank.owner() as tx:
        await tx.execute("INSERT INTO database_restore (life, read_at, lost_events) VALUES ('x', now(), 1)")
    await bank.deliver(answer(message, "RJCT", *((ref, "RJCT", "MS03") for ref in refs if named), code="MS03"))
    await bank.apply()
    assert await bank.statuses() == {"UNKNOWN": 2}
    assert {row["reason"] for row in await bank.rows("SELECT reason FROM quarantine")} == {"REJECTED_AFTER_RESEND"}


@pytest.mark.parametrize("bank", [pytest.param({"channel": "bank_file", "delivery": "MANUAL", "url": ""}, id="xlsx")], indirect=True)
async def test_a_sheet_taken_twice_is_not_refused_by_one_answer(bank: Any, operator: Any) -> None:
    await file_sent(bank, 1)
    path = f"/v1/batches/{(await batch_of(bank))['batch_id']}/file"
    for _ in range(2):
        assert (await operator.get(path, params={"purpose": PURPOSE})).status_code == 200
    [reference] = [row["reference"] for row in await bank.rows("SELECT reference FROM payment")]
    async with bank.db.transaction(SYSTEM("notices")) as tx:
        told = PartnerResult(reference, ResultStatus.FAILED, 500_000, "VND", "ACCOUNT_CLOSED", None, None, {})
        await record_results(tx, "agribank", "NOTICE", [Told("x", told)])
    assert await bank.statuses() == {"UNKNOWN": 1}
    assert await bank.value("SELECT reason FROM quarantine") == "REJECTED_AFTER_RESEND"


async def test_a_file_refused_as_a_whole_once_handed_over_fails_all(bank: Any) -> None:
    await bank.script("outage")
    message, _ = await file_sent(bank, 2)
    assert await bank.books() == []
    await bank.deliver(answer(message, "RJCT", code="FF01"))
    await bank.apply()
    assert await bank.statuses() == {"FAILED": 2}
    assert await bank.value("SELECT sum(committed) FROM due_month_position") == 0


@pytest.mark.parametrize("behaviour", ["timeout_after_accept", "error_500", "redirect"])
async def test_an_upload_without_an_answer_waits_for_a_word_and_never_repeats_itself(bank: Any, behaviour: str) -> None:
    await bank.script(behaviour, seconds=0)
    await file_sent(bank, 2)
    for _ in range(2):
        await bank.inquire()
        await bank.send()
    assert (await batch_of(bank))["sends"] == 1
    await all_done(bank)
    arrived = behaviour.endswith("accept")
    assert await bank.statuses() == ({"SETTLED": 2} if arrived else {"UNKNOWN": 2})
    assert await paid_in_books(bank) == ([500_000] * 2 if arrived else [])


@pytest.mark.parametrize("bank", [{"delivery": "MANUAL", "url": ""}], indirect=True)
async def test_a_person_carries_the_file_and_brings_the_answer(bank: Any, operator: Any, client_as: Any) -> None:
    await file_sent(bank, 2)
    assert await bank.books() == []
    assert {row["reason"] for row in await bank.rows("SELECT reason FROM payment")} == {"FILE_WAITS"}
    batch_id = (await batch_of(bank))["batch_id"]
    path = f"/v1/batches/{batch_id}"
    assert (await operator.get(f"{path}/file")).status_code == 422
    auditor = client_as(bank.app, Role.AUDITOR)
    assert (await auditor.get(f"{path}/file", params={"purpose": PURPOSE})).status_code == 403
    file = await operator.get(f"{path}/file", params={"purpose": PURPOSE})
    assert (file.status_code, file.headers["cache-control"]) == (200, "no-store")
    assert file.content == (await operator.get(f"{path}/file", params={"purpose": PURPOSE})).content
    upload = await operator.post(f"{path}/upload", json={"reason": "gửi lại tệp này"}, headers={"Idempotency-Key": "up-number-1"})
    assert (upload.status_code, upload.json()["type"]) == (409, "/problems/file-with-a-person")
    await _hand_in(bank, file.content)
    await bank.simulator.settle()
    for number, notice in enumerate((await bank.partner_http.get("http://partner/control/notices")).json()["notices"]):
        body = (await bank.partner_http.get(f"http://partner/control/notices/{notice['id']}/body")).content
        sent = {"files": {"file": ("pain002.xml", body)}, "headers": {"Idempotency-Key": f"answer-number-{number}"}}
        assert (await operator.post(f"{path}/acknowledgement", **sent)).status_code == 202
    await bank.apply()
    assert await bank.statuses() == {"SETTLED": 2}
    assert await paid_in_books(bank) == [500_000] * 2
    detail = (await operator.get(path)).json()
    kinds = [step["kind"] for step in detail["steps"]]
    assert kinds == ["READY", "DOWNLOADED", "DOWNLOADED", "ACKNOWLEDGED", "ACKNOWLEDGED"]
    said = await bank.rows("SELECT subject, purpose FROM audit_log WHERE action = 'batch.download'")
    assert (said[0]["subject"], said[0]["purpose"]) == ("nguyen.van.hanh", PURPOSE)


@pytest.mark.parametrize("bank", [{"delivery": "MANUAL", "url": ""}], indirect=True)
async def test_a_file_is_not_given_out_while_payments_are_stopped(bank: Any, operator: Any, client_as: Any) -> None:
    await file_sent(bank, 2)
    path = f"/v1/batches/{(await batch_of(bank))['batch_id']}/file"
    stop = client_as(bank.app, Role.DEPARTMENT_OFFICER, subject="pham.thi.dung")
    made = await stop.post(
        "/v1/pauses", json={"partner": "agribank", "reason": "Ngân hàng báo sự cố"}, headers={"Idempotency-Key": "stop-number-1"}
    )
    assert made.status_code == 201, made.text
    refused = await operator.get(path, params={"purpose": PURPOSE})
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/file-stopped")
    assert await bank.rows("SELECT kind FROM batch_file_step") == [{"kind": "READY"}]


async def _hand_in(bank: Any, content: bytes) -> Any:
    headers = sign(bank.context.lanes["agribank"].partner.outbound_secret, "at-the-counter", clock.now(), content)
    return await bank.partner_http.put("http://partner/agribank/v1/files/x", content=content, headers=headers)


async def test_the_bank_takes_a_message_id_once(bank: Any, operator: Any) -> None:
    await file_sent(bank, 2)
    batch_id = (await batch_of(bank))["batch_id"]
    file = (await operator.get(f"/v1/batches/{batch_id}/file", params={"purpose": PURPOSE})).content
    assert (await _hand_in(bank, file)).status_code == 202
    assert (await _hand_in(bank, file.replace(b">500000<", b">500001<").replace(b">1000000<", b">1000002<"))).status_code == 409
    assert len(await bank.books()) == 2
    await all_done(bank)
    assert await paid_in_books(bank) == [500_000] * 2


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><Document>&b;</Document>', "DOCTYPE"),
        (b'<?xml version="1.0"?><!DOCTYPE d SYSTEM "file:///etc/passwd"><d/>', "DOCTYPE"),
        (b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"/>', "pain.002"),
        (b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.99"/>', "pain.002.001.99"),
        (f'<Document xmlns="{PAIN_ANSWER}"><CstmrPmtStsRpt/></Document>'.encode(), "not valid"),
        ('<?xml version="1.0" encoding="utf-16"?><Document/>'.encode("utf-16"), "UTF-8"),
        (b'<?xml version="1.0" encoding="utf-7"?><Document/>', "UTF-8"),
        (b"{}", "pain.002"),
        (b"<Document", "pain.002"),
    ],
)
async def test_what_is_no_answer_to_a_file_is_set_aside_and_moves_nothing(bank: Any, body: bytes, word: str) -> None:
    await file_sent(bank, 1)
    assert (await bank.deliver(body)).status_code == 202
    await bank.apply()
    assert await bank.statuses() == {"UNKNOWN": 1}
    assert word in (await bank.value("SELECT said ->> 'error' FROM quarantine WHERE reason = 'UNREADABLE'"))


async def test_our_file_is_valid_unaccented_and_short(bank: Any, operator: Any) -> None:
    message, references = await file_sent(bank, 2)
    batch_id = (await batch_of(bank))["batch_id"]
    content = (await operator.get(f"/v1/batches/{batch_id}/file", params={"purpose": PURPOSE})).content
    assert content.isascii()
    root: Any = etree.fromstring(content)
    space = {"p": "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"}
    assert root.xpath("string(//p:GrpHdr/p:MsgId)", namespaces=space) == message
    assert root.xpath("//p:EndToEndId/text()", namespaces=space) == references
    assert {float(word) for word in root.xpath("//p:CtrlSum/text()", namespaces=space)} == {1_000_000.0}
    assert set(root.xpath("//p:Cdtr/p:Nm/text()", namespaces=space)) == {"DANG THI HOA"}
    assert set(root.xpath("//p:Ustrd/text()", namespaces=space)) == {"AN SINH THANG 09/2024"}
    assert bytes(await bank.value("SELECT request FROM payment_batch")) != content


async def test_the_payment_order_says_the_sum_in_words_and_the_file_s_fingerprint(bank: Any, operator: Any) -> None:
    await file_sent(bank, 3)
    detail = (await operator.get(f"/v1/batches/{(await batch_of(bank))['batch_id']}")).json()
    page = await operator.get(f"/v1/batches/{detail['batch_id']}/payment-order")
    for word in ("Ủy nhiệm chi", "1.500.000 đồng", "Một triệu năm trăm nghìn đồng", detail["sha256"], "102030405060", "CỘNG HÒA"):
        assert word in page.text


@pytest.mark.parametrize("bank", [{"payer": None}], indirect=True)
async def test_without_our_account_nothing_is_built_and_the_batch_waits_loudly(bank: Any) -> None:
    await file_sent(bank, 1)
    assert await bank.statuses() == {"APPROVED": 1}
    assert await bank.value("SELECT reason FROM quarantine") == "PAYER_MISSING"
    assert (await batch_of(bank))["state"] == "READY"
    assert not await bank.take_over()


@pytest.mark.parametrize("bank", [{"payer": None}], indirect=True)
async def test_a_batch_that_cannot_go_stands_again_after_it_was_dismissed(bank: Any, operator: Any) -> None:
    """Its people are not paid, and nothing else says so."""
    await file_sent(bank, 1)
    for times in range(2):
        [waits] = (await operator.get("/v1/quarantine")).json()["items"]
        assert (waits["reason"], waits["dismissed_before"]) == ("PAYER_MISSING", times)
        path, key = f"/v1/quarantine/{waits['quarantine_id']}/dismiss", {"Idempotency-Key": f"dismissal-number-{times}"}
        assert (await operator.post(path, json={"note": "Đã báo kỹ thuật"}, headers=key)).json()["outcome"] == "DISMISSED"
        assert (await operator.get("/v1/quarantine")).json()["items"] == []
        async with bank.owner() as tx:
            await tx.execute("UPDATE payment_batch SET next_at = now()")
        await bank.send()


@pytest.mark.parametrize("bank", [{"channel": "treasury_file", "file_form": "CSV"}], indirect=True)
async def test_treasury_files_carry_the_codes_that_two_people_set(bank: Any, operator: Any, client_as: Any) -> None:
    await file_sent(bank, 2)
    assert await bank.value("SELECT reason FROM quarantine") == "BUDGET_CODES_MISSING"
    maker, checker = client_as(bank.app, Role.DEPARTMENT_OFFICER), client_as(bank.app, Role.APPROVER, subject="second")
    codes = {
        "programme": "SOCIAL_ASSISTANCE", "funding_source": "LOCAL_BUDGET", "valid_from": "2024-01-01", "level": "2", "chapter": "424",
        "category": "370", "item": "398", "legal_ref": "dự toán 2024",
    }  # fmt: skip
    made = await maker.post("/v1/budget-codes", json=codes, headers={"Idempotency-Key": "codes-number-1"})
    assert made.status_code == 201, made.text
    twice = await maker.post("/v1/budget-codes", json=codes, headers={"Idempotency-Key": "codes-number-2"})
    assert (twice.status_code, twice.json()["type"]) == (409, "/problems/codes-exist")
    await _again(bank)
    assert await bank.statuses() == {"APPROVED": 2}
    decided = await checker.post(f"/v1/budget-codes/{made.json()['code_id']}/decision", json={"approve": True})
    assert decided.json()["state"] == "APPROVED"
    await _again(bank)
    content = (await operator.get(f"/v1/batches/{(await batch_of(bank))['batch_id']}/file", params={"purpose": PURPOSE})).text
    assert ";1053661;102030405060;2;424;370;398;;;" in content
    await all_done(bank)
    assert await paid_in_books(bank) == [500_000] * 2
    listed = (await checker.get("/v1/budget-codes")).json()["items"]
    merit = next(item for item in listed if item["programme"] == "MERIT")
    assert (merit["chapter"], merit["category"], merit["item"], merit["valid_to"]) == ("024", "370", "371", "2025-02-28")
    assert "chương nào" in merit["question_vi"]


@pytest.mark.parametrize("bank", [{"channel": "treasury_file", "file_form": "CSV"}], indirect=True)
async def test_the_chapter_after_the_ministry_s_end_is_asked_and_never_guessed(bank: Any, operator: Any, client_as: Any) -> None:
    async with bank.owner() as tx:
        for day, chapter in ((date(2025, 2, 28), "024"), (date(2025, 3, 1), None)):
            codes = await budget_codes.valid_on(tx, "MERIT", "CENTRAL_BUDGET", day)
            assert (codes.chapter if codes else None) == chapter
    maker, checker = client_as(bank.app, Role.DEPARTMENT_OFFICER), client_as(bank.app, Role.APPROVER, subject="second")

    async def asked(on: str) -> list[str]:
        items = (await checker.get("/v1/rulings/settings", params={"on": on})).json()["items"]
        return [item["question_vi"] for item in items if item["value"] == "UNANSWERED"]

    assert await asked("2025-02-28") == []
    [question] = await asked("2025-03-01")
    assert "mã chương nào" in question
    form = {
        "programme": "MERIT", "funding_source": "CENTRAL_BUDGET", "valid_from": "2025-03-01", "level": "01", "chapter": "099",
        "category": "370", "item": "371", "legal_ref": "công văn trả lời của Bộ Tài chính",
    }  # fmt: skip
    made = await maker.post("/v1/budget-codes", json=form, headers={"Idempotency-Key": "codes-number-9"})
    assert await asked("2025-03-01") == [question]  # one person's word is no answer
    await checker.post(f"/v1/budget-codes/{made.json()['code_id']}/decision", json={"approve": True})
    assert await asked("2025-03-01") == []


@pytest.mark.parametrize("bank", [FORMS["csv"], {"channel": "treasury_file", "file_form": "CSV"}], indirect=True)
@pytest.mark.parametrize(
    ("hour", "cells", "printed"), [(10, "20/08/2024;", "20/08/2024<"), (17, "21/08/2024;x", "21/08/2024 (gửi sau giờ chốt")]
)
async def test_papers_and_sheets_say_the_value_date(bank: Any, operator: Any, hour: int, cells: str, printed: str) -> None:
    moment = datetime(2024, 8, 20, hour, 30, tzinfo=clock.VIETNAM)
    bank.context = replace(bank.context, partner_clock=lambda: moment)
    async with bank.owner() as tx:
        await tx.execute(
            "INSERT INTO budget_code (programme, funding_source, valid_from, level, chapter, category, item, legal_ref, state,"
            " proposed_by, decided_by) VALUES ('SOCIAL_ASSISTANCE', 'LOCAL_BUDGET', '2024-01-01', '2', '424', '370', '398', 'x',"
            " 'APPROVED', 'x', 'y')"
        )
    await file_sent(bank, 2)
    batch = (await batch_of(bank))["batch_id"]
    content = (await operator.get(f"/v1/batches/{batch}/file", params={"purpose": PURPOSE})).text.splitlines()
    assert content[0].endswith("Ngày giá trị;Sau giờ chốt")
    assert all(line.endswith(f";{cells}") for line in content[1:])
    assert printed in (await operator.get(f"/v1/batches/{batch}/payment-order")).text
    month = (await operator.get("/v1/calendar", params={"month": "2024-09", "on": "2024-08-20"})).json()
    [sent] = month["cycles"][0]["sendings"]
    assert (sent["partner"], sent["first_value_date"], sent["after_cut_off"]) == ("agribank", f"2024-08-{cells[:2]}", int(hour > 16))


async def _again(bank: Any) -> None:
    async with bank.owner() as tx:
        await tx.execute("UPDATE payment_batch SET next_at = now()")
    await bank.send()


async def test_an_answer_that_the_bank_did_not_sign_is_nobody_s(bank: Any, secrets: Any) -> None:
    inbound, _, outbound = secrets
    message, _ = await file_sent(bank, 1)
    assert (await bank.deliver(answer(message, "ACSC"), secret=outbound)).status_code == 401
    assert (await bank.deliver(answer(message, "ACSC"), secret=inbound)).status_code == 202
    await bank.apply()
    assert await bank.statuses() == {"SETTLED": 1}
