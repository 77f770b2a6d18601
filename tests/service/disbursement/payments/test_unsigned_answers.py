"""One person's unsigned file declares nobody unpaid: it waits for a second person. And a word that was dismissed is heard when repeated."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from common.auth import Role

PAIN_ANSWER = "urn:iso:std:iso:20022:tech:xsd:pain.002.001.03"


@pytest.fixture
async def bank(world_of: Any) -> AsyncIterator[Any]:
    payer = {"name": "Sở Nội vụ", "account_number": "102030405060", "bank_name": "Ngân hàng", "budget_unit": "1053661"}
    async with world_of(channel="iso20022", payer=payer) as made:
        yield made


@pytest.fixture
def maker(bank: Any, client_as: Any) -> Any:
    return client_as(bank.app, Role.DEPARTMENT_OFFICER, subject="maker")


@pytest.fixture
def checker(bank: Any, client_as: Any) -> Any:
    return client_as(bank.app, Role.APPROVER, subject="checker")


def answer(message: str, *items: tuple[str, str, str]) -> bytes:
    """A pain.002: (reference, status, reason code) of payments."""
    lines = "".join(
        f"<TxInfAndSts><OrgnlEndToEndId>{ref}</OrgnlEndToEndId><TxSts>{status}</TxSts>"
        + (f"<StsRsnInf><Rsn><Cd>{why}</Cd></Rsn></StsRsnInf>" if why else "")
        + "</TxInfAndSts>"
        for ref, status, why in items
    )
    return (
        f'<Document xmlns="{PAIN_ANSWER}"><CstmrPmtStsRpt><GrpHdr><MsgId>S1</MsgId><CreDtTm>2024-09-05T02:14:07Z</CreDtTm></GrpHdr>'
        f"<OrgnlGrpInfAndSts><OrgnlMsgId>{message}</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId><GrpSts>PART</GrpSts>"
        f"</OrgnlGrpInfAndSts><OrgnlPmtInfAndSts><OrgnlPmtInfId>{message}</OrgnlPmtInfId>{lines}</OrgnlPmtInfAndSts>"
        "</CstmrPmtStsRpt></Document>"
    ).encode()


async def sent(bank: Any) -> tuple[str, str, list[str]]:
    """(batch id, message id, references) of a file that was handed over."""
    await bank.approve([bank.line(), bank.line()])
    await bank.script("no_notices")
    await bank.send()
    rows = await bank.rows(
        "SELECT b.batch_id, p.reference, b.reference AS message FROM payment p JOIN payment_batch b USING (batch_id) ORDER BY 2"
    )
    return str(rows[0]["batch_id"]), rows[0]["message"], [row["reference"] for row in rows]


async def bring(bank: Any, client: Any, batch_id: str, content: bytes, number: int = 1) -> dict[str, Any]:
    made = await client.post(
        f"/v1/batches/{batch_id}/acknowledgement",
        files={"file": ("pain002.xml", content)},
        headers={"Idempotency-Key": f"answer-number-{number}"},
    )
    assert made.status_code == 202, made.text
    await bank.apply()
    return dict((await client.get(f"/v1/batches/{batch_id}")).json())


async def test_an_unsigned_answer_that_declares_payments_dead_waits_for_a_second_person(bank: Any, maker: Any, checker: Any) -> None:
    batch_id, message, refs = await sent(bank)
    content = answer(message, (refs[0], "RJCT", "AC04"), (refs[1], "ACSC", ""))
    [waiting] = (await bring(bank, maker, batch_id, content))["answers"]
    assert (waiting["state"], waiting["brought_by"], waiting["results"]) == ("WAITING", "maker", 2)
    assert await bank.statuses() == {"UNKNOWN": 2}, "nothing of it counts"
    assert await bank.value("SELECT sum(committed) FROM due_month_position") == 1_000_000
    path, yes = f"/v1/batches/{batch_id}/acknowledgement/decision", {"confirm": True, "note": "Đã xem bản gốc"}
    alone = await maker.post(path, json={**yes, "notice_id": waiting["notice_id"]})
    assert (alone.status_code, alone.json()["type"]) == (409, "/problems/same-decider")
    assert await bank.statuses() == {"UNKNOWN": 2}
    done = await checker.post(path, json={**yes, "notice_id": waiting["notice_id"]})
    assert done.status_code == 200, done.text
    await bank.apply()
    assert await bank.statuses() == {"FAILED": 1, "SETTLED": 1}
    assert (await checker.post(path, json={**yes, "notice_id": waiting["notice_id"]})).status_code == 409
    acts = await bank.rows("SELECT action, subject FROM audit_log WHERE action LIKE 'notice.%' ORDER BY id")
    assert [(row["action"], row["subject"]) for row in acts] == [("notice.upload", "maker"), ("notice.confirm", "checker")]


async def test_a_forged_answer_is_refused_and_the_person_is_paid_once_in_the_banks_books(bank: Any, maker: Any, checker: Any) -> None:
    batch_id, message, refs = await sent(bank)
    await bank.simulator.settle()
    content = answer(message, *((ref, "RJCT", "AC04") for ref in refs))
    [waiting] = (await bring(bank, maker, batch_id, content))["answers"]
    no = {"confirm": False, "note": "Ngân hàng không gửi tệp này", "notice_id": waiting["notice_id"]}
    assert (await checker.post(f"/v1/batches/{batch_id}/acknowledgement/decision", json=no)).json()["answers"][0]["state"] == "REFUSED"
    await bring(bank, maker, batch_id, content, 2)
    assert await bank.statuses() == {"UNKNOWN": 2}
    assert [row["state"] for row in await bank.books()] == ["SETTLED", "SETTLED"]
    assert await bank.value("SELECT count(*) FROM allocation WHERE state = 'RELEASED'") == 0, "nobody can be paid again"


@pytest.mark.slow
async def test_what_declares_nothing_dead_and_what_is_signed_counts_at_once(bank: Any, maker: Any) -> None:
    batch_id, message, refs = await sent(bank)
    await bring(bank, maker, batch_id, answer(message, (refs[0], "ACSC", "")))
    assert await bank.statuses() == {"SETTLED": 1, "UNKNOWN": 1}
    await bank.deliver(answer(message, (refs[1], "RJCT", "AC04")))
    await bank.apply()
    assert await bank.statuses() == {"SETTLED": 1, "FAILED": 1}


async def test_a_dismissed_word_that_is_said_again_stands_again(world: Any, client_as: Any) -> None:
    officer = client_as(world.app, Role.DEPARTMENT_OFFICER, subject="officer")
    line = world.line()
    await world.approve([line])
    await world.script("no_notices")
    await world.send()
    await world.notice(await world.result("FAILED", line, code="ACCOUNT_CLOSED"))
    word = await world.result("SETTLED", line)
    await world.notice(word)
    await world.notice(word)
    [first] = (await officer.get("/v1/quarantine")).json()["items"]
    assert (first["reason"], first["repeats"], first["dismissed_before"]) == ("CONTRADICTION", 1, 0)
    path, note = f"/v1/quarantine/{first['quarantine_id']}/dismiss", {"note": "Đã hỏi: chưa chi"}
    asked = await officer.post(path, json={"note": "Ngân hàng nói nhầm"})
    assert (asked.status_code, asked.json()["state"], asked.json()["outcome"]) == (200, "OPEN", None)
    alone = await officer.post(path, json=note)
    assert (alone.status_code, alone.json()["type"].rsplit("/", 1)[-1]) == (409, "same-witness"), "its months would be paid again"
    [waits] = (await officer.get("/v1/quarantine")).json()["items"]
    assert (waits["dismissal_by"], waits["dismissal_note"], waits["state"]) == ("officer", "Ngân hàng nói nhầm", "OPEN")
    second = client_as(world.app, Role.DEPARTMENT_OFFICER, subject="second")
    done = await second.post(path, json=note)
    assert (done.status_code, done.json()["outcome"]) == (200, "DISMISSED"), done.text
    assert (await officer.get("/v1/quarantine")).json()["items"] == []
    await world.notice(word)
    [again] = (await officer.get("/v1/quarantine")).json()["items"]
    assert (again["reason"], again["repeats"], again["dismissed_before"]) == ("CONTRADICTION", 0, 1)
    assert again["quarantine_id"] != first["quarantine_id"]
    assert [row["note"] for row in await world.rows("SELECT note FROM quarantine WHERE state = 'RESOLVED'")] == ["Đã hỏi: chưa chi"]
    assert await world.statuses() == {"FAILED": 1}
